"""
Requests whose node is a vassal that sleeps.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import UnixAddress
from emperor.config.settings import RouterSettings
from emperor.proxy import sleepers
from emperor.proxy.phases import Phase
from emperor.proxy.refusals import Reason
from emperor.proxy.session import Session
from emperor.proxy.sleepers import Sleepers
from emperor.routing.pools import FixedNodes, Pool, SingleNode
from emperor.testing.proxy import FakeVassals
from tests.proxy.dialogue import NODE, OTHER
from tests.proxy.test_session import SessionCase

PLACE = UnixAddress(b"/a.sock")


class SleepersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.start()

    def start(self, **changes: Any) -> None:
        self.clock = Clock()
        self.vassals = FakeVassals()
        self.vassals.asleep.add(PLACE)
        settings = RouterSettings(kind="http", listen=(), **changes)
        self.sleepers = Sleepers(self.clock, settings, self.vassals)
        self.calls: list[int] = []

    def wait(self, number: int = 1) -> Any:
        return self.sleepers.wait(PLACE, lambda: self.calls.append(number))

    def test_accepts(self) -> None:
        """
        All who wait ask again when the vassal accepts, in a turn of their own.
        """
        self.wait(1)
        self.wait(2)
        self.vassals.accept(UnixAddress(b"/b.sock"))
        self.clock.advance(0)
        self.assertEqual(self.calls, [])
        self.vassals.accept(PLACE)
        self.assertEqual(self.calls, [])
        self.clock.advance(0)
        self.assertEqual(self.calls, [1, 2])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_each_second(self) -> None:
        """
        A program may serve without having said so.
        """
        self.wait()
        self.clock.advance(0.9)
        self.assertEqual(self.calls, [])
        self.clock.advance(0.1)
        self.assertEqual(self.calls, [1])

    def test_client_gone(self) -> None:
        """
        Nothing is left of who waits no more.
        """
        first, second = self.wait(1), self.wait(2)
        first()
        self.clock.advance(1)
        self.assertEqual(self.calls, [2])
        second()
        third = self.wait(3)
        third()
        third()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_breaks(self) -> None:
        """
        A mistake of ours keeps nobody else from going on.
        """
        self.sleepers.wait(PLACE, lambda: 1 // 0)
        self.wait(2)
        self.clock.advance(1)
        self.assertEqual(self.calls, [2])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_patience(self) -> None:
        """
        A request waits for so long, and no longer than the router's time-out.
        """
        for changes, seconds in (
            ({}, 5),
            ({"defer_connect_timeout": 2}, 2),
            ({"defer_connect_timeout": 9, "timeout": 3}, 3),
        ):
            self.start(**changes)
            self.assertTrue(self.sleepers.rouse(PLACE, None))
            self.clock.advance(seconds - 0.1)
            self.assertTrue(self.sleepers.rouse(PLACE, 0))
            self.clock.advance(0.1)
            self.assertFalse(self.sleepers.rouse(PLACE, 0))
            self.assertEqual(self.vassals.roused, [PLACE, PLACE])

    def test_limits(self) -> None:
        """
        Only so many requests wait, at one place and at all.
        """
        self.patch(sleepers, "PLACE_WAITING_LIMIT", 2)
        self.patch(sleepers, "WAITING_LIMIT", 3)
        other = UnixAddress(b"/b.sock")
        self.vassals.asleep.add(other)
        self.wait()
        gone = self.wait()
        self.assertFalse(self.sleepers.rouse(PLACE, None))
        self.assertTrue(self.sleepers.rouse(other, None))
        self.sleepers.wait(other, lambda: None)
        self.assertFalse(self.sleepers.rouse(other, None))
        gone()
        self.assertTrue(self.sleepers.rouse(PLACE, None))


class SessionTests(SessionCase):
    """
    A request whose node sleeps.
    """

    def begin_asleep(self, pool: Pool | None = None, **changes: Any) -> Session:
        session = self.begin(pool or SingleNode(NODE, from_host=False), **changes)
        self.dialogue.vassals.asleep.add(NODE.address)
        self.dialogue.vassals.absences[NODE.address] = "vassal a.ini is starting"
        return session

    def test_waits(self) -> None:
        """
        It is woken, and gets the request when it accepts.
        """
        session = self.begin_asleep()
        self.dialogue.dial.refuse()
        self.assertEqual(self.dialogue.vassals.roused, [NODE.address])
        self.assertEqual(self.front.told, [])
        self.assertGreater(self.front.patience, 5)
        self.dialogue.vassals.accept(NODE.address)
        self.dialogue.clock.advance(0)
        node = self.dialogue.dial.accept()
        node.send(b"answer")
        node.lose()
        self.assert_over(session, "ready", b"answer", "clean")
        self.assertEqual(len(self.dialogue.dialer.dials), 2)

    def test_about_to_leave(self) -> None:
        """
        One that is falling asleep still has its socket; nobody would answer there.
        """
        wire = self.start()
        wire.vassals.leaving.add(NODE.address)
        wire.vassals.asleep.add(NODE.address)
        session = Session(wire.router, self.notes(), SingleNode(NODE, from_host=False), b"a")
        session.start(b"payload")
        self.assertEqual(wire.dialer.dials, [])
        wire.vassals.leaving.clear()
        wire.vassals.accept(NODE.address)
        wire.clock.advance(0)
        wire.dial.accept()
        self.assertIs(session.phase, Phase.WAITING)

    def notes(self) -> Any:
        self.begin()
        return self.front

    def test_in_vain(self) -> None:
        """
        After its patience the client is told why.
        """
        session = self.begin_asleep()
        for _ in range(5):
            self.dialogue.dial.refuse()
            self.assertEqual(self.front.told, [])
            self.dialogue.clock.advance(1)
        self.dialogue.dial.refuse()
        self.assert_over(session, Reason.NODE_ABSENT)
        self.assertEqual(self.front.detail, "vassal a.ini is starting")
        self.assertEqual(self.dialogue.router.sleepers._count, 0)

    def test_other_node(self) -> None:
        """
        Nobody waits while another node serves; the vassal is woken all the same.
        """
        self.begin_asleep(FixedNodes([NODE, OTHER], 30))
        self.dialogue.dial.refuse()
        self.assertEqual(self.dialogue.dial.address, OTHER.address)
        self.assertEqual(self.dialogue.vassals.roused, [NODE.address])

    def test_fallback(self) -> None:
        """
        The fallback is not for those who sleep, but for those who do not come.
        """
        self.begin_asleep(fallback=(OTHER,))
        for _ in range(6):
            self.assertEqual(self.dialogue.dial.address, NODE.address)
            self.dialogue.dial.refuse()
            self.dialogue.clock.advance(1)
        self.assertEqual(self.dialogue.dial.address, OTHER.address)

    def test_cut_as_it_fell_asleep(self) -> None:
        """
        A request that was in its queue when it left is repeated when it is back, if
        that does no harm.
        """
        session = self.begin_asleep(repeats=True, fallback=(OTHER,))
        self.dialogue.dial.accept().lose()
        self.assertEqual(self.dialogue.dial.address, NODE.address)
        self.dialogue.dial.refuse()  # It has gone; nobody else gets the request.
        self.assertEqual(len(self.dialogue.dialer.dials), 2)
        self.dialogue.vassals.accept(NODE.address)
        self.dialogue.clock.advance(0)
        self.dialogue.dial.accept()
        self.assertIs(session.phase, Phase.WAITING)
        session = self.begin_asleep()
        self.dialogue.dial.accept().lose()
        self.assert_over(session, "ready", Reason.NODE_ABSENT)

    def test_client_gone(self) -> None:
        """
        Nothing waits any more when the client has gone.
        """
        session = self.begin_asleep()
        self.dialogue.dial.refuse()
        session.abandon()
        self.dialogue.vassals.accept(NODE.address)
        self.dialogue.clock.advance(2)
        self.assertEqual(len(self.dialogue.dialer.dials), 1)

    def test_awake(self) -> None:
        """
        A node that does not sleep is not waited for.
        """
        session = self.begin(SingleNode(NODE, from_host=False))
        self.dialogue.dial.refuse()
        self.assert_over(session, Reason.NODE_ABSENT)
