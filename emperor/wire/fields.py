"""
The variables of a subscription datagram: how each is read and written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: Bytes of a key, an address or a name.
TEXT_LIMIT = 255

#: Bytes of the path of a UNIX socket (C{man 7 unix}).
PATH_LIMIT = 107

#: The largest number; uWSGI's have 64 bits.
NUMBER_LIMIT = 2**64 - 1

#: The largest weight.
WEIGHT_LIMIT = 1_000_000

#: The largest backup level.
LEVEL_LIMIT = 255

_ESCAPE = "surrogateescape"


class BadAnnouncement(ValueError):
    """
    The sender's bytes are no subscription; the message says what is wrong.
    """


Reader = Callable[[str, bytes], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """
    One variable.

    @ivar attribute: of L{emperor.wire.subscription.Announcement}.
    @ivar read: from its name, for the message of a L{BadAnnouncement}, and its
        value.
    @ivar usual: the value that need not be sent; L{None}: there is none.
    """

    name: bytes
    attribute: str
    read: Reader
    write: Callable[[Any], bytes]
    usual: bytes | None = None


def number(limit: int) -> Reader:
    """
    A reader of decimal numbers up to C{limit}.
    """

    def read(name: str, value: bytes) -> int:
        if not value.isdigit() or len(value) > 20 or int(value) > limit:
            raise BadAnnouncement(f"{name} is {value[:40]!r}; accepted: a number up to {limit}")
        return int(value)

    return read


def text(limit: int) -> Reader:
    """
    A reader of names and paths of up to C{limit} bytes.
    """

    def read(name: str, value: bytes) -> str:
        if len(value) > limit:
            raise BadAnnouncement(f"{name} has {len(value)} bytes; accepted: up to {limit}")
        return value.decode("utf-8", _ESCAPE)

    return read


def _key(name: str, value: bytes) -> str:
    if not 1 <= len(value) <= TEXT_LIMIT:
        raise BadAnnouncement(f"key has {len(value)} bytes; accepted: 1 to {TEXT_LIMIT}")
    return value.decode("latin-1")


def _weight(name: str, value: bytes) -> int:
    """
    uWSGI sends 0 where none is configured.
    """
    weight: int = number(WEIGHT_LIMIT)(name, value)
    return weight or 1


def _protocol(name: str, value: bytes) -> str:
    """
    uWSGI looks at the first letter only.
    """
    letter = value[:1].lower()
    if letter in (b"", b"u"):
        return "uwsgi"
    if letter == b"h":
        return "http"
    raise BadAnnouncement(f"{name} is {value[:40]!r}; accepted: uwsgi, http")


def _flag(name: str, value: bytes) -> bool:
    return bool(number(NUMBER_LIMIT)(name, value))


def _write_number(value: int) -> bytes:
    return b"%d" % value


def _write_text(value: str) -> bytes:
    return value.encode("utf-8", _ESCAPE)


def _write_key(value: str) -> bytes:
    return value.encode("latin-1")


_NUMBER = number(NUMBER_LIMIT)
_BYTE = number(255)
_TEXT = text(TEXT_LIMIT)
#: A file's path; the datagram has its limit.
_FILE = text(NUMBER_LIMIT)

#: In the order in which uWSGI sends them.
FIELDS = (
    Field(b"key", "key", _key, _write_key),
    Field(b"address", "address", _TEXT, _write_text, usual=b""),
    Field(b"modifier1", "modifier1", _BYTE, _write_number),
    Field(b"modifier2", "modifier2", _BYTE, _write_number),
    Field(b"cores", "cores", _NUMBER, _write_number),
    Field(b"load", "load", _NUMBER, _write_number),
    Field(b"weight", "weight", _weight, _write_number),
    Field(b"backup", "backup", number(LEVEL_LIMIT), _write_number, usual=b"0"),
    Field(b"vassal", "vassal", _TEXT, _write_text, usual=b""),
    Field(b"sni_key", "sni_key", _FILE, _write_text, usual=b""),
    Field(b"sni_crt", "sni_certificate", _FILE, _write_text, usual=b""),
    Field(b"sni_ca", "sni_authority", _FILE, _write_text, usual=b""),
    Field(b"proto", "protocol", _protocol, _write_text, usual=b"uwsgi"),
    Field(b"algo", "algorithm", _TEXT, _write_text, usual=b""),
    Field(b"inactive", "inactive", _flag, _write_number, usual=b"0"),
    Field(b"notify", "notify", text(PATH_LIMIT), _write_text, usual=b""),
    Field(b"clear", "clear", _flag, _write_number, usual=b"0"),
    Field(b"unix", "sent", _NUMBER, _write_number, usual=b"0"),
)
