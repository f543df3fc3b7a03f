"""
Requests for vassals that sleep.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.announcing.sending import Sender
from emperor.config.settings import RouterSettings
from emperor.proxy import waking
from emperor.proxy.refusals import Reason, Refused
from emperor.proxy.waking import Waker
from emperor.routing.mappers import Asked
from emperor.routing.pools import Pool
from emperor.routing.roster import RegistrySettings
from emperor.routing.subscribed import SubscribedPool
from emperor.routing.subscriptions import Registry
from emperor.testing.proxy import FakeVassals
from emperor.wire.commands import spawn
from tests.announcing.fakes import FakeReactor
from tests.routing.nodes import announcement

EMPEROR = "/run/emperor"


class WakerCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.start()

    def start(self, **changes: Any) -> None:
        settings: dict[str, Any] = {"emperor_socket": EMPEROR, **changes}
        self.reactor = FakeReactor()
        self.vassals = FakeVassals()
        self.registry = Registry(RegistrySettings(checked=True), lambda: 0)
        self.waker = Waker(
            self.reactor,
            RouterSettings(kind="fastrouter", listen=(), **settings),
            self.registry,
            Sender(self.reactor),
            self.vassals,
        )
        self.waker.startService()

    def say(self, vassal: str = "v", address: str = "", key: str = "a", **values: Any) -> None:
        said = announcement(address, key, vassal=vassal, **values)
        self.registry.announce(said, self.reactor.seconds())

    def pool(self, key: str = "a") -> SubscribedPool:
        pool = self.registry.lookup(key)
        assert pool is not None
        return pool

    def ask(self, key: str = "a") -> Pool | Deferred[Pool | None]:
        return self.waker.pool(self.pool(key), Asked(key, key, b""))

    def wait_for(self, key: str = "a") -> Deferred[Pool | None]:
        """
        A request that waits.
        """
        waiting = self.ask(key)
        assert isinstance(waiting, Deferred)
        return waiting

    def woken(self) -> list[bytes]:
        """
        What the Emperor was asked since the last time.
        """
        sent, self.reactor.sent = self.reactor.sent, []
        self.assertEqual({address for address, _ in sent} - {EMPEROR}, set())
        return [datagram for _, datagram in sent]

    def refusal(self, waiting: Deferred[Pool | None]) -> str:
        refused = self.failureResultOf(waiting, Refused).value
        assert isinstance(refused, Refused)
        self.assertIs(refused.refusal.reason, Reason.NODE_ABSENT)
        self.assertEqual(refused.refusal.code, 503)
        return refused.refusal.detail


class WakingTests(WakerCase):
    def test_awake(self) -> None:
        """
        A pool with a node that can serve is there at once, whoever sleeps in it.
        """
        self.say("v")
        self.say("w", "/w")
        self.assertIs(self.ask(), self.pool())
        self.assertEqual(self.woken(), [])

    def test_wakes(self) -> None:
        """
        The Emperor is asked, and the request goes on when the vassal is there.
        """
        self.say()
        waiting = self.wait_for()
        self.assertEqual(self.woken(), [spawn("v")])
        self.reactor.advance(3.5)
        self.assertNoResult(waiting)
        self.say("v", "/v")
        self.assertIs(self.successResultOf(waiting), self.pool())

    def test_late(self) -> None:
        """
        When it does not come in time the client is told what happens.
        """
        self.say()
        waiting = self.wait_for()
        self.reactor.pump([1] * 5)
        self.assertEqual(self.refusal(waiting), "vassal v is being woken")

    def test_patience(self) -> None:
        """
        No request waits for longer than the router's time-out.
        """
        for changes, seconds in (
            ({"defer_connect_timeout": 2}, 2),
            ({"defer_connect_timeout": 9, "timeout": 3}, 3),
        ):
            self.start(**changes)
            self.say()
            waiting = self.wait_for()
            self.reactor.advance(seconds - 0.1)
            self.assertNoResult(waiting)
            self.reactor.advance(0.1)
            self.refusal(waiting)

    def test_once_a_second(self) -> None:
        """
        However many wait, a vassal is asked for once a second; nobody is asked for
        when nobody waits.
        """
        self.say()
        waiting = [self.wait_for() for _ in range(10)]
        self.assertEqual(len(self.woken()), 1)
        self.reactor.pump([0.25] * 12)
        self.assertEqual(len(self.woken()), 3)
        self.say("v", "/v")
        for each in waiting:
            self.successResultOf(each)
        self.reactor.pump([1] * 5)
        self.assertEqual(self.woken(), [])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_in_turn(self) -> None:
        """
        Of several vassals the foremost is asked for, then the others in turn.
        """
        self.say("backup", backup=1)
        self.say("v")
        self.wait_for().addErrback(lambda _: None)
        self.reactor.pump([1] * 2)
        self.assertEqual(self.woken(), [spawn("v"), spawn("backup"), spawn("v")])

    def test_other_pools(self) -> None:
        """
        A request waits for its own pool.
        """
        self.say("v")
        self.say("w", key="b")
        first, second = self.wait_for("a"), self.wait_for("b")
        self.assertEqual(self.woken(), [spawn("v"), spawn("w")])
        self.say("w", "/w", key="b")
        self.assertNoResult(first)
        self.assertIs(self.successResultOf(second), self.pool("b"))
        first.addErrback(lambda _: None)

    def test_forgotten(self) -> None:
        """
        If the vassal was forgotten meanwhile, and comes after all, nothing is
        lost; nor if it sleeps again in a new pool.
        """
        self.say()
        waiting = self.wait_for()
        self.registry.expire(self.reactor.seconds() + 100)
        self.assertTrue(self.registry.is_empty)
        self.reactor.advance(1)
        self.say("w")
        self.woken()
        other = self.wait_for()
        self.assertEqual(self.woken(), [spawn("w")])
        self.say("v", "/v")
        for each in (waiting, other):
            self.assertIs(self.successResultOf(each), self.pool())

    def test_unwell(self) -> None:
        """
        Where no node is well a vassal is woken; the request goes on when a node
        is well again, or tries what there is at the end.
        """
        self.say("w", "/w")
        self.say("v")
        (node,) = self.pool().members.values()
        self.pool().failed(node, self.reactor.seconds())
        first = self.wait_for()
        self.assertEqual(self.woken(), [spawn("v")])
        self.pool().check_passed(node)
        self.reactor.advance(1)
        self.assertIs(self.successResultOf(first), self.pool())
        self.pool().failed(node, self.reactor.seconds())
        second = self.wait_for()
        self.reactor.pump([1] * 5)
        self.assertIs(self.successResultOf(second), self.pool())

    def test_client_gone(self) -> None:
        """
        When the last client that waits has gone nothing is left.
        """
        self.say()
        first, second = self.wait_for(), self.wait_for()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertNoResult(second)
        second.cancel()
        self.failureResultOf(second, CancelledError)
        self.woken()
        self.reactor.pump([1] * 5)
        self.assertEqual(self.woken(), [])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stops(self) -> None:
        """
        At the end nobody waits, and the socket is given back.
        """
        self.say()
        waiting = self.wait_for()
        self.successResultOf(Deferred.fromCoroutine(self.waker.stopService()))
        self.failureResultOf(waiting, CancelledError)
        self.assertEqual((self.reactor.ports, self.reactor.getDelayedCalls()), ([], []))


class OwnVassalTests(WakerCase):
    """
    Vassals of this program need no datagram.
    """

    def setUp(self) -> None:
        self.start(emperor_socket="")
        self.vassals.asleep.add("v")
        self.vassals.known["v"] = "vassal v sleeps"
        self.say()

    def test_wakes(self) -> None:
        """
        The Emperor is told, and reminded, and the request waits.
        """
        waiting = self.wait_for()
        self.assertEqual(self.vassals.roused, ["v"])
        self.reactor.pump([1] * 2)
        self.assertEqual(self.vassals.roused, ["v"] * 3)
        self.say("v", "/v")
        self.assertIs(self.successResultOf(waiting), self.pool())
        self.assertEqual(self.woken(), [])

    def test_late(self) -> None:
        """
        The client is told how the vassal is by then.
        """
        waiting = self.wait_for()
        self.vassals.known["v"] = "vassal v died and is held back for 2 s"
        self.reactor.pump([1] * 5)
        self.assertEqual(self.refusal(waiting), "vassal v died and is held back for 2 s")

    def test_stopped(self) -> None:
        """
        Nobody waits where all have been stopped.
        """
        self.vassals.stopped.add("v")
        self.vassals.known["v"] = "vassal v was stopped by a command"
        refused = self.assertRaises(Refused, self.ask)
        self.assertEqual(refused.refusal.detail, "vassal v was stopped by a command")
        self.say("w")
        self.wait_for().addErrback(lambda _: None)

    def test_accepts_already(self) -> None:
        """
        One that accepts, and has not said where, will.
        """
        self.vassals.asleep.clear()
        self.vassals.known["v"] = ""
        waiting = self.wait_for()
        self.say("v", "/v")
        self.assertIs(self.successResultOf(waiting), self.pool())

    def test_no_datagram(self) -> None:
        """
        Where there is another Emperor to ask, it is asked only for vassals that are
        not ours.
        """
        self.start()
        self.vassals.asleep.add("v")
        self.say("v")
        self.say("w", key="b")
        for key in ("a", "b"):
            self.wait_for(key).addErrback(lambda _: None)
        self.assertEqual(self.woken(), [spawn("w")])


class TroubleTests(WakerCase):
    def test_nobody_to_ask(self) -> None:
        """
        Without an Emperor to ask the client is told at once which option is
        missing.
        """
        self.start(emperor_socket="")
        self.say("v\n")
        refused = self.assertRaises(Refused, self.ask)
        self.assertEqual(
            refused.refusal.detail,
            "vassal v\\n sleeps, and fastrouter-emperor-socket does not say who can wake it",
        )
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_not_sent(self) -> None:
        """
        An Emperor that cannot be asked is logged once, and the client is told; when
        it can be asked again, that is forgotten.
        """
        self.reactor.broken.add(EMPEROR)
        self.say()
        with capturedLogs() as logs:
            waiting = self.wait_for()
            self.reactor.pump([1] * 5)
        self.assertIn("cannot be woken: /run/emperor: No such file", self.refusal(waiting))
        self.assertEqual(len(logs), 1)
        self.assertIn("Vassals cannot be woken: /run/emperor", formatEvent(logs[0]) or "")
        self.reactor.broken.clear()
        waiting = self.wait_for()
        self.reactor.pump([1] * 5)
        self.assertIn("is being woken", self.refusal(waiting))

    def test_limits(self) -> None:
        """
        Only so many requests wait, for one pool and for all.
        """
        self.patch(waking, "POOL_WAITING_LIMIT", 2)
        self.patch(waking, "WAITING_LIMIT", 3)
        self.say("v")
        self.say("w", key="b")
        waiting = [self.wait_for("a"), self.wait_for("a")]
        self.assertRaises(Refused, self.ask, "a")
        waiting.append(self.wait_for("b"))
        self.assertRaises(Refused, self.ask, "b")
        gone = waiting.pop(0)
        gone.cancel()
        self.failureResultOf(gone, CancelledError)
        waiting.append(self.wait_for("a"))
        for each in waiting:
            each.addErrback(lambda _: None)

    def test_mistake(self) -> None:
        """
        A mistake of ours is logged as one.
        """
        sender = Sender(self.reactor)
        self.patch(sender, "send", self._break)
        waker = Waker(
            self.reactor,
            RouterSettings(kind="http", listen=(), emperor_socket=EMPEROR),
            self.registry,
            sender,
            self.vassals,
        )
        self.say()
        waiting = waker.pool(self.pool(), Asked("a", "a", b""))
        assert isinstance(waiting, Deferred)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        waiting.addErrback(lambda _: None)

    async def _break(self, *_: object) -> None:
        raise ZeroDivisionError
