"""
The smallest site there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """
    Greet, and say under which name the site was asked for.
    """
    body = f"Hello from {environ.get('HTTP_HOST', 'a site without a name')}\n".encode("latin-1")
    headers = [
        ("Content-Type", "text/plain; charset=iso-8859-1"),
        ("Content-Length", str(len(body))),
    ]
    start_response("200 OK", headers)
    return [body]
