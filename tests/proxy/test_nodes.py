"""
Connections to nodes, however their addresses are written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import TcpAddress, parse_node
from emperor.config.settings import RouterSettings
from emperor.interfaces import INetwork, INodeDialer
from emperor.proxy.nodes import INamingReactor, make_dialer
from emperor.proxy.tlsnodes import BadAuthorities
from emperor.testing.proxy import FakeDialer
from tests.proxy.naming import FakeResolver


class NamingClock(Clock):
    """
    A clock with a resolver.
    """

    def __init__(self) -> None:
        super().__init__()
        self.nameResolver = FakeResolver()


class FakeNetwork:
    """
    A network that only dials.
    """

    def __init__(self, clock: Clock) -> None:
        self.dialer = FakeDialer(clock)


class NodeDialerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = NamingClock()
        self.network = FakeNetwork(self.clock)
        self.failures: list[Failure] = []

    def make(self, **settings: str) -> INodeDialer:
        router = RouterSettings(kind="http", listen=(), **settings)  # type: ignore[arg-type]
        reactor = cast(INamingReactor, self.clock)
        return make_dialer(reactor, cast(INetwork, self.network), router)

    def dial(self, text: str) -> Callable[[], None]:
        return self.make().dial(parse_node(text), Protocol(), self.failures.append, 4)

    def dialed(self) -> list[object]:
        return [each.address for each in self.network.dialer.dials]

    def test_interface(self) -> None:
        """
        It is a dialer.
        """
        verifyObject(INodeDialer, self.make())

    def test_socket(self) -> None:
        """
        A socket is dialed at once.
        """
        for text in ("192.0.2.1:80", "/run/a.sock", "@a"):
            self.dial(text)
            self.assertEqual(self.dialed()[-1], parse_node(text))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_name(self) -> None:
        """
        A name is looked up before.
        """
        self.dial("app:80")
        self.assertEqual(self.dialed(), [])
        self.clock.nameResolver.answer("192.0.2.1")
        self.assertEqual(self.dialed(), [TcpAddress("192.0.2.1", 80)])

    def test_tls(self) -> None:
        """
        A node with TLS can have a name or an address.
        """
        self.dial("tls://192.0.2.1:443")()
        self.clock.nameResolver.known["app"] = ["192.0.2.2"]
        self.dial("tls://app:443")()
        expected = [TcpAddress("192.0.2.1", 443), TcpAddress("192.0.2.2", 443)]
        self.assertEqual(self.dialed(), expected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_memory(self) -> None:
        """
        One dialer looks a name up once.
        """
        dialer = self.make()
        self.clock.nameResolver.known["app"] = ["192.0.2.2"]
        dialer.dial(parse_node("app:80"), Protocol(), self.failures.append, 4)
        self.clock.nameResolver.known.clear()
        dialer.dial(parse_node("tls://app:80"), Protocol(), self.failures.append, 4)()
        self.assertEqual(self.clock.nameResolver.questions, [])
        self.assertEqual(len(self.dialed()), 2)

    def test_authorities(self) -> None:
        """
        Bad authorities are an error before anything is dialed.
        """
        self.assertRaises(BadAuthorities, self.make, node_ca="/nowhere/ca.pem")
