"""
What the program says when it has started.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from emperor.addresses import TcpAddress
from emperor.config.settings import HostRule, HttpSettings, RouterSettings

#: A pattern that stands for exactly one host: C{^www\.example\.com$}.
_LITERAL = re.compile(r"\^((?:[A-Za-z0-9-]|\\[.-])+)\$")


def literal_host(rule: HostRule) -> str | None:
    """
    The one host that a rule is for.

    @return: L{None}: its pattern stands for several.
    """
    match = _LITERAL.fullmatch(rule.pattern.pattern)
    return None if match is None else match[1].replace("\\", "")


def sites(router: RouterSettings) -> Iterator[str]:
    """
    The addresses to open in a browser, as far as they can be told.
    """
    if not isinstance(router, HttpSettings):
        return
    ports = [address.port for address in router.listen if isinstance(address, TcpAddress)]
    for rule in router.rules:
        host = literal_host(rule)
        if host is not None and ports:
            port = "" if ports[0] == 80 else f":{ports[0]}"
            yield f"http://{host}{port}/"
