"""
An answer that comes line by line.

Try C{curl --no-buffer http://clock.localhost:8080/}: the lines are a second
apart, so nothing on the way waits for the whole of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

LINES = 5

#: Seconds between two lines.
PAUSE = 1


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """
    Say what time it is, a few times.
    """
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ticks()


def ticks() -> Iterator[bytes]:
    """
    The lines, each when it is true.
    """
    for line in range(LINES):
        if line:
            time.sleep(PAUSE)
        yield time.strftime("%H:%M:%S\n").encode()
