"""
From a key to a pool.
"""

from __future__ import annotations

import re
from posixpath import dirname, normpath

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import Address, NamedAddress, UnixAddress, parse_address
from emperor.config.settings import HostRule, Mapper, Node, Origin, RouterSettings
from emperor.routing.keys import BadHost, host_key
from emperor.routing.mappers import UnsafeHost, check_part, fixed_pool, static_mappers
from emperor.routing.pools import FixedNodes, FixedStatistics, Pool

FIXED = Node(parse_address("127.0.0.1:1"))


class RouteTable:
    """
    All mappers of some settings, in uWSGI's order.
    """

    def __init__(self, settings: RouterSettings) -> None:
        fixed = fixed_pool(settings.to, settings.gracetime)
        found = static_mappers(settings, fixed)
        self._mappers = [found[mapper] for mapper in Mapper if mapper in found]

    def lookup(self, key: str) -> Pool | None:
        """
        The pool of the first mapper that knows the key.
        """
        return next(filter(None, (mapper(key) for mapper in self._mappers)), None)


def rule(pattern: str, template: str) -> HostRule:
    return HostRule(re.compile(pattern), template, 3, 4, Origin("test.ini", 1))


def table(
    rules: tuple[HostRule, ...] = (), base: str = "", pattern: str = "", to: tuple[Node, ...] = ()
) -> RouteTable:
    return RouteTable(
        RouterSettings(kind="http", listen=(), rules=rules, base=base, pattern=pattern, to=to)
    )


def address(routes: RouteTable, key: str) -> Address | None:
    """
    The address of the only or first node for a key.
    """
    pool = routes.lookup(key)
    node = pool.pick(0, ()) if pool else None
    return node.address if node else None


class PrecedenceTests(SynchronousTestCase):
    def test_order(self) -> None:
        """
        A rule comes before the pattern, that before the base, that before the
        fixed nodes.
        """
        rules = (rule("^a$", "/rule"),)
        everything = table(rules, "/base", "/pattern/%s", (FIXED,))
        self.assertEqual(address(everything, "a"), UnixAddress(b"/rule"))
        self.assertEqual(address(everything, "b"), UnixAddress(b"/pattern/b"))
        self.assertEqual(address(table(rules, "/base", "", (FIXED,)), "b"), UnixAddress(b"/base/b"))
        self.assertEqual(address(table(rules, "", "", (FIXED,)), "b"), FIXED.address)
        self.assertIsNone(table(rules).lookup("b"))

    def test_fixed_turns(self) -> None:
        """
        All keys share the turns of the fixed nodes.
        """
        other = Node(parse_address("127.0.0.1:2"))
        routes = table(to=(FIXED, other))
        picked = [address(routes, key) for key in ("a", "b", "a")]
        self.assertEqual(picked, [FIXED.address, other.address, FIXED.address])
        self.assertIsInstance(routes.lookup("a"), FixedNodes)

    def test_base(self) -> None:
        """
        The base gets the slash that it may lack; %s in it stands for the key.
        """
        for base in ("/run", "/run/"):
            self.assertEqual(address(table(base=base), "a"), UnixAddress(b"/run/a"))
        self.assertEqual(address(table(base="/run/%s.sock"), "a"), UnixAddress(b"/run/a.sock"))

    def test_abstract(self) -> None:
        """
        A pattern may make abstract names.
        """
        self.assertEqual(address(table(pattern="@%s"), "a"), UnixAddress(b"\0a\0"))

    def test_rule(self) -> None:
        """
        A rule's captures and modifiers make the node.
        """
        pool = table((rule(r"^(.*)\.example$", "/run/$1.sock"),)).lookup("a.example")
        assert pool is not None
        node = pool.pick(0, ())
        self.assertEqual(node, Node(UnixAddress(b"/run/a.sock"), 3, 4))

    def test_single(self) -> None:
        """
        A single fixed node is tried whatever happened; no node makes no pool.
        """
        pool = fixed_pool((FIXED,), 30)
        assert pool is not None
        for _ in range(2):
            pool.pick(0, ())
        pool.failed(FIXED, 7)
        self.assertEqual(pool.pick(8, ()), FIXED)
        self.assertIsNone(pool.pick(8, (FIXED,)))
        self.assertEqual(pool.statistics(), [FixedStatistics(FIXED, 3, 7)])
        self.assertIsNone(fixed_pool((), 30))

    def test_from_host(self) -> None:
        """
        It is known whether the host is a part of the address: then a missing
        socket means that there is no such site.
        """
        pools = {
            table((rule("a", "/run/$0"),)).lookup("a"): True,
            table((rule("a", "/run/a"),)).lookup("a"): False,
            table(base="/run").lookup("a"): True,
            table(to=(FIXED,)).lookup("a"): False,
        }
        for pool, expected in pools.items():
            assert pool is not None
            self.assertEqual(pool.from_host, expected)

    def test_remembered(self) -> None:
        """
        A key is mapped once.
        """
        routes = table(base="/run")
        self.assertIs(routes.lookup("a"), routes.lookup("a"))


