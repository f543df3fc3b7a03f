"""
One request's life, with a front end that only notes what it is told.
"""

from __future__ import annotations

from errno import ECONNREFUSED, EHOSTUNREACH, ENOENT

from twisted.trial.unittest import SynchronousTestCase

from emperor.proxy.refusals import Reason, Refusal
from emperor.proxy.session import CLOSING, PHASES, Event, Phase, Session
from emperor.routing.pools import FixedNodes, Pool, SingleNode
from emperor.testing.proxy import FakeStream
from tests.proxy.dialogue import FASTROUTER, NODE, OTHER, Dialogue, DialogueCase


class Notes:
    """
    A L{emperor.proxy.session.Front} that writes down what it is told.
    """

    def __init__(self) -> None:
        self.told: list[object] = []
        self.receiving = False

    def node_ready(self, session: Session) -> None:
        self.told.append("ready")

    def answer(self, data: bytes) -> None:
        self.told.append(data)

    def answer_ended(self, clean: bool) -> None:
        self.told.append("clean" if clean else "broken")

    def refuse(self, refusal: Refusal) -> None:
        self.told.append(refusal.reason)
        self.detail = refusal.detail

    def expect_within(self, seconds: float) -> None:
        self.patience = seconds

    def is_receiving(self) -> bool:
        return self.receiving

    def cut(self) -> None:
        self.told.append("cut")


class TableTests(SynchronousTestCase):
    def test_reachable(self) -> None:
        """
        Every phase can be reached, and every event happens somewhere.
        """
        reached, before = {Phase.ROUTED}, set[Phase]()
        while reached != before:
            before = set(reached)
            for steps in PHASES.values():
                reached |= {after for phase, after in steps.items() if phase in reached}
        self.assertEqual(reached, set(Phase))
        self.assertEqual(set(PHASES), set(Event))

    def test_over(self) -> None:
        """
        OVER is the end, every other phase can fail, and a phase with a node
        can be abandoned.
        """
        self.assertFalse(any(Phase.OVER in steps for steps in PHASES.values()))
        for phase in set(Phase) - {Phase.OVER}:
            self.assertIs(PHASES[Event.FAILED][phase], Phase.OVER)
        for phase in (Phase.CONNECTING, Phase.WAITING, Phase.ANSWERING):
            self.assertIs(PHASES[Event.ABANDONED][phase], Phase.OVER)


class SessionCase(DialogueCase):
    settings = FASTROUTER

    def begin(self, pool: Pool | None = None) -> Session:
        wire = self.dialogue = Dialogue(self.settings)
        self.addCleanup(wire.router.deadlines.stop)
        self.front = Notes()
        pool = FixedNodes([NODE, OTHER], 30) if pool is None else pool
        session = Session(wire.router, self.front, pool, b"a")
        session.start(b"payload")
        return session

    def answering(self) -> tuple[Session, FakeStream]:
        session = self.begin()
        node = self.dialogue.dial.accept()
        node.send(b"an")
        return session, node

    def assert_over(self, session: Session, *told: object) -> None:
        self.assertIs(session.phase, Phase.OVER)
        self.assertEqual(tuple(self.front.told), told)


