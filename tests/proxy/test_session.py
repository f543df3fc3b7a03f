"""
One request's life, with a front end that only notes what it is told.
"""

from __future__ import annotations

from collections.abc import Collection
from errno import ECONNREFUSED, EHOSTUNREACH, EMFILE, ENOENT
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import parse_address
from emperor.config.settings import Node
from emperor.proxy.phases import PHASES, Event, Phase
from emperor.proxy.refusals import Reason, Refusal
from emperor.proxy.session import CLOSING, MOST_NODES, SAME_NODE, Session
from emperor.routing.pools import ANYONE, FixedNodes, Pool, Seeker, SingleNode, Target
from emperor.testing.proxy import FakeStream
from tests.proxy.dialogue import FASTROUTER, NODE, OTHER, Dialogue, DialogueCase


class Notes:
    """
    A L{emperor.proxy.session.Front} that writes down what it is told.
    """

    def __init__(self) -> None:
        self.told: list[object] = []
        self.receiving = self.repeats = False

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

    def may_repeat(self) -> bool:
        return self.repeats

    def client_address(self) -> bytes:
        return b"192.0.2.7"

    def header(self, name: bytes) -> bytes:
        return b""

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

    def begin(self, pool: Pool | None = None, *, repeats: bool = False, **changes: Any) -> Session:
        wire = self.start(**changes)
        self.front = Notes()
        self.front.repeats = repeats
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


class OtherNodesTests(SessionCase):
    """
    What happens when a node does not do.
    """

    def ports(self) -> list[str]:
        """
        Who was asked, in order.
        """
        return [str(dial.address) for dial in self.dialogue.dialer.dials]

    def nodes(self, *ports: int) -> tuple[Node, ...]:
        return tuple(Node(parse_address(f"127.0.0.1:{port}")) for port in ports)

    def test_fallback(self) -> None:
        """
        After the pool's last node comes the fallback.
        """
        session = self.begin(SingleNode(NODE, from_host=False), fallback=(OTHER,))
        self.dialogue.dial.refuse()
        self.dialogue.dial.refuse()
        self.assertEqual(self.ports(), [str(NODE.address), str(OTHER.address)])
        self.assert_over(session, Reason.NODE_ABSENT)

    def test_limit(self) -> None:
        """
        Only so many other nodes are tried; the last attempt is the fallback's.
        """
        for fallback, expected in (((), [1, 2, 3]), (self.nodes(9), [1, 2, 9])):
            session = self.begin(
                FixedNodes(self.nodes(1, 2, 3, 4), 30), max_retries=2, fallback=fallback
            )
            for _ in expected:
                self.dialogue.dial.time_out()
            self.assertEqual(self.ports(), [f"127.0.0.1:{port}" for port in expected])
            self.assert_over(session, Reason.NODE_TIMEOUT)

    def test_refusals_are_free(self) -> None:
        """
        However many nodes refuse, one that is left gets the request before the
        fallback; only so many are asked.
        """
        session = self.begin(
            FixedNodes(self.nodes(*range(1, 100)), 30), max_retries=1, fallback=self.nodes(999)
        )
        while session.phase is Phase.CONNECTING:
            self.dialogue.dial.refuse()
        self.assertEqual(self.ports()[MOST_NODES:], ["127.0.0.1:999"])
        self.begin(FixedNodes(self.nodes(*range(1, 9)), 30), max_retries=1)
        for _ in range(7):
            self.dialogue.dial.refuse()
        self.dialogue.dial.accept()
        self.assertEqual(self.front.told, ["ready"])

    def test_no_retries(self) -> None:
        """
        Without retries the first node is the only one.
        """
        self.begin(max_retries=0, fallback=self.nodes(9))
        self.dialogue.dial.refuse()
        self.assertEqual(self.ports(), [str(NODE.address)])

    def test_repeated(self) -> None:
        """
        A request that does no harm twice goes to the next node when the first
        has gone without an answer.
        """
        for end in (FakeStream.lose, FakeStream.break_off):
            session = self.begin(repeats=True)
            end(self.dialogue.dial.accept())
            self.assertEqual(self.dialogue.dial.address, OTHER.address)
            node = self.dialogue.dial.accept()
            self.assertEqual(node.take(), b"\0\x07\0\0payload")
            node.send(b"answer")
            node.lose()
            self.assert_over(session, "ready", "ready", b"answer", "clean")

    def test_not_repeated(self) -> None:
        """
        Any other request fails, and so does one whose answer has begun.
        """
        session = self.begin()
        self.dialogue.dial.accept().lose()
        self.assert_over(session, "ready", Reason.NODE_FAILED)
        session = self.begin(repeats=True)
        node = self.dialogue.dial.accept()
        node.send(b"an")
        node.break_off()
        self.assert_over(session, "ready", b"an", "broken")

    def test_nobody_left(self) -> None:
        """
        When the last node has gone as well, the request is refused.
        """
        session = self.begin(repeats=True)
        self.dialogue.dial.accept().lose()
        self.dialogue.dial.accept().lose()
        self.assert_over(session, "ready", "ready", Reason.NODE_FAILED)

    def test_once(self) -> None:
        """
        What two nodes left without an answer no third one gets: it may be the
        request that ends them.
        """
        session = self.begin(FixedNodes(self.nodes(1, 2, 3), 30), repeats=True)
        for _ in range(2):
            self.dialogue.dial.accept().lose()
        self.assertEqual(len(self.ports()), 2)
        self.assert_over(session, "ready", "ready", Reason.NODE_FAILED)

    def test_same_node(self) -> None:
        """
        Where there is no other node the same one gets the request again, once:
        another worker takes it, or the next vassal.
        """
        session = self.begin(FixedNodes(self.nodes(1), 30), repeats=True, fallback=self.nodes(9))
        for _ in range(2):
            self.dialogue.dial.accept().lose()
        self.assertEqual(self.ports(), ["127.0.0.1:1"] * 2)
        self.assert_over(session, "ready", "ready", Reason.NODE_FAILED)

    def test_same_node_has_gone(self) -> None:
        """
        If it does not accept any more the fallback gets the request.
        """
        self.begin(FixedNodes(self.nodes(1), 30), repeats=True, fallback=self.nodes(9))
        self.dialogue.dial.accept().lose()
        self.dialogue.dial.refuse()
        self.assertEqual(self.ports(), ["127.0.0.1:1"] * 2 + ["127.0.0.1:9"])

    def test_not_the_same_node(self) -> None:
        """
        It does not get a request back that has been there for long: perhaps that
        is what ended it.
        """
        session = self.begin(FixedNodes(self.nodes(1), 30), repeats=True)
        node = self.dialogue.dial.accept()
        self.dialogue.clock.advance(SAME_NODE + 1)
        node.lose()
        self.assert_over(session, "ready", Reason.NODE_FAILED)

    def test_no_descriptor(self) -> None:
        """
        That we have no descriptor left is no node's fault.
        """
        pool = Counting()
        session = self.begin(pool, fallback=self.nodes(9))
        self.dialogue.dial.miss(EMFILE)
        self.assert_over(session, Reason.NO_ROOM)
        self.assertEqual((pool.told, len(self.ports())), ([], 1))

    def test_abandoned_between(self) -> None:
        """
        A client that goes while the second node is asked ends it all.
        """
        session = self.begin(repeats=True)
        self.dialogue.dial.accept().lose()
        session.abandon()
        self.assertTrue(self.dialogue.dial.cancelled)


