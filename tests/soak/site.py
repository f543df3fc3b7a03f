"""
The site of the soak: it tells which one it is.

It is run by uWSGI, by whichever Python that has, and imports nothing of ours.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import uwsgi  # type: ignore[import-untyped,unused-ignore]

#: Seconds that a request takes, so that some are in flight whatever happens.
WORK = 0.02


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """
    Name and edition of the configuration, and the processes that answer.
    """
    time.sleep(WORK)
    words = [uwsgi.opt["site"], uwsgi.opt["edition"], b"%d" % os.getppid(), b"%d" % os.getpid()]
    body = b" ".join(words)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
