"""
Waiting for a node that is about to start.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

from emperor.addresses import SocketAddress, UnixAddress, parse_address

#: Seconds between two attempts.
PATIENCE = 0.25


class _Knock(Factory):
    """
    Says nothing.
    """

    noisy = False
    protocol = Protocol


async def until_accepting(reactor: Any, address: str) -> None:
    """
    Wait until a node accepts connections; cancel to give up.

    @param address: as announced.
    @raise BadAddress: it is none.
    """
    endpoint = _endpoint(reactor, parse_address(address))
    while True:
        try:
            protocol = await endpoint.connect(_Knock())
        except ConnectError:
            await deferLater(reactor, PATIENCE)
        else:
            protocol.transport.abortConnection()  # type: ignore[attr-defined]
            return


def _endpoint(reactor: Any, address: SocketAddress) -> IStreamClientEndpoint:
    endpoint: IStreamClientEndpoint
    if isinstance(address, UnixAddress):
        endpoint = UNIXClientEndpoint(reactor, address.path)
    elif address.is_ipv6:
        endpoint = TCP6ClientEndpoint(reactor, address.host, address.port)
    else:
        endpoint = TCP4ClientEndpoint(reactor, address.host or "127.0.0.1", address.port)
    return endpoint
