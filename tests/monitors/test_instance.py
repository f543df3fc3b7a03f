"""
Tests for L{emperor.monitors.instance}.
"""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.interfaces import IMonitor
from emperor.monitors.instance import InstanceMonitor
from emperor.testing.vassals import MemoryRealm
from emperor.vassals.spec import VassalId, VassalSpec


class InstanceMonitorTests(SynchronousTestCase):
    """
    The monitor of the uWSGI of our own file.
    """

    def test_life(self) -> None:
        """
        It wants its vassal once, whatever is asked of it; at the end its sockets
        are closed here.
        """
        listener = socket.socket()
        self.addCleanup(listener.close)
        spec = VassalSpec(
            VassalId("instance", "x"), "/", None, config=b"[uwsgi]\n", sockets=(listener,)
        )
        monitor = InstanceMonitor(spec)
        self.assertTrue(verifyObject(IMonitor, monitor))
        realm = MemoryRealm()
        monitor.start(realm)
        monitor.rescan()
        self.assertEqual((monitor.source, realm.reports), ("instance", [(spec,)]))
        self.assertNotEqual(listener.fileno(), -1)
        monitor.stop()
        self.assertEqual(listener.fileno(), -1)
