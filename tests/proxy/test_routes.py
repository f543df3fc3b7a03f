"""
The way from a host to a pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import Mapper, SubscriptionSettings
from emperor.proxy.refusals import Reason, Refused
from emperor.proxy.routes import OtherMapper, Routes
from emperor.routing.mappers import KNOWN_HOSTS, Asked
from emperor.routing.mapping import MapperBroken, MapperUnavailable
from emperor.routing.pools import Pool, SingleNode
from tests.proxy.dialogue import FASTROUTER, NODE, OTHER


class RoutesCase(SynchronousTestCase):
    def routes(self, others: Mapping[Mapper, OtherMapper] | None = None, **changes: Any) -> Routes:
        return Routes(replace(FASTROUTER, **changes), others or {})

    def found(self, routes: Routes, host: bytes, path: bytes = b"") -> str:
        """
        The address of a host's first node.
        """
        pool = routes.pool_for(host, path)
        assert not isinstance(pool, Deferred)
        node = pool.pick(0, ())
        assert node is not None
        return str(node.address)

    def reason(self, routes: Routes, host: bytes) -> Reason:
        refused: Refused = self.assertRaises(Refused, routes.pool_for, host)
        return refused.refusal.reason


class PoolTests(RoutesCase):
    def test_found(self) -> None:
        """
        A host that the configuration knows has a pool.
        """
        self.assertEqual(self.found(self.routes(), b"A:80"), str(NODE.address))

    def test_unknown(self) -> None:
        """
        A host that nobody knows is refused, and named as it was sent.
        """
        refused = self.assertRaises(Refused, self.routes(to=()).pool_for, b"A:80")
        self.assertEqual(refused.refusal.reason, Reason.UNKNOWN_HOST)
        self.assertEqual(refused.refusal.host, "A:80")
        self.assertIn("the host a", refused.refusal.detail)

    def test_whose_vassal_is_down(self) -> None:
        """
        Of a host that nobody knows, and that a vassal names, the refusal says why
        that one does not answer; where nobody can subscribe no vassal is asked.
        """
        asked: list[list[str]] = []

        def absence(keys: Iterable[str]) -> str | None:
            asked.append(list(keys))
            return "vassal a.ini is starting" if "b.org" in asked[-1] else None

        subscriptions = SubscriptionSettings(dotsplit=True, mountpoints=1)
        settings = replace(FASTROUTER, to=(), subscriptions=subscriptions)
        routes = Routes(settings, {Mapper.SUBSCRIPTION: lambda asked: None}, absence)
        refused = self.assertRaises(Refused, routes.pool_for, b"B.org:80", b"/p/q")
        self.assertEqual(
            (Reason.NODE_ABSENT, "vassal a.ini is starting", "B.org:80"),
            (refused.refusal.reason, refused.refusal.detail, refused.refusal.host),
        )
        expected = ["b.org:80/p", "b.org:80", "b.org/p", "b.org", ".org:80/p", ".org:80"]
        self.assertEqual([*expected, ".org/p", ".org"], asked.pop())
        self.assertEqual(Reason.UNKNOWN_HOST, self.reason(routes, b"c.org"))
        asked.clear()
        routes = Routes(settings, {}, absence)
        self.assertEqual(Reason.UNKNOWN_HOST, self.reason(routes, b"b.org"))
        self.assertEqual([], asked)

    def test_bad(self) -> None:
        """
        A host that is none, or that is unsafe, is refused.
        """
        routes = self.routes(base="/run")
        for host in (b"", b"\xff", b"a/b", b"a..b", b"[::1]"):
            self.assertEqual(self.reason(routes, host), Reason.BAD_HOST)

    def test_raw(self) -> None:
        """
        raw-host-key keeps the host as it was sent.
        """
        for raw, path in ((True, "/run/A"), (False, "/run/a")):
            routes = self.routes(base="/run", raw_host_key=raw)
            self.assertEqual(self.found(routes, b"A"), path)


class OrderTests(RoutesCase):
    def test_others(self) -> None:
        """
        Mappers from outside stand in their place, and are asked each time.
        """
        asked: list[Asked] = []

        def other(what: Asked) -> Pool | None:
            asked.append(what)
            return SingleNode(OTHER, from_host=False) if what.key == "a" else None

        routes = self.routes({Mapper.SUBSCRIPTION: other})
        for _ in range(2):
            self.assertEqual(self.found(routes, b"A:1", b"/p"), str(OTHER.address))
        self.assertEqual(asked, [Asked("a", "A:1", b"/p")] * 2)
        self.assertEqual(self.found(routes, b"b"), str(NODE.address))

    def test_static_before(self) -> None:
        """
        What stands before the others is not asked twice, and the others not at
        all.
        """
        order = (Mapper.TO, *(mapper for mapper in Mapper if mapper is not Mapper.TO))
        routes = self.routes({Mapper.CACHE: lambda asked: self.fail("asked")}, mapper_order=order)
        self.assertEqual(self.found(routes, b"a"), str(NODE.address))
        self.assertIs(routes.pool_for(b"a"), routes.pool_for(b"a"))

    def test_many_hosts(self) -> None:
        """
        However many hosts clients invent, few are kept.
        """
        routes = self.routes()
        for number in range(KNOWN_HOSTS + 10):
            routes.pool_for(b"h%d" % number)
        self.assertLessEqual(len(routes._kept), KNOWN_HOSTS)

    def test_forced(self) -> None:
        """
        A forced key takes the place of every host.
        """
        routes = self.routes(base="/run", force_key="x")
        self.assertEqual(self.found(routes, b"a"), "/run/x")
        self.assertEqual(self.found(routes, b""), "/run/x")

    def test_fallback(self) -> None:
        """
        Unknown hosts go to the fallback if that is wanted.
        """
        routes = self.routes(to=(), fallback=(OTHER,), fallback_on_no_key=True)
        self.assertEqual(self.found(routes, b"a"), str(OTHER.address))
        self.assertEqual(
            self.reason(self.routes(to=(), fallback=(OTHER,)), b"a"), Reason.UNKNOWN_HOST
        )

    def test_path(self) -> None:
        """
        The path matters where somebody may subscribe with one.
        """
        with_mounts = SubscriptionSettings(mountpoints=2)
        others: dict[Mapper, OtherMapper] = {Mapper.SUBSCRIPTION: lambda asked: None}
        self.assertTrue(self.routes(others, subscriptions=with_mounts).wants_path)
        self.assertFalse(self.routes(others).wants_path)
        self.assertFalse(self.routes(subscriptions=with_mounts).wants_path)


class WaitingTests(RoutesCase):
    def ask(self, **changes: Any) -> tuple[Deferred[Pool | None], Deferred[Pool]]:
        """
        What the mapper has given, and what the request waits for.
        """
        asking: Deferred[Pool | None] = Deferred()
        waiting = self.routes({Mapper.CACHE: lambda asked: asking}, **changes).pool_for(b"a")
        assert isinstance(waiting, Deferred)
        return asking, waiting

    def test_known(self) -> None:
        """
        A mapper may take its time.
        """
        asking, waiting = self.ask()
        pool = SingleNode(OTHER, from_host=False)
        asking.callback(pool)
        self.assertIs(self.successResultOf(waiting), pool)

    def test_unknown(self) -> None:
        """
        When it does not know the host the next one is asked; at the end the
        host is refused.
        """
        asking, waiting = self.ask()
        asking.callback(None)
        node = self.successResultOf(waiting).pick(0, ())
        self.assertEqual(node, NODE)
        asking, waiting = self.ask(to=())
        asking.callback(None)
        refused = self.failureResultOf(waiting, Refused).value
        assert isinstance(refused, Refused)
        self.assertIs(refused.refusal.reason, Reason.UNKNOWN_HOST)

    def test_trouble(self) -> None:
        """
        A mapper in trouble refuses the request, with its reason.
        """
        for error, reason in (
            (MapperUnavailable("away"), Reason.MAPPER_UNAVAILABLE),
            (MapperBroken("nonsense"), Reason.MAPPER_BROKEN),
        ):
            asking, waiting = self.ask()
            asking.errback(error)
            refused = self.failureResultOf(waiting, Refused).value
            assert isinstance(refused, Refused)
            self.assertIs(refused.refusal.reason, reason)
            self.assertEqual(refused.refusal.detail, str(error))

            def broken(asked: Asked, error: Exception = error) -> Pool | None:
                raise error

            self.assertIs(self.reason(self.routes({Mapper.CACHE: broken}), b"a"), reason)

    def test_mistake(self) -> None:
        """
        A mistake in a mapper is not taken for a refusal.
        """
        asking, waiting = self.ask()
        asking.errback(ZeroDivisionError())
        self.failureResultOf(waiting, ZeroDivisionError)
