"""
The texts of options read as values.
"""

from __future__ import annotations

import os
import re

from emperor.addresses import (
    FORMS,
    Address,
    ListenAddress,
    SocketAddress,
    UnixAddress,
    parse_address,
    parse_listen,
    parse_node,
)

_OFF = frozenset({"false", "off", "no", "0"})
_ON = frozenset({"", "true", "on", "yes", "1"})
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}

_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
_BYTES = re.compile(r"([0-9]{1,15})([KMG]?)", re.ASCII | re.IGNORECASE)
_OCTAL = re.compile(r"0?[0-7]{3,4}", re.ASCII)


#: Each router process has some 30 MB of its own, and hears all news.
MOST_PROCESSES = 64


class BadValue(ValueError):
    """
    A text that an option does not accept; the message says what it does.
    """


def flag(text: str) -> bool:
    """
    On, unless the text is one of the four words for off.
    """
    return text.lower() not in _OFF


def is_plain(text: str) -> bool:
    """
    Whether a flag's text is one of the words for on and off.
    """
    return text.lower() in _OFF | _ON


def number(text: str, lowest: int = 0, highest: int = 2**31 - 1) -> int:
    """
    A whole number.

    @raise BadValue: it is none, or out of range.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise BadValue(f"{text!r} is no number; accepted: {lowest} to {highest}")
    if not lowest <= int(text) <= highest:
        raise BadValue(f"{text} is out of range; accepted: {lowest} to {highest}")
    return int(text)


def processes(text: str) -> int:
    """
    How many processes: a number, or C{auto} for one on each processor that we
    may use.

    @raise BadValue: the text is neither, or too many.
    """
    if text == "auto":
        return min(len(os.sched_getaffinity(0)), MOST_PROCESSES)
    return number(text, lowest=1, highest=MOST_PROCESSES)


def grace(text: str) -> float:
    """
    Seconds, or none.

    @raise BadValue: the text is no such number.
    """
    if not _DECIMAL.fullmatch(text):
        raise BadValue(f"{text!r} is no time; accepted: seconds such as 30 or 0.5")
    return float(text)


def seconds(text: str) -> float:
    """
    Seconds, more than none.

    @raise BadValue: the text is no such number.
    """
    if grace(text) <= 0:
        raise BadValue(f"{text!r} is no time to wait; accepted: seconds over 0")
    return float(text)


def milliseconds(text: str) -> float:
    """
    Milliseconds as seconds.

    @raise BadValue: the text is no such number.
    """
    return number(text, highest=10**9) / 1000


def size(text: str) -> int:
    """
    Bytes, C{128M} or C{134217728}.

    @raise BadValue: the text is neither.
    """
    match = _BYTES.fullmatch(text)
    if match is None:
        raise BadValue(f"{text!r} is no size; accepted: bytes such as 4096, 64K, 128M or 1G")
    return int(match[1]) * _UNITS[match[2].upper()]


def mode(text: str) -> int:
    """
    A socket's mode; without a value, or C{1}, everybody may connect.

    @raise BadValue: the text is no octal number.
    """
    if text in ("", "1", "true"):
        return 0o666
    if not _OCTAL.fullmatch(text):
        raise BadValue(f"{text!r} is no file mode; accepted: three octal digits such as 660")
    return int(text, 8)


def keepalive(text: str, timeout: float) -> float:
    """
    Seconds between two requests of a connection; 0 closes it.

    @param timeout: what on means.
    @raise BadValue: the text is neither on, off nor a time.
    """
    if text.lower() in _ON:
        return timeout
    return 0 if text.lower() in _OFF else seconds(text)


def address(text: str) -> SocketAddress:
    """
    A socket address.

    @raise emperor.addresses.BadAddress: the text is none.
    @raise BadValue: see L{place}; or it is one word, which is rather a mistake
        than a relative path.
    """
    found = parse_address(place(text))
    is_word = isinstance(found, UnixAddress) and not found.is_abstract and "/" not in text
    if is_word and not text.endswith((".sock", ".socket")):
        raise BadValue(f"{text!r} is no socket address; accepted: {FORMS}")
    return found


def place(text: str) -> str:
    """
    What may be a socket address, as a text.

    @raise BadValue: it is a bare port, or not all of it could be replaced.
    """
    if any(sign in text for sign in ("%(", "$(", "@(")):
        raise BadValue(f"{text!r} has a reference that leads nowhere")
    if text.isdecimal():
        raise BadValue(f"{text!r} is no socket address; a port is written :{text}")
    return text


def node(text: str) -> Address:
    """
    The address of a node.

    @raise emperor.addresses.BadAddress: the text is none.
    @raise BadValue: see L{place}.
    """
    return parse_node(place(text))


def listen(text: str) -> ListenAddress:
    """
    Where a router listens.

    @raise emperor.addresses.BadAddress: the text is no address.
    @raise BadValue: see L{place}.
    """
    return parse_listen(place(text))


def assignment(text: str) -> tuple[str, str]:
    """
    C{NAME=VALUE}.

    @raise BadValue: there is no name or no equals sign.
    """
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise BadValue(f"{text!r} is no assignment; accepted: NAME=VALUE")
    return name, value


def words(text: str) -> str:
    """
    Any text but the empty one.

    @raise BadValue: it is empty.
    """
    if not text:
        raise BadValue("needs a value")
    return text


def base(text: str) -> str:
    """
    What a host is put behind: a fixed place, so that no host chooses it.

    @raise BadValue: the text has no place.
    """
    if "/" not in text and not text.startswith("@"):
        raise BadValue(f"{text!r} leaves the place to the client; it needs a / or begins with @")
    return text


def pattern(text: str) -> str:
    """
    What a host is put into.

    @raise BadValue: C{%s} or a fixed place is missing.
    """
    if "%s" not in text:
        raise BadValue(
            f"{text!r} has no %s, which stands for the host; in a file %%s is written for it"
        )
    return base(text)


#: Where vassals can be written down, C{SCHEME://…}.
SCHEMES = ("dir", "glob")

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)


def monitor(text: str) -> str:
    """
    A path, a pattern, or one of L{SCHEMES} and what follows it.

    @raise BadValue: the scheme is not among those of this version, or there is
        no path.
    """
    written = SCHEME.fullmatch(words(text))
    if written is not None and written[1].lower() not in SCHEMES:
        accepted = ", ".join(f"{name}://" for name in SCHEMES)
        raise BadValue(
            f"{written[1]}:// is not supported by this version; accepted: {accepted} or a path"
        )
    if written is not None and not written[2]:
        raise BadValue("a path is missing")
    return text


def transport(value: str) -> str:
    """
    C{epoll} or C{twisted}.
    """
    if value not in ("epoll", "twisted"):
        raise BadValue(f"{value!r} is neither epoll nor twisted")
    return value