class PathTests(SessionCase):
    def test_answer(self) -> None:
        """
        The node gets the packet first; its bytes and its end are passed on.
        """
        session = self.begin()
        self.assertIs(session.phase, Phase.CONNECTING)
        node = self.dialogue.dial.accept()
        self.assertIs(session.phase, Phase.WAITING)
        self.assertEqual(node.take(), b"\x05\x07\x00\x06payload")
        node.send(b"an")
        self.assertIs(session.phase, Phase.ANSWERING)
        node.send(b"swer")
        node.lose()
        self.assert_over(session, "ready", b"an", b"swer", "clean")

    def test_broken(self) -> None:
        """
        It is told whether the node closed or broke off.
        """
        session, node = self.answering()
        node.break_off()
        self.assert_over(session, "ready", b"an", "broken")

    def test_next_node(self) -> None:
        """
        A node that refuses is in grace, and the next one is asked.
        """
        wire = (self.begin(), self.dialogue)[1]
        wire.dial.refuse()
        self.assertEqual(wire.dial.address, OTHER.address)
        wire.dial.accept()
        self.assertEqual(self.front.told, ["ready"])

    def test_grace(self) -> None:
        """
        A refusing node is passed over by later requests until it accepts.
        """
        pool = FixedNodes([NODE, OTHER], 30)
        self.begin(pool)
        self.dialogue.dial.refuse()
        self.assertEqual([pool.pick(29, ()), pool.pick(29, ())], [OTHER, OTHER])
        pool.pick(29, ())
        self.assertEqual(pool.pick(29, [OTHER]), NODE)

    def test_well_again(self) -> None:
        """
        A node that accepts has no grace to sit out.
        """
        pool = FixedNodes([NODE, OTHER], 30)
        pool.failed(NODE, 0)
        pool.failed(OTHER, 0)
        self.begin(pool)
        self.dialogue.dial.accept()
        self.assertEqual([pool.pick(1, ()), pool.pick(1, ())], [NODE, NODE])

    def test_vassal_that_is_about_to_leave(self) -> None:
        """
        A vassal that is being stopped gets no more requests: the next node
        does, or the client is told.
        """
        wire = Dialogue(self.settings)
        self.addCleanup(wire.router.deadlines.stop)
        wire.vassals.leaving.add(NODE.address)
        wire.vassals.absences[NODE.address] = "vassal a.ini is stopping"
        self.front = Notes()
        Session(wire.router, self.front, FixedNodes([NODE, OTHER], 30), b"a").start(b"")
        self.assertEqual(wire.dial.address, OTHER.address)
        Session(wire.router, self.front, FixedNodes([NODE], 30), b"a").start(b"")
        self.assertEqual(self.front.told, [Reason.NODE_ABSENT])
        self.assertEqual(self.front.detail, "vassal a.ini is stopping")
        self.assertEqual(len(wire.dialer.dials), 1)

    def test_vassal_that_leaves_within(self) -> None:
        """
        A vassal that dies or stops before it answers is absent, not broken.
        """
        session = self.begin(FixedNodes([NODE], 30))
        node = self.dialogue.dial.accept()
        self.dialogue.vassals.absences[NODE.address] = "vassal a.ini died"
        node.lose()
        self.assertEqual(self.front.told, ["ready", Reason.NODE_ABSENT])
        self.assertIs(session.phase, Phase.OVER)

    def test_client_leaves_the_second_node(self) -> None:
        """
        A client that goes away ends the dialing of the node that is tried then.
        """
        wire = Dialogue(self.settings)
        self.addCleanup(wire.router.deadlines.stop)
        self.front = Notes()
        session = Session(wire.router, self.front, FixedNodes([NODE, OTHER], 30), b"a")
        session.start(b"")
        wire.dial.refuse()
        self.assertIs(session.phase, Phase.CONNECTING)
        session.abandon()
        self.assertTrue(wire.dial.cancelled)

    def test_modifiers(self) -> None:
        """
        Modifiers of the router take the place of the node's, unless they are 0.
        """
        for modifiers, expected in (((0, 0), (5, 6)), ((7, 0), (7, 6)), ((0, 8), (5, 8))):
            wire = Dialogue(self.settings)
            self.addCleanup(wire.router.deadlines.stop)
            Session(wire.router, Notes(), SingleNode(NODE, from_host=False), b"a").start(
                b"", modifiers
            )
            node = wire.dial.accept().take()
            self.assertEqual((node[0], node[3]), expected)


