"""
The uwsgi variables of an HTTP request, as uWSGI's own http router makes them.

Order and names: uWSGI, plug-in C{http}.  Where the values differ it is on
purpose: REMOTE_PORT is the client's port, and cookies that came in several lines
are joined with C{"; "} (RFC 6265 section 5.4, RFC 9113 section 8.2.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_to_bytes

from emperor.wire.headers import Field, encode_field
from emperor.wire.http import BadRequest, RequestHead
from emperor.wire.uwsgi import PAYLOAD_LIMIT, encode_item, encode_variable

_UNUSUAL_PATH = re.compile(rb"[%#]|//|/\.")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})|%00")


def connection_variables(*, server_port: bytes, remote_address: bytes, remote_port: bytes) -> bytes:
    """
    The variables that are the same for every request of a connection.
    """
    return _CONNECTION % (
        encode_item(server_port),
        encode_item(remote_address),
        encode_item(remote_port),
    )


_METHOD = b"\x0e\x00REQUEST_METHOD%b"

#: SERVER_PORT, UWSGI_ROUTER, REMOTE_ADDR and REMOTE_PORT.
_CONNECTION = (
    b"\x0b\x00SERVER_PORT%b\x0c\x00UWSGI_ROUTER\x04\x00http"
    b"\x0b\x00REMOTE_ADDR%b\x0b\x00REMOTE_PORT%b"
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
        _METHOD % encode_item(method),
        _target(head.target),
        _PROTOCOLS[head.minor_version],
        server,
        connection,
    ]
    if head.repeated:
        parts += _merged(head.fields)
    else:
        parts += [field.variable for field in head.fields]
    if head.has_length:
        parts.append(encode_variable(b"CONTENT_LENGTH", b"%d" % content_length))
    parts.append(extra)
    payload = b"".join(parts)
    if len(payload) > PAYLOAD_LIMIT:
        raise BadRequest(431, f"the head makes more than {PAYLOAD_LIMIT} bytes of variables")
    return payload


_PROTOCOLS = tuple(encode_variable(b"SERVER_PROTOCOL", b"HTTP/1.%d" % n) for n in range(2))


#: The variables of a target without query and escapes.
_PLAIN_TARGET = b"\x0b\x00REQUEST_URI%b\x09\x00PATH_INFO%b\x0c\x00QUERY_STRING\x00\x00"


def _target(target: bytes) -> bytes:
    path, mark, query = target.partition(b"?")
    if not mark and _UNUSUAL_PATH.search(path) is None:
        item = encode_item(target)
        return _PLAIN_TARGET % (item, item)
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


def _merged(fields: Iterable[Field]) -> Iterator[bytes]:
    """
    The variables of headers that may repeat: their values become one, at the
    place of the first.
    """
    merged: dict[bytes, list[bytes]] = {}
    for field in fields:
        merged.setdefault(field.name, []).append(field.value)
    for name, values in merged.items():
        yield encode_field(name, (b"; " if name == b"cookie" else b", ").join(values))
