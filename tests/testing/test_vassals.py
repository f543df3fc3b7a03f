"""
Tests for L{emperor.testing.vassals}: the fakes are what they stand for.
"""

from twisted.internet.interfaces import (
    IProcessTransport,
    IReactorProcess,
    IReactorSocket,
    IReactorTime,
)
from twisted.internet.protocol import Factory, ProcessProtocol, Protocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.interfaces import IMonitor, IRealm
from emperor.testing.vassals import MemoryMonitor, MemoryRealm, MemorySpawner, make_spec


class FakesTests(SynchronousTestCase):
    def test_monitor(self) -> None:
        """
        The monitor reports what it is told to want, and nothing once stopped.
        """
        realm = MemoryRealm()
        monitor = MemoryMonitor(specs=[make_spec("a.ini")])
        verifyObject(IMonitor, monitor)
        monitor.start(realm)
        monitor.want(make_spec("b.ini"))
        monitor.rescan()
        monitor.break_down("gone")
        monitor.stop()
        monitor.want()
        monitor.break_down("gone")
        self.assertEqual(3, len(realm.reports))
        self.assertEqual((["b.ini"], ["gone"]), (realm.names, realm.troubles))

    def test_realm(self) -> None:
        """
        The realm is one.
        """
        verifyObject(IRealm, MemoryRealm())

    def test_spawner(self) -> None:
        """
        The reactor is one for processes, sockets and time, and its processes
        are.
        """
        spawner = MemorySpawner()
        for interface in (IReactorProcess, IReactorSocket, IReactorTime):
            verifyObject(interface, spawner)
        spawner.adoptStreamConnection(0, 0, Factory.forProtocol(Protocol))  # type: ignore[arg-type]
        spawner.spawnProcess(ProcessProtocol(), b"/bin/true", [b"true"])
        verifyObject(IProcessTransport, spawner.last)
        self.assertIs(spawner.last, spawner.named("true"))