class RefusalTests(SessionCase):
    def refused(self, number: int, *, from_host: bool = True) -> None:
        self.begin(SingleNode(NODE, from_host=from_host))
        self.dialogue.dial.miss(number)

    def test_missing(self) -> None:
        """
        A socket that does not exist is an unknown host if the host named it;
        else nobody listens there.
        """
        self.refused(ENOENT)
        self.assertEqual(self.front.told, [Reason.UNKNOWN_HOST])
        self.refused(ENOENT, from_host=False)
        self.assertEqual(self.front.told, [Reason.NODE_ABSENT])

    def test_nobody_listens(self) -> None:
        """
        A socket that exists and refuses is a site that is down.
        """
        self.refused(ECONNREFUSED)
        self.assertEqual(self.front.told, [Reason.NODE_ABSENT])
        self.assertEqual(self.front.detail, "nothing listens at 127.0.0.1:3031")

    def test_vassal(self) -> None:
        """
        A vassal that should listen there says why it does not.
        """
        self.begin(SingleNode(NODE, from_host=True))
        self.dialogue.vassals.absences[NODE.address] = "vassal a.ini is starting"
        self.dialogue.dial.miss(ENOENT)
        self.assertEqual(self.front.told, [Reason.NODE_ABSENT])
        self.assertEqual(self.front.detail, "vassal a.ini is starting")

    def test_unreachable(self) -> None:
        """
        A node that cannot be reached has failed.
        """
        self.refused(EHOSTUNREACH)
        self.assertEqual(self.front.told, [Reason.NODE_FAILED])

    def test_time_out(self) -> None:
        """
        A node that does not accept in time is a time-out.
        """
        self.begin(SingleNode(NODE, from_host=True))
        self.dialogue.dial.time_out()
        self.assertEqual(self.front.told, [Reason.NODE_TIMEOUT])
        self.assertIn("2 s", self.front.detail)

    def test_last_counts(self) -> None:
        """
        Where all nodes fail, the last one's reason is given.
        """
        session = self.begin()
        self.dialogue.dial.time_out()
        self.dialogue.dial.refuse()
        self.assert_over(session, Reason.NODE_ABSENT)
        self.assertIn("3032", self.front.detail)

    def test_empty_pool(self) -> None:
        """
        A pool with no node left has nobody.
        """
        pool = SingleNode(NODE, from_host=False)
        self.patch(pool, "pick", lambda now, tried: None)
        self.assert_over(self.begin(pool), Reason.NODE_ABSENT)

    def test_nothing(self) -> None:
        """
        A node that closes without a byte has failed, cleanly or not.
        """
        for end in (FakeStream.lose, FakeStream.break_off):
            session = self.begin()
            end(self.dialogue.dial.accept())
            self.assert_over(session, "ready", Reason.NODE_FAILED)

    def test_no_answer(self) -> None:
        """
        A node that sends nonsense is left at once.
        """
        session, node = self.answering()
        session.fail_node("nonsense")
        self.dialogue.clock.advance(0)
        self.assert_over(session, "ready", b"an", Reason.NODE_FAILED)
        self.assertEqual(self.front.detail, "127.0.0.1:3031: nonsense")
        self.assertTrue(node.aborted)


class TimeOutTests(SessionCase):
    def test_connecting(self) -> None:
        """
        Nothing accepts for too long: the dialing ends too.
        """
        session = self.begin()
        session.timed_out()
        self.assert_over(session, Reason.NODE_TIMEOUT)
        self.assertTrue(self.dialogue.dial.cancelled)
        self.assertEqual(len(self.dialogue.dialer.dials), 1)
        self.assertIn("did not accept", self.front.detail)

    def test_waiting(self) -> None:
        """
        No answer for too long.
        """
        session = self.begin()
        node = self.dialogue.dial.accept()
        session.timed_out()
        self.assert_over(session, "ready", Reason.NODE_TIMEOUT)
        self.assertTrue(node.aborted)
        self.assertIn("did not answer", self.front.detail)

    def test_receiving(self) -> None:
        """
        While the client owes its body it is the client's time-out.
        """
        session = self.begin()
        self.dialogue.dial.accept()
        self.front.receiving = True
        session.timed_out()
        self.assert_over(session, "ready", Reason.REQUEST_TIMEOUT)

    def test_answering(self) -> None:
        """
        An answer that stops in its middle is cut.
        """
        session, node = self.answering()
        session.timed_out()
        self.assert_over(session, "ready", b"an", "cut")
        self.assertTrue(node.aborted)

    def test_finished(self) -> None:
        """
        After the answer the node gets a while to take the rest and to close.
        """
        session, node = self.answering()
        node.fill()
        session.finish()
        self.assertIs(session.phase, Phase.OVER)
        self.dialogue.wait(int(CLOSING))
        self.assertFalse(node.aborted)
        self.dialogue.wait(2)
        self.assertTrue(node.aborted)
        self.assert_over(session, "ready", b"an")
        self.assertEqual(self.dialogue.router.deadlines._watched, set())


class AbandonTests(SessionCase):
    def test_connecting(self) -> None:
        """
        A client that leaves ends the dialing, and no other node is asked.
        """
        session = self.begin()
        session.abandon()
        self.assertTrue(self.dialogue.dial.cancelled)
        self.assertEqual(len(self.dialogue.dialer.dials), 1)
        self.assert_over(session)

    def test_waiting(self) -> None:
        """
        A client that leaves before the answer ends the node's request.
        """
        session = self.begin()
        node = self.dialogue.dial.accept()
        session.abandon()
        self.assertTrue(node.aborted)
        self.assert_over(session, "ready")

    def test_answering(self) -> None:
        """
        A client that leaves within the answer ends the node's request.
        """
        session, node = self.answering()
        session.abandon()
        session.abandon()
        self.dialogue.clock.advance(0)
        self.assertTrue(node.aborted)
        self.assert_over(session, "ready", b"an")

    def test_late_bytes(self) -> None:
        """
        Nobody hears of bytes that come after the end.
        """
        session, _ = self.answering()
        session.abandon()
        session.dataReceived(b"late")
        self.assert_over(session, "ready", b"an")
