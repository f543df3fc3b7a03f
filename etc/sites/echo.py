"""
What a request looks like from inside: its variables, and a checksum of the body
it brought.

Try C{curl --upload-file some.iso http://echo.localhost:8080/}.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

#: Bytes of the body that are in memory at a time.
CHUNK = 64 * 1024


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """
    List the variables of the request, then the size and SHA-256 of its body.
    """
    size, checksum = digest(environ)
    lines = [*variables(environ), "", f"{size} bytes, sha256 {checksum}", ""]
    body = "\n".join(lines).encode("latin-1", "backslashreplace")
    headers = [
        ("Content-Type", "text/plain; charset=iso-8859-1"),
        ("Content-Length", str(len(body))),
    ]
    start_response("200 OK", headers)
    return [body]


def variables(environ: WSGIEnvironment) -> Iterator[str]:
    """
    The request's own variables: names in capitals, as CGI has them.
    """
    for name in sorted(environ):
        if name.isupper():
            yield f"{name}={environ[name]}"


def digest(environ: WSGIEnvironment) -> tuple[int, str]:
    """
    Read the whole body, a piece at a time.

    @return: its size in bytes and its SHA-256.
    """
    checksum = hashlib.sha256()
    size = 0
    while chunk := environ["wsgi.input"].read(CHUNK):
        checksum.update(chunk)
        size += len(chunk)
    return size, checksum.hexdigest()
