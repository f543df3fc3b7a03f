"""
The site that the tests ask: it tells what reached it, and who it is.

It is run by uWSGI, by whichever Python that has, and imports nothing of ours.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from urllib.parse import parse_qs
from wsgiref.types import InputStream, StartResponse, WSGIEnvironment

Query = dict[str, str]
Page = Callable[[WSGIEnvironment, StartResponse, Query], Iterable[bytes]]

CHUNK = 64 * 1024


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """
    Choose by the last part of the path.
    """
    query = parse_qs(environ.get("QUERY_STRING", ""))
    page = PAGES.get(environ.get("PATH_INFO", "").rpartition("/")[2], describe)
    return page(environ, start_response, {key: values[0] for key, values in query.items()})


def describe(
    environ: WSGIEnvironment, start_response: StartResponse, query: Query
) -> Iterable[bytes]:
    """
    The variables of the request, its body, and the processes of this site.
    """
    size, digest = swallow(environ["wsgi.input"])
    answer = {
        "site": site(),
        "worker": os.getpid(),
        "master": os.getppid(),
        "environ": {key: value for key, value in environ.items() if isinstance(value, str)},
        "size": size,
        "sha256": digest,
    }
    body = json.dumps(answer).encode()
    start_response(
        query.get("status", "200 OK"),
        [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
    )
    return [body]


def download(
    environ: WSGIEnvironment, start_response: StartResponse, query: Query
) -> Iterable[bytes]:
    """
    As many bytes as asked for.
    """
    size = int(query["bytes"])
    start_response("200 OK", [("Content-Length", str(size))])
    return (b"x" * min(CHUNK, size - start) for start in range(0, size, CHUNK))


def headers(
    environ: WSGIEnvironment, start_response: StartResponse, query: Query
) -> Iterable[bytes]:
    """
    An answer with repeated headers and without a length.
    """
    pairs = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Answer", "42")]
    start_response("201 Made Up", pairs)
    return [b"first ", b"second"]


def empty(environ: WSGIEnvironment, start_response: StartResponse, query: Query) -> Iterable[bytes]:
    """
    An answer that has no body.
    """
    start_response("204 No Content", [])
    return []


def slow(environ: WSGIEnvironment, start_response: StartResponse, query: Query) -> Iterable[bytes]:
    """
    An answer whose second half comes a moment later.
    """
    start_response("200 OK", [("Content-Type", "text/plain")])
    print("a slow answer begins", file=sys.stderr, flush=True)
    yield b"begun\n"
    time.sleep(float(query["seconds"]))
    yield b"ended\n"


def child(environ: WSGIEnvironment, start_response: StartResponse, query: Query) -> Iterable[bytes]:
    """
    Start a program that nobody waits for.

    @return: its pid.
    """
    started = subprocess.Popen(["sleep", query["seconds"]])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(started.pid).encode()]


def site() -> str:
    """
    The name that the vassal's configuration gives this site.

    From uWSGI, not from the environment: where Python runs uWSGI and not the
    other way round, C{os.environ} was read before C{env} was set.  Under another
    server it is a variable of the environment.
    """
    try:
        import uwsgi  # type: ignore[import-untyped] # noqa: PLC0415  # only inside uWSGI
    except ImportError:
        return os.environ.get("SITE", "")
    value: bytes = uwsgi.opt["site"]
    return value.decode()


def swallow(stream: InputStream) -> tuple[int, str]:
    """
    Read to the end; return the size and the SHA-256.
    """
    digest = hashlib.sha256()
    size = 0
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


PAGES: dict[str, Page] = {
    "child": child,
    "download": download,
    "headers": headers,
    "empty": empty,
    "slow": slow,
}
