"""
Which key a request is routed by.

A key is the host that the client asked for: lower case, without port and
closing dot, so that every spelling of a name leads to the same site.  A host
with bytes that no host has is refused here; what may not stand in a path is
refused where the path is built (L{emperor.routing.mappers}).
"""

from __future__ import annotations

import re
from functools import lru_cache

#: Bytes of a key; uWSGI's routers take no longer ones either.
KEY_LIMIT = 255

#: reg-name and IP-literal of RFC 3986 section 3.2.2, and a port.
_HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]+")
_PORT = re.compile(r":[0-9]*$")


class BadHost(ValueError):
    """
    The client's host is none; the message says why.
    """


@lru_cache(maxsize=8192)
def host_key(host: bytes, raw: bool = False) -> str:
    """
    The key for a host as the client sent it.

    @param raw: keep case, port and closing dot (C{raw-host-key}).
    @raise BadHost: it is empty, too long, or has a byte that no host has.
    """
    if not host:
        raise BadHost("the request names no host")
    if len(host) > KEY_LIMIT:
        raise BadHost(f"the host is over {KEY_LIMIT} bytes")
    text = host.decode("latin-1")
    if _HOST.fullmatch(text) is None:
        raise BadHost("the host has characters that no host has")
    if raw:
        return text
    key = _PORT.sub("", text).removesuffix(".").lower()
    if not key:
        raise BadHost("the request names no host")
    return key