class SafetyTests(SynchronousTestCase):
    def test_unsafe(self) -> None:
        """
        A host that would lead elsewhere is refused.
        """
        for text in ("", ".", "..", "a..b", "a/b", "/", "a:80", "[::1]", "a\0"):
            self.assertRaises(UnsafeHost, check_part, text)
            self.assertRaises(UnsafeHost, table(base="/run").lookup, text)
            self.assertRaises(UnsafeHost, table(pattern="/run/%s/x").lookup, text)
        for text in ("a", "a.b", "*", "-", "%2e%2e", ".a", "a."):
            self.assertEqual(check_part(text), text)

    def test_unsafe_capture(self) -> None:
        """
        The same goes for what a rule captures, also if it captures nothing.
        """
        routes = table((rule(r"^(.*)\.example(x)?$", "/run/$1"),))
        for key in (".example", "..example", "a..b.example", "a:b.example"):
            self.assertRaises(UnsafeHost, routes.lookup, key)
        unused = table((rule("^a(x)?$", "/run/$1"),))
        self.assertRaises(UnsafeHost, unused.lookup, "a")
        missing = table((rule("^a$", "/run/$7"),))
        self.assertRaises(UnsafeHost, missing.lookup, "a")

    def test_no_capture(self) -> None:
        """
        A group that took no part puts nothing there, if that leaves a name.
        """
        routes = table((rule(r"^(a)(\.org)?$", "/run/$1$2.sock"),))
        self.assertEqual(address(routes, "a"), UnixAddress(b"/run/a.sock"))
        self.assertEqual(address(routes, "a.org"), UnixAddress(b"/run/a.org.sock"))
        for template, expected in (
            ("/run/site$1", UnixAddress(b"/run/site")),
            ("/run/.$1x", UnixAddress(b"/run/.x")),
            ("@site$1", UnixAddress(b"\0site\0")),
            ("127.0.0.1:80$1", parse_address("127.0.0.1:80")),
        ):
            for pattern in ("^a(x)?$", "^a(x*)$"):
                self.assertEqual(address(table((rule(pattern, template),)), "a"), expected)
        for template in (
            *("/run/$1", "/run/$1.sock", "/run/$1/a", "/run/$1.$1", "/run/.$1", "/run/$1.$1/a"),
            *("/run/.$1./a", "$1", "$1$1", "@$1", ":$1", "$1:80", "127.0.0.1:$1", "127.0.0.$1:80"),
            *("[$1]:80", "[::$1:80", "$1/run"),
        ):
            self.assertRaises(UnsafeHost, table((rule("^a(x)?$", template),)).lookup, "a")

    def test_too_long(self) -> None:
        """
        A host too long for a socket's path is refused.
        """
        self.assertRaises(UnsafeHost, table(base="/run").lookup, "a" * 200)

    def test_no_address(self) -> None:
        """
        A host that does not make an address is refused.
        """
        self.assertRaises(UnsafeHost, table(pattern="%s:80").lookup, "host")

    def test_name(self) -> None:
        """
        A node may have a name, but not one that the client chose.
        """
        named = table((rule("^a$", "app.internal:80"),)).lookup("a")
        assert named is not None
        node = named.pick(0, ())
        assert node is not None
        self.assertEqual(node.address, NamedAddress("app.internal", 80))
        chosen = table((rule("^(.*)$", "$1:80"),))
        self.assertRaises(UnsafeHost, chosen.lookup, "app.internal")
        self.assertEqual(address(chosen, "127.0.0.1"), parse_address("127.0.0.1:80"))

    def test_literal(self) -> None:
        """
        Signs that mean something in a template mean nothing in a host.
        """
        self.assertEqual(address(table(base="/run"), "%s$0"), UnixAddress(b"/run/%s$0"))

    @given(
        st.binary(max_size=20) | st.text(alphabet="a./:%$@\\~s2e0[]-").map(str.encode),
        st.booleans(),
        st.sampled_from(
            [
                table(base="/run/sites"),
                table(pattern="/run/sites/%s"),
                table((rule("^(.*)$", "/run/sites/$1"),)),
                table((rule("^(.*?)[.](.*)$", "/run/sites/$2"),)),
                table((rule("(.)(.?)", "/run/sites/$1$2"),)),
                table((rule("^(.?)(.*?)(e?)$", "/run/sites/$1.$2$3"),)),
                table((rule("^(.?)(.*?)(e)?$", "/run/sites/.$1$2.$3"),)),
            ]
        ),
    )
    def test_no_way_out(self, host: bytes, raw: bool, routes: RouteTable) -> None:
        """
        No host leads a template out of its directory.
        """
        try:
            found = address(routes, host_key(host, raw))
        except (BadHost, UnsafeHost):
            return
        if found is not None:
            assert isinstance(found, UnixAddress)
            self.assertEqual(dirname(normpath(found.path)), b"/run/sites")
