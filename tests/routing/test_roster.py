"""
Which pools there are, and which of them a request finds.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.balancing import UnknownAlgorithm
from emperor.routing.health import Quarantine
from emperor.routing.lookups import BadKey, pool_key
from emperor.routing.roster import RegistrySettings, Roster
from tests.routing.nodes import member


def roster(*keys: str, **settings: Any) -> Roster:
    """
    A roster with a pool of one node for each key.
    """
    made = Roster(RegistrySettings(**settings), Quarantine(lambda: 0))
    for key in keys:
        pool = made.pool(pool_key(key, settings.get("raw_keys", False)))
        pool.members[member().address] = member()
        made.resized(pool, 1)
    return made


def found(roster: Roster, host: str, path: bytes = b"") -> str | None:
    pool = roster.lookup(host, path)
    return None if pool is None else pool.key


SEGMENTS = st.lists(st.sampled_from("xy"), max_size=3)
NAMES = st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map(".".join)
PORTS = st.sampled_from(["", ":80"])


@st.composite
def keys(draw: st.DrawFn) -> str:
    dot = draw(st.sampled_from(["", "."]))
    return "/".join([dot + draw(NAMES) + draw(PORTS), *draw(SEGMENTS)])


def rank(key: str, host: str, segments: list[str], depth: int) -> tuple[int, int, int] | None:
    """
    How well a key fits a request, the less the better; None: not at all.
    """
    name, *parts = key.split("/")
    if len(parts) > depth or segments[: len(parts)] != parts:
        return None
    for spelling, text in enumerate((host, host.partition(":")[0])):
        if name == text:
            return 0, spelling, -len(parts)
        if name.startswith(".") and text.endswith(name):
            return text.count(".") - name.count(".") + 1, spelling, -len(parts)
    return None


class LookupTests(SynchronousTestCase):
    def test_spellings(self) -> None:
        """
        Every spelling of a host leads to its pool; a pool with the port is
        meant before one without.
        """
        table = roster("Foo.com", "foo.com:81")
        for host in ("foo.com", "FOO.com.", "foo.com:80", "Foo.Com.:80", "foo.com:"):
            self.assertEqual(found(table, host), "foo.com", host)
        self.assertEqual(found(table, "Foo.com:81"), "foo.com:81")
        for host in ("www.foo.com", "foo.co", "", "a" * 300, ".", "foo.com/x"):
            self.assertIsNone(found(table, host), host)

    def test_raw(self) -> None:
        """
        Raw keys are what they are.
        """
        table = roster("Foo.com", raw_keys=True)
        self.assertEqual(found(table, "Foo.com"), "Foo.com")
        for host in ("foo.com", "Foo.com:80", "Foo.com."):
            self.assertIsNone(found(table, host), host)

    def test_other_keys(self) -> None:
        """
        A key need not be a host.
        """
        table = roster("my app/v1", "\xff")
        self.assertEqual(found(table, "my app/v1"), "my app/v1")
        self.assertEqual(found(table, "\xff"), "\xff")

    def test_mountpoints(self) -> None:
        """
        The longest key that ends with a segment of the path wins.
        """
        table = roster("a", "a/x", "a/x/y", mountpoints=2)
        for path, expected in (
            (b"/", "a"),
            (b"/xx", "a"),
            (b"/x", "a/x"),
            (b"/x/", "a/x"),
            (b"/x/yy", "a/x"),
            (b"/x/y/z", "a/x/y"),
            (b"/y", "a"),
            (b"/X", "a"),
        ):
            self.assertEqual(found(table, "a", path), expected, path)

    def test_no_mountpoints(self) -> None:
        """
        Without mountpoints the path means nothing.
        """
        self.assertEqual(found(roster("a", "a/x"), "a", b"/x"), "a")

    def test_dotsplit(self) -> None:
        """
        A key with a dot before it stands for what is below it, not for itself.
        """
        table = roster(".b.c", ".c", dotsplit=True)
        for host, expected in (
            ("a.b.c", ".b.c"),
            ("x.a.b.c:80", ".b.c"),
            ("b.c", ".c"),
            ("c", None),
        ):
            self.assertEqual(found(table, host), expected, host)
        self.assertIsNone(found(roster(".b.c"), "a.b.c"))

    def test_fallback(self) -> None:
        """
        The fallback key is for requests that find nothing.
        """
        table = roster("a", "Other", fallback_key="OTHER", dotsplit=True)
        self.assertEqual(found(table, "a"), "a")
        self.assertEqual(found(table, "b.c"), "other")
        self.assertIsNone(found(roster("a", fallback_key="other"), "b"))

    @given(
        st.lists(keys(), max_size=12),
        st.tuples(NAMES, PORTS).map("".join),
        SEGMENTS,
        st.fixed_dictionaries({"mountpoints": st.integers(0, 3), "dotsplit": st.booleans()}),
    )
    def test_brute_force(
        self, stored: list[str], host: str, segments: list[str], options: dict[str, int]
    ) -> None:
        """
        What is found is the best of all keys that fit.
        """
        depth, dotsplit = options["mountpoints"], options["dotsplit"]
        ranked = [
            (fit, key)
            for key in stored
            if (fit := rank(key, host, segments, depth)) is not None and (dotsplit or not fit[0])
        ]
        expected = min(ranked)[1] if ranked else None
        table = roster(*stored, **options)
        path = ("/" + "/".join(segments)).encode()
        self.assertEqual(found(table, host.upper(), path), expected)

    def test_hits(self) -> None:
        """
        A pool counts how often it was found.
        """
        table = roster("a")
        for host in ("a", "A", "a:80", "b"):
            table.lookup(host, b"")
        self.assertEqual(table.pools["a"].hits, 3)


class SettingTests(SynchronousTestCase):
    def test_wrong(self) -> None:
        """
        Settings that cannot work are refused at once.
        """
        self.assertRaises(UnknownAlgorithm, roster, algorithm="fastest")
        self.assertRaises(BadKey, roster, fallback_key="a" * 256)

    def test_algorithm(self) -> None:
        """
        A pool begins with the algorithm of the settings; its nodes may ask for
        another; the last one that does decides.
        """
        table = roster("a", algorithm="lrc")
        pool = table.pools["a"]
        self.assertEqual(pool.algorithm.name, "lrc")
        for asked, expected in (("iphash", "iphash"), ("", "iphash"), ("wrr", "wrr")):
            self.assertEqual(table.balance(pool, asked), "")
            self.assertEqual(pool.algorithm.name, expected)

    def test_unknown(self) -> None:
        """
        One that asks for what there is not gets that of the settings, and one
        remark.
        """
        table = roster("a", algorithm="lrc")
        pool = table.pools["a"]
        table.balance(pool, "wrr")
        self.assertIn("'fastest'", table.balance(pool, "fastest"))
        self.assertEqual(table.balance(pool, "fastest"), "")
        self.assertEqual(pool.algorithm.name, "lrc")


class SizeTests(SynchronousTestCase):
    def test_limits(self) -> None:
        """
        Each limit has its sentence.
        """
        for settings, key, expected in (
            ({}, "a", ""),
            ({}, "c", ""),
            ({"pools_limit": 2}, "a", ""),
            ({"pools_limit": 2}, "c", "there are 2 pools"),
            ({"nodes_limit": 2}, "a", "have 2 nodes"),
            ({"pool_nodes_limit": 1}, "a", "the pool has 1 nodes"),
            ({"pool_nodes_limit": 1}, "c", ""),
        ):
            table = roster("a", "b", **settings)
            full = table.full(table.pool(key))
            self.assertTrue(expected in full if expected else not full, full)

    def test_watch(self) -> None:
        """
        Watchers hear of the first pool and of the end of the last one.
        """
        heard: list[tuple[bool, int]] = []
        table = roster()
        table.watch(lambda empty: heard.append((empty, len(table.pools))))
        first, second = table.pool("a"), table.pool("b")
        for pool in (first, second):
            pool.members[member().address] = member()
            table.resized(pool, 1)
        for pool in (first, second):
            pool.members.clear()
            table.resized(pool, -1)
        self.assertEqual(heard, [(False, 1), (True, 0)])
