"""
What a router has for those who subscribed.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import CheckKind, Mapper, NodeCheck, SubscriptionSettings
from emperor.proxy.checking import Checker
from emperor.proxy.subscribed import Subscribed
from emperor.proxy.waking import Waker
from emperor.routing.mappers import Asked
from emperor.routing.roster import RegistrySettings
from emperor.routing.subscriptions import Registry
from emperor.subscriptions.ledger import make_registry
from emperor.testing.proxy import FakeDialer, FakeVassals
from tests.announcing.fakes import FakeReactor
from tests.proxy.dialogue import FASTROUTER, HTTP, DialogueCase
from tests.routing.nodes import announcement

ASKED = Asked("a", "A:80", b"")


class SubscribedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.registry = Registry(RegistrySettings())
        self.settings = replace(FASTROUTER, emperor_socket="/e")

    def subscribed(self, check: NodeCheck | None = None) -> Subscribed:
        settings = replace(self.settings, subscriptions=SubscriptionSettings(check=check))
        return Subscribed(
            self.reactor, settings, self.registry, FakeDialer(self.reactor), FakeVassals()
        )

    def say(self, address: str, vassal: str = "") -> None:
        self.registry.announce(announcement(address, vassal=vassal), 0)

    def test_mapper(self) -> None:
        """
        The mapper knows the pools of the registry; who sleeps is woken.
        """
        mapper = self.subscribed().mapper
        self.assertIsNone(mapper(ASKED))
        self.say("", "v")
        waiting = mapper(ASKED)
        assert isinstance(waiting, Deferred)
        self.say("/x", "v")
        self.assertIs(self.successResultOf(waiting), mapper(ASKED))
        self.assertIs(mapper(ASKED), self.registry.lookup("a"))
        self.assertIsNone(mapper(Asked("b", "b", b"")))

    def test_path(self) -> None:
        """
        A pool is found by the host as it came and the path.
        """
        self.registry = Registry(RegistrySettings(mountpoints=1))
        mapper = self.subscribed().mapper
        self.registry.announce(announcement(key="a.com:80/x"), 0)
        asked = Asked("a.com", "A.com:80", b"/x/y")
        self.assertIs(mapper(asked), self.registry.lookup("a.com:80", b"/x"))
        self.assertIsNone(mapper(Asked("a.com", "a.com", b"/x")))

    def test_companions(self) -> None:
        """
        Nodes are checked only if that is wanted.
        """
        (waker,) = self.subscribed().companions
        self.assertIsInstance(waker, Waker)
        waker, checker = self.subscribed(NodeCheck(CheckKind.PING)).companions
        self.assertIsInstance(checker, Checker)

    def test_registry(self) -> None:
        """
        Where nodes are checked the registry leaves it to the checks when one is
        well again, in every process.
        """
        for check, back in ((None, True), (NodeCheck(CheckKind.PING), False)):
            subscriptions = SubscriptionSettings(check=check)
            registry = make_registry(replace(self.settings, subscriptions=subscriptions))
            registry.announce(announcement("/x"), 0)
            pool = registry.lookup("a")
            assert pool is not None
            (node,) = pool.members.values()
            pool.failed(node, 0)
            self.assertEqual(node.health.may_serve(100), back)


class SleeperTests(DialogueCase):
    """
    A request for a vassal that sleeps, from the client to the node.
    """

    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    def setUp(self) -> None:
        self.registry = Registry(RegistrySettings())
        self.registry.announce(announcement("", vassal="v"), 0)
        self.settings = replace(HTTP, to=(), emperor_socket="127.0.0.1:9")
        self.reactor = FakeReactor(0)
        waker = Subscribed(
            self.reactor, self.settings, self.registry, FakeDialer(self.reactor), FakeVassals()
        )
        self.mappers = {Mapper.SUBSCRIPTION: waker.mapper}
        self.client = self.start().connect()
        self.client.send(self.request)

    def test_woken(self) -> None:
        """
        It waits, and goes to the vassal when that is there.
        """
        self.assertEqual(self.dialogue.dialer.dials, [])
        self.assertEqual(len(self.reactor.sent), 1)
        self.registry.announce(announcement("/v", vassal="v"), 1)
        self.assertEqual(str(self.dialogue.dial.address), "/v")
        node = self.dialogue.dial.accept()
        node.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        self.assertTrue(self.client.take().endswith(b"\r\n\r\nhi"))

    def test_late(self) -> None:
        """
        Or it is refused, with a time to try again.
        """
        self.reactor.pump([1] * 5)
        answer = self.client.take()
        self.assert_refused(answer, 503, b"vassal v is being woken")
        self.assertIn(b"\r\nRetry-After: ", answer)

    def test_gone(self) -> None:
        """
        A client that goes away waits no more.
        """
        self.client.lose()
        self.registry.announce(announcement("/v", vassal="v"), 1)
        self.assertEqual(self.dialogue.dialer.dials, [])
