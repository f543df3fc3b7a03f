"""
Tests for L{emperor.subscriptions.reception}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress
from emperor.config.settings import Policy
from emperor.routing.gatekeeper import AdmissionRules, Cause, Credentials, Gatekeeper
from emperor.subscriptions.places import Places
from emperor.subscriptions.receiving import Sender
from emperor.subscriptions.reception import Reception
from emperor.subscriptions.rejections import Fault, Rejections
from emperor.wire.hops import add_hops, make_mark
from emperor.wire.subscription import build_announcement
from tests.routing.test_gatekeeper import MemoryKeys
from tests.subscriptions.fakes import NODE, OTHER, Recorder, leaving, make_ledger, nodes
from tests.wire.announcements import announcement, datagram

SENDER = Sender("192.0.2.1:40000")


class ReceptionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.mark = make_mark()
        self.reception = self.make()

    def make(self, rules: AdmissionRules | None = None, *, vassals: bool = False) -> Reception:
        self.ledger = make_ledger(self.clock)
        self.recorder = Recorder()
        self.ledger.follow(self.recorder)
        self.rejections = Rejections(self.clock, "http")
        return Reception(
            self.clock,
            Gatekeeper(rules or AdmissionRules(), MemoryKeys()),
            self.ledger,
            self.rejections,
            mark=self.mark,
            own=Places([TcpAddress("", 80)]),
            vassal_required=vassals,
        )

    def rejected(self, data: bytes) -> Fault | Cause:
        """
        Why a datagram is turned away; it changes nothing.
        """
        before = nodes(self.ledger.registry), len(self.recorder.arrivals)
        self.rejections.counts.clear()
        self.reception.received(data, SENDER)
        [(cause, count)] = self.rejections.counts.items()
        self.assertEqual(count, 1)
        self.assertEqual(nodes(self.ledger.registry), before[0])
        return cause

    def test_life(self) -> None:
        """
        A node comes and leaves.
        """
        self.reception.received(build_announcement(announcement()), SENDER)
        self.assertEqual(nodes(self.ledger.registry), {"foo.com": [NODE]})
        self.reception.received(build_announcement(leaving()), SENDER)
        self.assertEqual(nodes(self.ledger.registry), {})
        self.assertEqual(self.rejections.counts, {})

    def test_refused(self) -> None:
        """
        What cannot be heeded is counted by its reason.
        """
        self.reception.received(build_announcement(announcement()), SENDER)
        for data, cause in (
            (b"", Fault.MALFORMED),
            (datagram() + b"x", Fault.MALFORMED),
            (datagram((b"hops", b"x")), Fault.MALFORMED),
            (datagram((b"address", b"nowhere:x")), Fault.REFUSED),
            (datagram((b"address", b"127.0.0.1:0")), Fault.REFUSED),
            (datagram((b"key", b".")), Fault.REFUSED),
            (datagram((b"address", b"127.0.0.1:80")), Fault.OWN_ADDRESS),
            (add_hops(datagram(), [self.mark]), Fault.RETURNED),
        ):
            self.assertEqual(self.rejected(data), cause, data)

    def test_hops(self) -> None:
        """
        What another router passes on is heeded, and its way is known.
        """
        other = make_mark()
        self.reception.received(add_hops(datagram(), [other]), SENDER)
        self.assertEqual(self.recorder.arrivals[0].hops, (other,))

    def test_gate(self) -> None:
        """
        The gate sees who has sent it; what it turns away changes nothing, to
        come or to leave.
        """
        rules = AdmissionRules(policy=Policy.SIGNED, skip_uids=frozenset([1000]))
        self.reception = self.make(rules)
        trusted = Sender("process 1 of user 1000", Credentials(1, 1000, 1000))
        self.reception.received(build_announcement(announcement()), trusted)
        self.assertEqual(nodes(self.ledger.registry), {"foo.com": [NODE]})
        for each in (announcement(address=OTHER), leaving()):
            self.assertEqual(self.rejected(build_announcement(each)), Cause.UNSIGNED)

    def test_vassals_only(self) -> None:
        """
        Where only vassals may subscribe others are turned away.
        """
        self.reception = self.make(vassals=True)
        self.assertEqual(self.rejected(datagram()), Fault.NO_VASSAL)
        asleep = announcement(address="", vassal="a.ini")
        self.reception.received(build_announcement(asleep), SENDER)
        self.assertFalse(self.ledger.registry.is_empty)

    @given(
        st.binary(max_size=200) | st.binary(max_size=60).map(lambda rest: datagram()[:-10] + rest)
    )
    def test_garbage(self, data: bytes) -> None:
        """
        Nothing that comes breaks anything: it is heeded or counted.
        """
        before = len(self.recorder.arrivals), sum(self.rejections.counts.values())
        self.reception.received(data, SENDER)
        after = len(self.recorder.arrivals), sum(self.rejections.counts.values())
        self.assertIn((after[0] - before[0], after[1] - before[1]), [(1, 0), (0, 1), (1, 1)])