class Counting:
    """
    A pool that writes down what it is told.
    """

    from_host = False
    counts = True

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.seekers: list[Seeker] = []

    def pick(self, now: float, tried: Collection[Target], seeker: Seeker = ANYONE) -> Node | None:
        self.seekers.append(seeker)
        return next((node for node in (NODE, OTHER) if node not in tried), None)

    def failed(self, node: Target, now: float) -> None:
        self.told.append(("failed", node))

    def accepted(self, node: Target) -> None:
        self.told.append(("accepted", node))

    def finished(self, node: Target, sent: int = 0, received: int = 0) -> None:
        self.told.append(("finished", node, sent, received))


class CountsTests(SessionCase):
    def setUp(self) -> None:
        self.pool = Counting()

    def test_answer(self) -> None:
        """
        The pool hears what a request did to its node, bytes included.
        """
        session = self.begin(self.pool)
        self.dialogue.dial.refuse()
        node = self.dialogue.dial.accept()
        session.send(b"body")
        node.send(b"answer")
        node.lose()
        told = [("failed", NODE), ("accepted", OTHER), ("finished", OTHER, 15, 6)]
        self.assertEqual(self.pool.told, told)
        self.assertEqual(self.pool.seekers, [self.front, self.front])

    def test_every_end(self) -> None:
        """
        However a request ends, its node is free again, once.
        """
        for end in (
            Session.finish,
            Session.abandon,
            Session.timed_out,
            lambda session: session.fail_node("nonsense"),
            lambda session: session.transport.lose(),
        ):
            self.pool.told.clear()
            session = self.begin(self.pool)
            self.dialogue.dial.accept().send(b"x")
            end(session)
            self.dialogue.clock.advance(0)
            self.assertEqual([told[0] for told in self.pool.told], ["accepted", "finished"])

    def test_repeated(self) -> None:
        """
        The first node of a repeated request is free when the second is asked.
        """
        self.begin(self.pool, repeats=True)
        self.dialogue.dial.accept().lose()
        self.assertEqual(
            [told[:2] for told in self.pool.told], [("accepted", NODE), ("finished", NODE)]
        )


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
        self.patch(pool, "pick", lambda now, tried, seeker: None)
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
