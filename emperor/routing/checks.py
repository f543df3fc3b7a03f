"""
What a node is asked to find out how it does, and what its answer shows.

A check must not take a healthy node out because it is built differently.  So
what is no answer to uWSGI's ping shows only that the node accepts: one without
the plugin closes without a word.  A page has to be there: a status below 500.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Protocol

from emperor.config.settings import CheckKind, NodeCheck
from emperor.routing.pools import Target
from emperor.wire.uwsgi import HEADER, build_packet, encode_variables
from emperor.wire.variables import decode_path

#: Bytes of an answer that are looked at.
LOOKED_AT = 512

#: What uWSGI calls a ping.
PING_MODIFIER = 100

#: C{modifier2} of the answer of a node that is well.
_WELL = 1

#: Bytes of a node's own words that a message shows.
_SHOWN = 120

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9][0-9])[ \r\n]")
_STATUS_SIZE = len(b"HTTP/1.1 200 ")
_TROUBLE = 500


class Check(Protocol):
    """
    One way to ask.
    """

    def topic(self, key: str, node: Target) -> Hashable:
        """
        What the question depends on, apart from the node's address: of nodes
        that have it all alike, one has to be asked.
        """

    def question(self, key: str, node: Target) -> bytes:
        """
        What to send.

        @return: empty: it is enough that the node accepts.
        """

    def verdict(self, answer: bytes, ended: bool) -> str | None:
        """
        What an answer shows.

        @param answer: its first bytes, up to L{LOOKED_AT}.
        @param ended: nothing more will come.
        @return: empty: the node is well; else a clause that says what it does.
            L{None}: too little has come, which is never so at the end.
        """


def make_check(settings: NodeCheck) -> Check:
    """
    What the settings ask for.
    """
    if settings.kind is CheckKind.HTTP:
        return _Page(settings.path)
    return _Ping() if settings.kind is CheckKind.PING else _Connect()


class _Connect:
    """
    See L{CheckKind.CONNECT}.
    """

    def topic(self, key: str, node: Target) -> Hashable:
        """
        See L{Check.topic}.
        """
        return None

    def question(self, key: str, node: Target) -> bytes:
        """
        See L{Check.question}.
        """
        return b""

    def verdict(self, answer: bytes, ended: bool) -> str | None:
        """
        See L{Check.verdict}.
        """
        return ""


class _Ping:
    """
    See L{CheckKind.PING}.
    """

    def topic(self, key: str, node: Target) -> Hashable:
        """
        See L{Check.topic}.
        """
        return None

    def question(self, key: str, node: Target) -> bytes:
        """
        See L{Check.question}.
        """
        return build_packet(PING_MODIFIER, b"", 0)

    def verdict(self, answer: bytes, ended: bool) -> str | None:
        """
        See L{Check.verdict}: a node that is in trouble says so in a packet.
        """
        if answer and answer[0] != PING_MODIFIER:
            return ""
        if len(answer) < HEADER.size:
            return "" if ended else None
        _, size, state = HEADER.unpack_from(answer)
        if state == _WELL:
            return ""
        warning = answer[HEADER.size :][: min(size, _SHOWN)]
        if len(warning) < min(size, _SHOWN) and not ended:
            return None
        return f"it answers the ping with {_shown(warning)}"


class _Page:
    """
    See L{CheckKind.HTTP}.
    """

    def __init__(self, target: str) -> None:
        path, _, query = target.partition("?")
        self._variables = {
            b"REQUEST_METHOD": b"GET",
            b"REQUEST_URI": target.encode("ascii"),
            b"PATH_INFO": decode_path(path.encode("ascii")),
            b"QUERY_STRING": query.encode("ascii"),
            b"SCRIPT_NAME": b"",
            b"CONTENT_LENGTH": b"",
            b"SERVER_PROTOCOL": b"HTTP/1.1",
            b"SERVER_PORT": b"80",
            b"REMOTE_ADDR": b"127.0.0.1",
            b"HTTP_USER_AGENT": b"txemperor-check",
        }

    def topic(self, key: str, node: Target) -> Hashable:
        """
        See L{Check.topic}.
        """
        return _host(key), node.modifier1, node.modifier2

    def question(self, key: str, node: Target) -> bytes:
        """
        See L{Check.question}.
        """
        host = _host(key)
        variables = {**self._variables, b"HTTP_HOST": host, b"SERVER_NAME": host}
        payload = encode_variables(variables.items())
        return build_packet(node.modifier1, payload, node.modifier2)

    def verdict(self, answer: bytes, ended: bool) -> str | None:
        """
        See L{Check.verdict}.
        """
        if len(answer) < _STATUS_SIZE and not ended:
            return None
        found = _STATUS.match(answer)
        if found is None:
            return f"it answers with {_shown(answer)}" if answer else "it closes without an answer"
        return f"it answers with the status {int(found[1])}" if int(found[1]) >= _TROUBLE else ""


def _host(key: str) -> bytes:
    """
    A host of the pool: keys may have a path behind it, or a dot before it.
    """
    return key.partition("/")[0].lstrip(".").encode("latin-1")


def _shown(data: bytes) -> str:
    return repr(data[:_SHOWN].decode("utf-8", "backslashreplace"))
