"""
Tests for L{emperor.wire.control} and L{emperor.wire.plain}.
"""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import (
    Address,
    BorrowedSocket,
    NamedAddress,
    SocketAddress,
    TcpAddress,
    TlsAddress,
    UnixAddress,
)
from emperor.config.redisurl import RedisSource
from emperor.config.settings import (
    CodeSource,
    HostRule,
    HttpSettings,
    Mapper,
    Node,
    Origin,
    Policy,
    RouterSettings,
    SubscriptionSettings,
)
from emperor.config.statssettings import StatsSettings
from emperor.vassals.status import Phase
from emperor.wire import control
from emperor.wire.control import (
    REPORT_LIMIT,
    BadControl,
    Configure,
    Counts,
    Cut,
    Drain,
    FixedCount,
    Message,
    MessageReader,
    NodeCount,
    NodeNews,
    PoolCount,
    Progress,
    Ready,
    RefusalCount,
    Subscriptions,
    VassalNews,
    Vassals,
    decode,
    encode,
)
from tests.wire.announcements import ANNOUNCEMENTS
from tests.wire.cutting import cuts

PORTS = st.integers(0, 65535)
TCP = st.builds(TcpAddress, st.text(max_size=20), PORTS)
NAMED = st.builds(NamedAddress, st.text(max_size=20), PORTS)
SOCKETS: st.SearchStrategy[SocketAddress] = st.one_of(
    TCP, st.builds(UnixAddress, st.binary(max_size=107))
)
ADDRESSES: st.SearchStrategy[Address] = st.one_of(
    SOCKETS, NAMED, st.builds(TlsAddress, TCP | NAMED)
)
LISTENING = st.one_of(SOCKETS, st.builds(BorrowedSocket, SOCKETS, st.text(max_size=20)))
SECONDS = st.floats(0, 1e12)
NODES = st.builds(Node, ADDRESSES, st.integers(0, 255), st.integers(0, 255))
PATTERNS = st.sampled_from(["^www$", r"^(\w+)\.test$", "(?i)a", "ä", ""]).flatmap(
    lambda text: st.sampled_from([0, re.ASCII, re.ASCII | re.IGNORECASE]).map(
        lambda flags: re.compile(text, flags)
    )
)
RULES = st.builds(
    HostRule,
    PATTERNS,
    st.text(),
    st.integers(0, 255),
    st.integers(0, 255),
    st.builds(Origin, st.text(), st.integers(0)),
)


def tuples(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=3).map(tuple)


SUBSCRIPTIONS = st.builds(
    SubscriptionSettings,
    servers=tuples(SOCKETS),
    algorithm=st.text(),
    tolerance=SECONDS,
    dotsplit=st.booleans(),
    mountpoints=st.integers(0),
    policy=st.sampled_from(Policy),
    sign_directory=st.text(),
    sign_skip_uids=tuples(st.integers(1)),
    credentials_directories=tuples(st.text()),
    resubscribe=tuples(st.text()),
    resubscribe_bind=st.none() | SOCKETS,
    state=st.text(),
)
COMMON: dict[str, Any] = {
    "listen": tuples(LISTENING),
    "rules": tuples(RULES),
    "raw_host_key": st.booleans(),
    "base": st.text(),
    "to": tuples(NODES),
    "fallback": tuples(NODES),
    "cache": st.none() | st.builds(RedisSource, tuples(st.tuples(st.text(), PORTS)), st.text()),
    "code": st.none() | st.builds(CodeSource, st.text(), st.text(), SECONDS),
    "mapper_order": st.permutations(list(Mapper)).map(tuple),
    "zerg": tuples(SOCKETS),
    "stats": st.builds(StatsSettings, addresses=tuples(SOCKETS), http=st.booleans()),
    "trusted": tuples(st.text()),
    "subscriptions": SUBSCRIPTIONS,
    "timeout": SECONDS,
}
SETTINGS = st.one_of(
    st.builds(RouterSettings, kind=st.text(), **COMMON),
    st.builds(HttpSettings, variables=tuples(st.tuples(st.text(), st.text())), **COMMON),
)
NEWS = st.builds(
    VassalNews, st.text(), st.text(), st.sampled_from(Phase), SECONDS, tuples(ADDRESSES)
)
NODE_COUNTS = st.builds(NodeCount, ADDRESSES, *[st.integers(0)] * 5, quarantined=st.booleans())
NODE_NEWS = st.builds(NodeNews, ANNOUNCEMENTS, SECONDS, SECONDS, st.booleans())
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        Configure,
        SETTINGS,
        st.text(),
        SECONDS,
        st.sampled_from(["epoll", "twisted"]),
        st.booleans(),
    ),
    st.builds(Vassals, st.booleans(), tuples(NEWS)),
    st.builds(Subscriptions, st.booleans(), tuples(NODE_NEWS), st.booleans()),
    st.sampled_from([Drain(), Cut(), Ready()]),
    st.builds(
        Counts,
        st.integers(0),
        tuples(st.builds(RefusalCount, st.text(), st.integers(0))),
        st.integers(0),
        st.integers(0),
    ),
    st.builds(
        Progress,
        tuples(st.builds(PoolCount, st.text(max_size=255), st.integers(), tuples(NODE_COUNTS))),
        tuples(st.builds(FixedCount, st.integers(0), st.integers(0), SECONDS)),
    ),
)

#: What JSON can say.
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
EXAMPLE = Vassals(
    False, (VassalNews("dir:///v", "a.ini", Phase.STARTING, 0, (UnixAddress(b"/a.sock"),)),)
)


