"""
Announcements, members and requests for the tests of this package.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emperor.addresses import parse_address
from emperor.routing.members import Member
from emperor.wire.subscription import Announcement


def announcement(address: str = "127.0.0.1:1", key: str = "a", **values: Any) -> Announcement:
    return Announcement(**{"leaving": False, "key": key, "address": address, **values})


def member(address: str = "127.0.0.1:1", **values: Any) -> Member:
    return Member(parse_address(address), announcement(address, **values), 0, 17)


def members(*weights: int) -> list[Member]:
    return [member(f"127.0.0.1:{port}", weight=weight) for port, weight in enumerate(weights, 1)]


class Request:
    """
    What a test's request is.
    """

    def __init__(self, address: bytes = b"", headers: Mapping[bytes, bytes] | None = None) -> None:
        self._address = address
        self._headers = headers or {}

    def client_address(self) -> bytes:
        return self._address

    def header(self, name: bytes) -> bytes:
        return self._headers.get(name, b"")


def taken(snapshot: object) -> Any:
    """
    A snapshot that can be taken in pieces, as one from a file.
    """
    return json.loads(json.dumps(snapshot, default=list))
