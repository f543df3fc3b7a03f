"""
The socket over which the program gives orders, at either end.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

from emperor.wire.keeping import HEAD, LIMIT, MOST, BadKeeping


def send(orders: socket.socket, data: bytes, descriptors: Sequence[int] = ()) -> None:
    """
    Send a message, with descriptors at its first byte.

    @raise OSError: the other side does not read, or has gone.
    """
    sent = socket.send_fds(orders, [data], descriptors) if descriptors else 0
    orders.sendall(data[sent:])


def receive(orders: socket.socket) -> tuple[bytes, list[int]]:
    """
    The body of one message and the descriptors that came with it.

    @raise EOFError: the other side has hung up.
    """
    head, descriptors, _, _ = socket.recv_fds(orders, HEAD, MOST)
    head += _read(orders, HEAD - len(head))
    size = int.from_bytes(head)
    if size > LIMIT:
        raise BadKeeping(f"an order of {size} bytes; at most {LIMIT}")
    return _read(orders, size), list(descriptors)


def _read(orders: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = orders.recv(size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)
