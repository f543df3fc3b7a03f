"""
Tests for L{emperor.vassals.instance}.
"""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import InstanceSettings
from emperor.vassals.instance import instance_spec


class InstanceSpecTests(SynchronousTestCase):
    """
    The uWSGI of our own file.
    """

    def listener(self) -> socket.socket:
        listener = socket.socket()
        self.addCleanup(listener.close)
        return listener

    def test_configuration(self) -> None:
        """
        Its options are its configuration, and nowhere else.
        """
        options = (("socket", ":3031"), ("env", "A=B=C"), ("master", ""), ("vacuum", "true"))
        spec = instance_spec(InstanceSettings(options=options), "/srv", ())
        expected = b"[uwsgi]\nsocket = :3031\nenv = A=B=C\nmaster = \nvacuum = true\n"
        self.assertEqual((spec.directory, spec.config), ("/srv", expected))
        self.assertTrue(spec.is_instance)
        self.assertNotIn("3031", repr(spec))
        self.assertEqual(str(spec.id.name), "instance")

    def test_shared(self) -> None:
        """
        A shared socket is the descriptor that it inherits, in the order in which
        they are lent; their files are not its to remove.
        """
        options = (("socket", "=4"), ("vacuum", ""), ("http-socket", "=0"), ("socket", "=4"))
        sockets = (self.listener(), self.listener())
        spec = instance_spec(InstanceSettings(options=options, shared=(4, 0)), "/", sockets)
        self.assertEqual(spec.sockets, sockets)
        self.assertEqual(
            spec.config,
            b"[uwsgi]\nsocket = fd://4\nhttp-socket = fd://5\nsocket = fd://4\n",
        )
