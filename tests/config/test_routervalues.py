"""
L{emperor.config.routervalues}
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import BadAddress, UnixAddress
from emperor.config import routervalues
from emperor.config.redisurl import parse_redis_url
from emperor.config.settings import CodeSource, Mapper
from emperor.config.values import BadValue
from tests.config.fixtures import BOUNDED

PARSERS: tuple[Callable[[str], Any], ...] = (
    routervalues.shared_socket,
    routervalues.unix_socket,
    routervalues.owner,
    routervalues.key,
    routervalues.mapper_order,
    routervalues.cache,
    routervalues.code,
    routervalues.peers,
)


class RouterValueTests(SynchronousTestCase):
    """
    Texts read as values.
    """

    def refuses(self, parse: Callable[[str], Any], *texts: str) -> None:
        """
        Each text is refused.
        """
        for text in texts:
            self.assertRaises(BadValue, parse, text)

    def test_shared_socket(self) -> None:
        """
        An equals sign and a number; other addresses are none of that.
        """
        for text, index in {"=0": 0, "=12": 12, "=": None, "=x": None, "/=0": None}.items():
            self.assertEqual(routervalues.shared_socket(text), index, text)

    def test_unix_socket(self) -> None:
        """
        A path or an abstract name.
        """
        self.assertEqual(routervalues.unix_socket("/z"), UnixAddress(b"/z"))
        self.assertEqual(routervalues.unix_socket("@z"), UnixAddress(b"\0z\0"))
        self.refuses(routervalues.unix_socket, ":80", "=0", "", "z", "fd://3")

    def test_owner(self) -> None:
        """
        A user, and a group if wanted.
        """
        for text in ("www-data", "www-data:adm", "33:4"):
            self.assertEqual(routervalues.owner(text), text)
        self.refuses(routervalues.owner, "", ":adm", "a:", "a:b:c", "a b")

    def test_key(self) -> None:
        """
        What a client's request can have as its host.
        """
        for text in ("foo.com", "foo.com:80", ".b.c", "foo.com/blog", "k" * 255):
            self.assertEqual(routervalues.key(text), text)
        self.refuses(routervalues.key, "", "a b", "ä.de", "k" * 256)

    def test_mapper_order(self) -> None:
        """
        What is named comes first; the rest keeps uWSGI's order.
        """
        self.assertEqual(
            routervalues.mapper_order("to , subscription"),
            (
                Mapper.TO,
                Mapper.SUBSCRIPTION,
                Mapper.RULES,
                Mapper.CACHE,
                Mapper.PATTERN,
                Mapper.BASE,
                Mapper.CODE,
            ),
        )
        self.refuses(routervalues.mapper_order, "", "to,to", "socket", "to,")
        error = self.assertRaises(BadValue, routervalues.mapper_order, "redis")
        self.assertIn("accepted: rules, cache, pattern", str(error))

    def test_cache(self) -> None:
        """
        A Redis URL of one of the four kinds.
        """
        for text in (
            "redis://h",
            "redis://:pw@h:6379/2?prefix=a:",
            "rediss://u:p@[::1]:1/0",
            "redis+unix:///run/redis.sock?db=1",
            "redis-sentinel://:pw@a:1,b:2/service/0",
            "rediss-sentinel://a:1/service",
        ):
            self.assertEqual(routervalues.cache(text), parse_redis_url(text))
        self.refuses(
            routervalues.cache,
            "",
            "redis://",
            "redis://h:x",
            "redis://h:99999",
            "redis://[::1",
            "redis+unix://h",
            "redis-sentinel://a:1",
            "redis-sentinel://a:1,,b:2/s",
            "memcached://h",
            "redis://h h",
        )

    def test_cache_of_uwsgi(self) -> None:
        """
        Who gives the name of a uWSGI cache reads what to do; nobody reads a
        password.
        """
        error = self.assertRaises(BadValue, routervalues.cache, "mycache,items=100")
        self.assertIn("the map is in a Redis server", str(error))
        for text in ("hush@h", "http://u:hush@h", "redis://u:hush@h:x", "redis+unix://u:hush@"):
            self.assertNotIn("hush", str(self.assertRaises(BadValue, routervalues.cache, text)))

    def test_code(self) -> None:
        """
        A function in a Python file.
        """
        self.assertEqual(routervalues.code("0:mapper.py:get"), CodeSource("mapper.py", "get"))
        self.assertEqual(routervalues.code("0:/a:b.py:get"), CodeSource("/a:b.py", "get"))
        self.refuses(routervalues.code, "", "0:a.py", "0::get", "0:a.py:", "0:a.py:1x", "a.py:get")
        error = self.assertRaises(BadValue, routervalues.code, "6:a.lua:get")
        self.assertIn("accepted: 0, which is Python", str(error))

    def test_peers(self) -> None:
        """
        Networks and the words for what has no network.
        """
        for text, expected in {
            "10.0.0.0/8": ("10.0.0.0/8",),
            "192.0.2.1, unix": ("192.0.2.1/32", "unix"),
            "loopback": ("127.0.0.0/8", "::1/128"),
            "FD00::/8": ("fd00::/8",),
            "none": (),
        }.items():
            self.assertEqual(routervalues.peers(text), expected)
        self.refuses(routervalues.peers, "", "10.0.0.1/8", "localhost", "10.0.0.0/33", "unix,")

    @settings(deadline=BOUNDED)
    @given(st.text() | st.from_regex(r"(redis[a-z+-]*|0|=)?(://|:).*", fullmatch=True))
    def test_anything(self, text: str) -> None:
        """
        No text ends in another error.
        """
        for parse in PARSERS:
            with contextlib.suppress(BadValue, BadAddress):
                parse(text)

    @given(st.lists(st.ip_addresses(), min_size=1, max_size=5))
    def test_networks(self, addresses: list[object]) -> None:
        """
        Each network that comes out is one, and holds what was written.
        """
        found = routervalues.peers(",".join(map(str, addresses)))
        self.assertEqual([ip_network(text) for text in found], [*map(ip_network, addresses)])  # type: ignore[arg-type]
