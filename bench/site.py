"""
The site behind the routers that are compared.

It is run by uWSGI, by whichever Python that has, and imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

PAGES = {
    "/": b"hello",
    "/100k": b"0123456789" * 10_000,
    "/10m": b"0123456789" * 1_000_000,
}

CHUNK = 64 * 1024


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """
    Answer with a page, or with the number of bytes that were uploaded.

    A client that wants the connection closed is told that it will be: uWSGI's
    HTTP router closes without a word, which wrk would take for an error.
    """
    if environ["REQUEST_METHOD"] == "POST":
        body = str(swallow(environ)).encode()
    else:
        body = PAGES[environ["PATH_INFO"]]
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    if environ.get("HTTP_CONNECTION") == "close":
        headers.append(("Connection", "close"))
    start_response("200 OK", headers)
    return [body]


def swallow(environ: WSGIEnvironment) -> int:
    """
    Read the body of the request.

    @return: how many bytes it had.
    """
    total = 0
    while data := environ["wsgi.input"].read(CHUNK):
        total += len(data)
    return total