def read(data: bytes, limit: int = control.ORDER_LIMIT) -> list[Message]:
    """
    All messages in C{data}.
    """
    return list(MessageReader(limit).feed(data))


class ControlTests(SynchronousTestCase):
    def refused(self, body: object) -> str:
        """
        The complaint about a body.
        """
        return str(self.assertRaises(BadControl, decode, json.dumps(body).encode()))

    @given(st.data(), st.lists(MESSAGES, max_size=3))
    def test_cut_anywhere(self, data: st.DataObject, messages: list[Message]) -> None:
        """
        What is sent is what arrives, in whatever pieces.
        """
        reader = MessageReader(control.ORDER_LIMIT)
        pieces = data.draw(cuts(b"".join(map(encode, messages))))
        found = [message for piece in pieces for message in reader.feed(piece)]
        self.assertEqual(messages, found)

    def test_readable(self) -> None:
        """
        A person can read a message, and another program can write it.
        """
        self.assertEqual(
            {
                "is": "Vassals",
                "whole": False,
                "vassals": [
                    {
                        "monitor": "dir:///v",
                        "name": "a.ini",
                        "phase": "starting",
                        "retry_at": 0,
                        "held": False,
                        "rest": "none",
                        "woken": False,
                        "former": [],
                        "keys": [],
                        "addresses": [{"is": "UnixAddress", "path": "/a.sock"}],
                    }
                ],
            },
            json.loads(encode(EXAMPLE)[4:]),
        )

    def test_too_long(self) -> None:
        """
        A length over the limit is refused before anything is kept.
        """
        data = (REPORT_LIMIT + 1).to_bytes(4)
        self.assertRaises(BadControl, read, data, REPORT_LIMIT)
        self.assertEqual([], read(REPORT_LIMIT.to_bytes(4), REPORT_LIMIT))

    def test_too_long_to_send(self) -> None:
        """
        What the far end would not take is not sent.
        """
        self.patch(control, "ORDER_LIMIT", 10)
        self.assertRaises(BadControl, encode, EXAMPLE)

    def test_before_the_bad_one(self) -> None:
        """
        Messages before one that is none have arrived.
        """
        reader = MessageReader(REPORT_LIMIT).feed(encode(Ready()) + b"\0\0\0\1{")
        self.assertEqual(Ready(), next(reader))
        self.assertRaises(BadControl, next, reader)

    @given(st.binary(max_size=40))
    def test_noise(self, body: bytes) -> None:
        """
        Noise is a message or refused, and nothing else happens.
        """
        self.survives(body)

    @given(
        ANYTHING, st.sampled_from(["Configure", "Vassals", "Counts", "Progress", "Drain", "x", 1])
    )
    def test_other_json(self, value: Any, name: object) -> None:
        """
        So is any other JSON, also with a message's name on it.
        """
        body = {**value, "is": name} if isinstance(value, dict) else value
        self.survives(json.dumps(body).encode())

    def survives(self, body: bytes) -> None:
        try:
            message = decode(body)
        except BadControl:
            return
        self.assertEqual([message], read(encode(message)))

    def test_wrong_values(self) -> None:
        """
        A field that has another type, or is missing, or unknown, is refused.
        """
        good: dict[str, Any] = {
            "is": "Counts",
            "connections": 1,
            "refusals": [],
            "requests": 0,
            "open": 0,
        }
        self.assertEqual(Counts(1), decode(json.dumps(good).encode()))
        changes: list[dict[str, Any]] = [
            {"connections": True},
            {"connections": "1"},
            {"connections": 1.5},
            {"refusals": {}},
            {"refusals": [1]},
            {"more": 1},
            {"is": "Count"},
            {"is": ["Counts"]},
        ]
        for change in changes:
            self.refused({**good, **change})
        self.assertIn("Counts has the fields", self.refused({"is": "Counts"}))

    def test_wrong_texts(self) -> None:
        """
        Phases, patterns, paths, times, words and pairs are looked at too, and
        what is missing where something must be.
        """
        news = json.loads(encode(EXAMPLE)[4:])
        settings = HttpSettings(
            listen=(),
            rules=(HostRule(re.compile("a"), "", 0, 0, Origin("", 0)),),
        )
        order = json.loads(encode(Configure(settings, "m", 1, "epoll"))[4:])
        (rule,) = order["settings"]["rules"]
        (vassal,) = news["vassals"]
        for body, place, key, value in (
            (news, vassal, "phase", "upside down"),
            (news, vassal, "phase", []),
            (news, vassal, "retry_at", 10**400),
            (news, vassal["addresses"][0], "path", 7),
            (order, rule, "pattern", ["(", 0]),
            (order, rule, "pattern", ["a"]),
            (order, rule, "pattern", ["a", 10**30]),
            (order, rule, "pattern", "a"),
            (order, order["settings"], "modifiers", [1]),
            (order, order["settings"], "modifiers", [1, 2, 3]),
            (order, order["settings"], "mapper_order", ["rules", "magic"]),
            (order, order["settings"], "mapper_order", [[]]),
            (order, order["settings"], "code", {"is": "NoneType"}),
            (order, order["settings"], "code", {}),
            (order, order["settings"], "cache", {"is": "CodeSource"}),
            (order, order["settings"], "subscriptions", None),
            (order, order, "settings", None),
        ):
            before = place[key]
            place[key] = value
            self.refused(body)
            place[key] = before
            decode(json.dumps(body).encode())
