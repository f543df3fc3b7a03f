"""
Whose word counts: C{fastrouter-trusted}, C{emperor-command-trusted}.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network

from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import IAddress

from emperor.config.settings import RouterSettings

#: Addresses whose answer is kept at hand.
KNOWN_ADDRESSES = 1024


class Networks:
    """
    Addresses of hosts, as C{ADDRESS/BITS}.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(map(ip_network, networks))
        self.cover = lru_cache(KNOWN_ADDRESSES)(self._look)

    def _look(self, host: str) -> bool:
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)


class Trust:
    """
    The peers whose requests may have variables that steer a worker.
    """

    def __init__(self, settings: RouterSettings) -> None:
        self._cover = Networks(settings.trusted).cover
        self._unix = settings.trusts_unix

    def covers(self, peer: IAddress) -> bool:
        """
        Whether C{peer} is trusted.
        """
        if isinstance(peer, UNIXAddress):
            return self._unix
        return self._cover(str(getattr(peer, "host", "")))
