"""
Checks of the nodes in pools.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import UnixAddress
from emperor.config.settings import CheckKind, NodeCheck
from emperor.proxy.checking import AT_ONCE, LOGGED_PER_SECOND, Checker
from emperor.routing.members import Member
from emperor.routing.roster import RegistrySettings
from emperor.routing.subscribed import SubscribedPool
from emperor.routing.subscriptions import Registry
from emperor.testing.proxy import Dial, FakeDialer
from tests.routing.nodes import announcement


class CheckerCase(SynchronousTestCase):
    kind = CheckKind.CONNECT
    frequency = 5.0

    def setUp(self) -> None:
        self.clock = Clock()
        self.dialer = FakeDialer(self.clock)
        self.registry = Registry(RegistrySettings(checked=True), lambda: 0)
        self.checker = Checker(
            self.clock,
            "http",
            self.registry,
            self.dialer,
            NodeCheck(self.kind, "/", self.frequency),
            connect_timeout=2,
            random=lambda: 0,
        )
        self.checker.startService()
        self.addCleanup(self.checker.stopService)

    def say(self, address: str = "/x", key: str = "a", **values: Any) -> None:
        self.registry.announce(announcement(address, key, **values), self.clock.seconds())

    def pool(self, key: str = "a") -> SubscribedPool:
        pool = self.registry.lookup(key)
        assert pool is not None
        return pool

    def node(self, address: str = "/x", key: str = "a") -> Member:
        return self.pool(key).members[UnixAddress(address.encode())]

    def wait(self, seconds: int = 1) -> list[Dial]:
        """
        Let time pass.

        @return: the checks that have begun.
        """
        self.dialer.dials.clear()
        self.clock.pump([1] * seconds)
        return list(self.dialer.dials)

    def check(self) -> Dial:
        """
        The one check that begins within a second.
        """
        (dial,) = self.wait()
        return dial

    def is_well(self, address: str = "/x", key: str = "a") -> bool:
        return self.node(address, key).health.may_serve(self.clock.seconds())


class LifeTests(CheckerCase):
    def test_regular(self) -> None:
        """
        A node is checked when it is new, and again some time after each check.
        """
        self.say()
        dial = self.check()
        self.assertEqual((dial.address, dial.timeout), (UnixAddress(b"/x"), 2))
        dial.accept()
        self.assertTrue(self.is_well())
        self.assertEqual(self.wait(4), [])
        self.assertEqual(len(self.wait(1)), 1)

    def test_slow(self) -> None:
        """
        A node is not asked again before it has answered.
        """
        self.say()
        self.check()
        self.assertEqual(self.wait(10), [])

    def test_failed(self) -> None:
        """
        One that fails is spared, and asked again when its quarantine ends, which
        is later each time, and as often as everybody.
        """
        self.say()
        self.check().refuse()
        self.assertFalse(self.is_well())
        for pause in (1, 2, 4, 5, 3, 5):
            *before, last = [self.wait() for _ in range(pause)]
            self.assertEqual((before, len(last)), ([[]] * (pause - 1), 1))
            last[0].refuse()
            self.assertFalse(self.is_well())

    def test_back(self) -> None:
        """
        When it passes requests may go there.
        """
        self.say()
        self.check().refuse()
        self.check().accept()
        self.assertTrue(self.is_well())

    def test_request_failed(self) -> None:
        """
        One that did not accept a request is asked as soon as its quarantine ends;
        no request finds out.
        """
        self.say()
        self.check().accept()
        self.pool().failed(self.node(), self.clock.seconds())
        dial = self.check()
        self.assertFalse(self.is_well())
        dial.accept()
        self.assertTrue(self.is_well())

    def test_left(self) -> None:
        """
        Who has left is not asked, and what is found out afterwards does not count
        for the one that came in its place.
        """
        self.say()
        dial = self.check()
        self.say(leaving=True)
        self.say()
        dial.refuse()
        self.assertTrue(self.is_well())
        self.say(leaving=True)
        self.assertEqual(self.wait(10), [])
        self.say()
        self.assertEqual(len(self.wait()), 1)

    def test_sleepers(self) -> None:
        """
        Vassals that sleep are not disturbed.
        """
        self.say("", vassal="v")
        self.assertEqual(self.wait(10), [])

    def test_shared(self) -> None:
        """
        A node is asked once for all its pools.
        """
        for key in "ab":
            self.say(key=key)
        self.check().refuse()
        self.assertFalse(self.is_well(key="a") or self.is_well(key="b"))

    def test_stops(self) -> None:
        """
        When it stops no check is left.
        """
        for number in range(AT_ONCE + 1):
            self.say(f"/{number}")
        dials = self.wait()
        self.checker.stopService()
        self.assertTrue(all(dial.cancelled for dial in dials))
        self.assertEqual(self.wait(10), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class BoundTests(CheckerCase):
    def test_at_once(self) -> None:
        """
        Only some are asked at the same time; the next one follows when one is
        done.
        """
        for number in range(AT_ONCE + 2):
            self.say(f"/{number}")
        dials = self.wait()
        self.assertEqual(len(dials), AT_ONCE)
        dials[0].accept()
        dials[1].refuse()
        self.assertEqual(len(self.dialer.dials), AT_ONCE + 2)

    def test_left_in_the_queue(self) -> None:
        """
        One that leaves before its turn is passed over, and asked in its turn if
        it comes back.
        """
        for number in range(AT_ONCE + 1):
            self.say(f"/{number}")
        dials = self.wait()
        self.say(f"/{AT_ONCE}", leaving=True)
        for dial in dials:
            dial.accept()
        self.assertEqual(len(self.dialer.dials), AT_ONCE)
        self.say(f"/{AT_ONCE}")
        self.check().accept()

    def test_log(self) -> None:
        """
        What has changed is said, once, and so much that a log can bear it.
        """
        with capturedLogs() as logs:
            self.say()
            self.check().refuse()
            self.check().refuse()
            self.wait()
            self.check().accept()
            self.wait(5)[0].accept()
        said = [formatEvent(event) or "" for event in logs]
        self.assertEqual(len(said), 2)
        self.assertIn("http: /x does not pass its check: it cannot be reached", said[0])
        self.assertEqual(said[1], "http: /x passes its check again")
        for number in range(LOGGED_PER_SECOND + 5):
            self.say(f"/{number}")
        with capturedLogs() as logs:
            for dial in self.wait():
                dial.refuse()
            self.wait()
        self.assertEqual(len(logs), LOGGED_PER_SECOND + 1)
        self.assertIn("5 more nodes", formatEvent(logs[-1]) or "")


class PageTests(CheckerCase):
    kind = CheckKind.HTTP

    def test_hosts(self) -> None:
        """
        A page is asked for in the name of each host, and counts for it alone.
        """
        for key in ("a", "b"):
            self.say(key=key)
        dials = self.wait()
        self.assertEqual(len(dials), 2)
        for dial in dials:
            node = dial.accept()
            status = 200 if b"HTTP_HOST\x01\0a" in node.take() else 500
            node.send(b"HTTP/1.1 %d X\r\n\r\n" % status)
            node.lose()
        self.assertTrue(self.is_well(key="a"))
        self.assertFalse(self.is_well(key="b"))


class OftenTests(CheckerCase):
    frequency = 0.5

    def test_often(self) -> None:
        """
        More often than each second, if that is wanted.
        """
        self.say()
        for _ in range(3):
            self.dialer.dials.clear()
            self.clock.pump([0.5])
            self.dialer.dials[0].accept()
