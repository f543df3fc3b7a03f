"""
One request's life, from its pool to the end of its answer.

A session is the protocol on the connection to the node.  In front of it stands
the client's connection (L{emperor.proxy.frontend.Frontend}), which it tells
what happens.  Its phases are the table L{emperor.proxy.phases.PHASES}; bytes pass
through without touching it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol as TypingProtocol

from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from emperor.interfaces import IStream
from emperor.proxy.backends import explain, is_absent, is_exhausted
from emperor.proxy.phases import PHASES, Event, Phase
from emperor.proxy.refusals import Reason, Refusal
from emperor.proxy.relay import ReadSide
from emperor.proxy.router import Router
from emperor.routing.pools import Pool, Seeker, Target
from emperor.wire.uwsgi import build_packet

#: The methods of RFC 9110 section 9.2.2 that may reach a second node when the
#: first one has gone without an answer.
IDEMPOTENT = frozenset([b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"])

#: Neither modifier takes the place of the node's.
_NODES_OWN = (0, 0)

#: Nodes that one request is offered to, before the fallback.
MOST_NODES = 64

#: Seconds within which a request that a node left without an answer may be sent to
#: the same node again, where there is no other one: what took longer is perhaps
#: what it was ended for.
SAME_NODE = 10.0

#: Seconds that a node has to close its connection after its answer.
CLOSING = 5.0


class Front(Seeker, TypingProtocol):
    """
    What a session tells the client's side.
    """

    def node_ready(self, session: Session) -> None:
        """
        The node accepted and has the variables: send the body.
        """

    def answer(self, data: bytes) -> None:
        """
        The node's next bytes.
        """

    def answer_ended(self, clean: bool) -> None:
        """
        The node closed.

        @param clean: without an error.
        """

    def refuse(self, refusal: Refusal) -> None:
        """
        There will be no answer from a node.
        """

    def expect_within(self, seconds: float) -> None:
        """
        Something must happen within so many seconds.
        """

    def is_receiving(self) -> bool:
        """
        Whether the client still has to send a part of its request.
        """

    def may_repeat(self) -> bool:
        """
        Whether the request does no harm if a second node gets it when the first
        one has gone without an answer: its method is idempotent (RFC 9110
        section 9.2.2), and it has no body, which would be with the first node.
        """

    def cut(self) -> None:
        """
        The answer stopped in its middle: the client must notice.
        """


class Session(Protocol):
    """
    One request on its way to a node and back.

    @ivar deadline: for the closing; 0 before, when the client's side has it.
    """

    transport: IStream

    def __init__(self, router: Router, front: Front, pool: Pool, host: bytes) -> None:
        self._host = host
        self.phase = Phase.ROUTED
        self.deadline = 0.0
        self._router = router
        self._front = front
        self._pool = pool
        self._node: Target
        self._tried: list[Target] = []
        self._lost: Target | None = None
        self._counted = self._repeated = False
        self._sent_at = 0.0
        self._spent = self._sent = self._received = 0
        self._payload = b""
        self._modifiers = _NODES_OWN
        self._give_up: Callable[[], None] | None = None
        # A node that sleeps, and when the request began to wait for one.
        self._sleeper: Target | None = None
        self._waiting_since: float | None = None

    @property
    def is_over(self) -> bool:
        """
        Whether nothing happens any more.
        """
        return self.phase is Phase.OVER

    def start(self, payload: bytes, modifiers: tuple[int, int] = _NODES_OWN) -> None:
        """
        Ask the first node.

        @param payload: the request's variables.
        @param modifiers: those that are not 0 take the place of the node's.
        """
        self._payload = payload
        self._modifiers = modifiers
        self._dial()

    @property
    def host(self) -> str:
        """
        As the client named it, for what people read.
        """
        return self._host.decode("ascii", "backslashreplace")

    def _dial(self, refusal: Refusal | None = None) -> None:
        node = self._next_node()
        if node is None and self._sleeper is not None:
            self._await(self._sleeper)
            return
        if node is None:
            self._fail(refusal or Refusal(Reason.NODE_ABSENT, "the pool is empty", self.host))
            return
        self._tried.append(node)
        self._ask(node)

    def _ask(self, node: Target) -> None:
        router = self._router
        if router.leaving or node.may_return:
            passed_over = router.passed_over(node, self._payload, self.host)
            if passed_over is not None:
                self._look_for_sleeper(node)
                self._dial(passed_over)
                return
        self.phase = PHASES[Event.DIALED][self.phase]
        self._node = node
        timeout = router.settings.connect_timeout
        self._give_up = router.dialer.dial(
            node.address, self, self._not_connected, timeout, owner=node.owner
        )
        if self.phase is Phase.CONNECTING:
            self._front.expect_within(timeout)

    def _look_for_sleeper(self, node: Target) -> None:
        """
        C{node} may be a vassal that sleeps: if no other node takes the request, it
        waits for that one.
        """
        if self._router.sleepers.rouse(node.address, self._waiting_since):
            self._sleeper = node

    def _await(self, node: Target) -> None:
        """
        Ask a vassal again that was woken, when it accepts or in a while.
        """
        sleepers = self._router.sleepers
        self._sleeper = None
        if self._waiting_since is None:
            self._waiting_since = self._router.clock.seconds()
        self.phase = PHASES[Event.DIALED][self.phase]
        self._node = node
        self._give_up = sleepers.wait(node.address, lambda: self._ask(node))
        self._front.expect_within(sleepers.patience + self._router.settings.connect_timeout)

    def _next_node(self) -> Target | None:
        """
        The pool's next node, and after the last one the first of the fallback;
        of all the attempts there may be, the last one is the fallback's.

        A node that refuses at once costs next to nothing, so it does not count.  One
        that has lost the request comes once more before the fallback: there the
        next worker, or the next vassal, takes it.
        """
        router, tried = self._router, self._tried
        most = router.settings.max_retries
        left = most - self._spent
        fallback = router.routes.fallback
        if left < 0 or (tried and not most):
            return None
        node = None
        if len(tried) < MOST_NODES and (left or fallback is None or not tried):
            node = self._pool.pick(router.deadlines.now, tried, self._front)
        if node is None and self._lost is not None:
            node, self._lost = self._lost, None
        if self._sleeper is not None:  # Who sleeps is well.
            return node
        if node is None and fallback is not None and self._pool is not fallback:
            self._pool = fallback
            node = fallback.pick(router.deadlines.now, tried, self._front)
        return node

    def _not_connected(self, failure: Failure) -> None:
        if is_exhausted(failure):
            detail = f"no connection can be made: {explain(failure)}"
            self._fail(Refusal(Reason.NO_ROOM, detail, self.host))
            return
        self._spent += not is_absent(failure)
        self._pool.failed(self._node, self._router.deadlines.now)
        if is_absent(failure):
            self._look_for_sleeper(self._node)
        self._dial(self._router.not_connected(self._pool, self._node, failure, self.host))

    def connectionMade(self) -> None:
        """
        The node accepted.
        """
        self.phase = PHASES[Event.CONNECTED][self.phase]
        node, front = self._node, self._front
        self._sent_at = self._router.deadlines.now
        if self._pool.counts:
            self._pool.accepted(node)
            self._counted = True
        if self._give_up is not None:  # it took a while
            front.expect_within(self._router.settings.timeout)
        modifier1, modifier2 = self._modifiers
        payload = self._router.marked(self._payload) if node.may_return else self._payload
        packet = build_packet(modifier1 or node.modifier1, payload, modifier2 or node.modifier2)
        self._sent = len(packet)
        self.transport.write(packet)
        front.node_ready(self)

    def send(self, data: bytes) -> None:
        """
        Pass a part of the request's body on.
        """
        self._sent += len(data)
        self.transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        """
        The node answers.
        """
        if self.phase is Phase.WAITING:
            self.phase = PHASES[Event.ANSWERED][self.phase]
        if self.phase is Phase.ANSWERING:
            self._received += len(data)
            self._front.answer(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The node closed: the end of the answer, if there was one.
        """
        if self.deadline:
            self._router.deadlines.forget(self)
        if self.phase is Phase.WAITING:
            self._not_answered()
        elif self.phase is Phase.ANSWERING:
            self._move(Event.FINISHED)
            self._front.answer_ended(reason.check(ConnectionDone) is not None)

    def _not_answered(self) -> None:
        """
        The node has gone without a word: another one may do, or the same one, but
        there is no third time, for it may be the request that ends them (RFC 9110
        section 9.2.2).
        """
        refusal = self._router.not_answered(self._node, self.host)
        if self._repeated or not self._front.may_repeat():
            self._fail(refusal)
            return
        self._repeated = True
        self._spent += 1
        if self._router.deadlines.now - self._sent_at <= SAME_NODE:
            self._lost = self._node
        self._settle()
        self._look_for_sleeper(self._node)
        # There is no connection until the next node accepts.
        self.transport = None  # type: ignore[assignment]
        self._dial(refusal)

    def finish(self) -> None:
        """
        The client has the whole answer: the node gets a while to take what it
        was sent and to close.
        """
        self.phase = PHASES[Event.FINISHED][self.phase]
        self._settle()
        self.transport.loseConnection()
        if self.transport.disconnecting:
            self.deadline = self._router.deadlines.after(CLOSING)
            self._router.deadlines.watch(self)

    def read_side(self) -> ReadSide:
        """
        The reading of the node's connection, for flow control.
        """
        return ReadSide(self.transport)

    def untie(self) -> None:
        """
        The client's connection goes its own way from here.
        """
        if self.transport is not None:
            self.transport.unregisterProducer()

    def fail_node(self, detail: str) -> None:
        """
        The node sends what is no answer.
        """
        detail = f"{self._node.address}: {detail}"
        self.transport.abortConnection()
        self._fail(Refusal(Reason.NODE_FAILED, detail, self.host))

    def abandon(self) -> None:
        """
        The client has gone: the node need not go on.
        """
        if self.phase is Phase.OVER:
            return
        self._move(Event.ABANDONED)
        self._close()

    def timed_out(self) -> None:
        """
        Nothing happened on either side for too long.
        """
        if self.phase is Phase.OVER:
            self.transport.abortConnection()
            return
        phase = self.phase
        self._move(Event.FAILED)
        self._close()
        if phase is Phase.ANSWERING:
            self._front.cut()
        else:
            self._front.refuse(self._timeout(phase))

    def _timeout(self, phase: Phase) -> Refusal:
        settings = self._router.settings
        seconds = settings.connect_timeout if phase is Phase.CONNECTING else settings.timeout
        if phase is Phase.WAITING and self._front.is_receiving():
            detail = f"the client did not send its request's body for {seconds:g} s"
            return Refusal(Reason.REQUEST_TIMEOUT, detail, self.host)
        doing = "accept" if phase is Phase.CONNECTING else "answer"
        detail = f"{self._node.address} did not {doing} for {seconds:g} s"
        return Refusal(Reason.NODE_TIMEOUT, detail, self.host)

    def _fail(self, refusal: Refusal) -> None:
        self._move(Event.FAILED)
        self._front.refuse(refusal)

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.abortConnection()
        elif self._give_up is not None:
            self._give_up()

    def _move(self, event: Event) -> None:
        self.phase = PHASES[event][self.phase]
        if self.phase is Phase.OVER:
            self._settle()

    def _settle(self) -> None:
        """
        Nothing runs on the node any more.
        """
        if self._counted:
            self._counted = False
            self._pool.finished(self._node, self._sent, self._received)
