"""
Tests for L{emperor.subscriptions.ledger}.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress
from emperor.config.settings import HttpSettings, SubscriptionSettings
from emperor.routing.outcomes import Expiry, Outcome, Result
from emperor.subscriptions.ledger import Arrival, make_registry
from tests.subscriptions.fakes import NODE, Recorder, make_ledger, nodes
from tests.wire.announcements import announcement


class Broken(Recorder):
    """
    A follower that fails.
    """

    def arrived(self, arrival: Arrival) -> None:
        raise ZeroDivisionError

    def expired(self, expiries: Sequence[Expiry]) -> None:
        raise ZeroDivisionError


class LedgerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.ledger = make_ledger(self.clock)
        self.recorder = Recorder()
        self.ledger.follow(self.recorder)

    def test_arrivals(self) -> None:
        """
        Who follows hears each announcement, what became of it, and its way.
        """
        said = announcement()
        outcome = self.ledger.announce(said, ("a",))
        self.assertEqual(outcome, Outcome(Result.NEW_POOL, "foo.com"))
        self.assertEqual(self.recorder.arrivals, [Arrival(said, outcome, ("a",))])
        self.assertEqual(nodes(self.ledger.registry), {"foo.com": [NODE]})

    def test_expiry(self) -> None:
        """
        And who was taken out because nobody heard of him.
        """
        self.ledger.announce(announcement())
        self.clock.advance(9)
        self.ledger.expire()
        self.assertEqual(self.recorder.expiries, [])
        self.clock.advance(2)
        self.ledger.expire()
        self.assertEqual(self.recorder.expiries, [Expiry("foo.com", NODE, 11)])
        self.assertTrue(self.ledger.registry.is_empty)

    def test_broken_follower(self) -> None:
        """
        One that fails does not keep the next one from hearing.
        """
        ledger = make_ledger(self.clock)
        for follower in (Broken(), self.recorder):
            ledger.follow(follower)
        ledger.announce(announcement())
        self.clock.advance(11)
        ledger.expire()
        self.assertEqual((len(self.recorder.arrivals), len(self.recorder.expiries)), (1, 1))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)


class MakeTests(SynchronousTestCase):
    def test_settings(self) -> None:
        """
        What the configuration says about pools counts.
        """
        subscriptions = SubscriptionSettings(
            tolerance=5, keep_last=0, mountpoints=1, dotsplit=True, fallback_key="else"
        )
        registry = make_registry(
            HttpSettings(
                listen=(TcpAddress("", 80),), subscriptions=subscriptions, raw_host_key=True
            )
        )
        for key in ("A/x", ".b", "else"):
            registry.announce(announcement(key=key), 0)
        found = [
            registry.lookup(host, path)
            for host, path in (("A", b"/x/y"), ("a.b", b""), ("a", b"/x"), ("A", b""))
        ]
        self.assertEqual([pool and pool.key for pool in found], ["A/x", ".b", "else", "else"])
        registry.expire(6)
        self.assertTrue(registry.is_empty)
