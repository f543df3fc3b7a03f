"""
The uwsgi variables of an HTTP request, as uWSGI's own http router makes them.

Order and names: uWSGI, plug-in C{http}.  Where the values differ it is on
purpose: REMOTE_PORT is the client's port, cookies that came in several lines
are joined with C{"; "} (RFC 6265 section 5.4, RFC 9113 section 8.2.3), and a
C{Proxy} header never becomes C{HTTP_PROXY} (CVE-2016-5385).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from emperor.wire.http import BadRequest, RequestHead
from emperor.wire.uwsgi import LENGTHS, PAYLOAD_LIMIT, encode_variable

#: Header names seen so far with their encoded variable names.  Bounded, since
#: a client may invent as many as it likes.
_NAMES: dict[bytes, bytes] = {}
_NAMES_LIMIT = 1000

_UNPREFIXED = {b"content-type": b"CONTENT_TYPE"}

#: These say something else here than they said to us, or are dangerous.
_DROPPED = frozenset([b"content-length", b"transfer-encoding", b"expect", b"proxy"])

_UNUSUAL_PATH = re.compile(rb"[%#]|//|/\.")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})|%00")


def connection_variables(*, server_port: bytes, remote_address: bytes, remote_port: bytes) -> bytes:
    """
    The variables that are the same for every request of a connection.
    """
    return b"".join(
        [
            encode_variable(b"SERVER_PORT", server_port),
            encode_variable(b"UWSGI_ROUTER", b"http"),
            encode_variable(b"REMOTE_ADDR", remote_address),
            encode_variable(b"REMOTE_PORT", remote_port),
        ]
    )


def server_variables(server_name: bytes) -> bytes:
    """
    The variables that are the same for every request of a server's name.
    """
    return encode_variable(b"SCRIPT_NAME", b"") + encode_variable(b"SERVER_NAME", server_name)


def request_payload(
    head: RequestHead, server: bytes, connection: bytes, extra: bytes, content_length: int
) -> bytes:
    """
    The payload of the uwsgi packet for a request.

    @param server: from L{server_variables}.
    @param connection: from L{connection_variables}.
    @param extra: encoded variables that are appended.
    @param content_length: bytes of the body; in a chunked request only known
        when all of it is here.
    @raise BadRequest: the path is malformed, or the packet gets too large.
    """
    method = head.method
    parts = [
        b"\x0e\x00REQUEST_METHOD",
        LENGTHS[len(method)],
        method,
        _target(head.target),
        _PROTOCOLS[head.minor_version],
        server,
        connection,
    ]
    _add_headers(head.headers, parts)
    if head.has_length:
        parts.append(encode_variable(b"CONTENT_LENGTH", b"%d" % content_length))
    parts.append(extra)
    payload = b"".join(parts)
    if len(payload) > PAYLOAD_LIMIT:
        raise BadRequest(431, f"the head makes more than {PAYLOAD_LIMIT} bytes of variables")
    return payload


_PROTOCOLS = tuple(encode_variable(b"SERVER_PROTOCOL", b"HTTP/1.%d" % n) for n in range(2))


#: The variables of a target without query and escapes.
_PLAIN_TARGET = b"\x0b\x00REQUEST_URI%b%b\x09\x00PATH_INFO%b%b\x0c\x00QUERY_STRING\x00\x00"


def _target(target: bytes) -> bytes:
    path, mark, query = target.partition(b"?")
    if not mark and _UNUSUAL_PATH.search(path) is None:
        size = LENGTHS[len(target)]
        return _PLAIN_TARGET % (size, target, size, target)
    uri = encode_variable(b"REQUEST_URI", target)
    info = encode_variable(b"PATH_INFO", decode_path(path))
    parts = [info, uri] if mark else [uri, info]
    return b"".join([*parts, encode_variable(b"QUERY_STRING", query)])


def decode_path(path: bytes) -> bytes:
    """
    The path that an application sees: percent-decoded, without empty and dot
    segments, up to a C{#}.

    @raise BadRequest: an escape is malformed or is NUL.
    """
    if _UNUSUAL_PATH.search(path) is None:
        return path
    path = path.partition(b"#")[0]
    if _BAD_ESCAPE.search(path):
        raise BadRequest(400, "the path has a malformed escape")
    segments: list[bytes] = []
    pieces = unquote_to_bytes(path).split(b"/")
    for segment in pieces:
        if segment == b"..":
            segments[-1:] = []
        elif segment not in (b"", b"."):
            segments.append(segment)
    closing = b"/" if segments and pieces[-1] in (b"", b".", b"..") else b""
    return b"/" + b"/".join(segments) + closing


def _add_headers(headers: Iterable[tuple[bytes, bytes]], parts: list[bytes]) -> None:
    merged: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in merged:
            separator = b"; " if name == b"cookie" else b", "
            merged[name] = merged[name] + separator + value
        elif name not in _DROPPED:
            merged[name] = value
    for name, value in merged.items():
        parts += (_NAMES.get(name) or _variable_name(name), LENGTHS[len(value)], value)


def _variable_name(name: bytes) -> bytes:
    variable = _UNPREFIXED.get(name) or b"HTTP_" + name.upper().replace(b"-", b"_")
    encoded = LENGTHS[len(variable)] + variable
    if len(_NAMES) < _NAMES_LIMIT:
        _NAMES[name] = encoded
    return encoded
