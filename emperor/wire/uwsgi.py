"""
The uwsgi protocol: four bytes of header and a dictionary of variables.

A packet is C{modifier1, payload size (16 bits, little endian), modifier2},
then the payload: for each variable its name and its value, each behind a
16-bit little endian length.  What follows the packet is the request's body,
unframed; the answer is plain HTTP text that ends when the connection closes.
Source: the uWSGI documentation, "The uwsgi Protocol".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct, pack

HEADER = Struct("<BHB")

#: What 16 bits can count: bytes of a payload, of a name, of a value.
PAYLOAD_LIMIT = 0xFFFF

#: The lengths that are usual, ready made: a look-up costs a third of packing it.  All
#: that there can be would take 4 MB, in each process.
_LENGTHS = tuple(pack("<H", length) for length in range(4096))


class BadPacket(ValueError):
    """
    The sender's bytes are no uwsgi packet.
    """


class PacketTooLarge(ValueError):
    """
    The variables do not fit into one packet of 65,535 bytes.
    """


@dataclass(frozen=True, slots=True)
class Packet:
    """
    One packet as it was received.
    """

    modifier1: int
    payload: bytes
    modifier2: int


class PacketReader:
    """
    Collect one packet from bytes that are cut anywhere.

    It holds at most 65,539 bytes.
    """

    def __init__(self) -> None:
        self._buffer = b""

    @property
    def started(self) -> bool:
        """
        Whether a part of a packet is here.
        """
        return bool(self._buffer)

    def feed(self, data: bytes) -> tuple[Packet, bytes] | tuple[None, None]:
        """
        Take the next bytes.

        @return: the packet and the bytes after it, or twice L{None}: more is
            needed.
        """
        data = self._buffer + data if self._buffer else data
        if len(data) >= HEADER.size:
            modifier1, size, modifier2 = HEADER.unpack_from(data)
            end = HEADER.size + size
            if len(data) >= end:
                self._buffer = b""
                return Packet(modifier1, data[HEADER.size : end], modifier2), data[end:]
        self._buffer = data
        return None, None


def iterate_variables(payload: bytes) -> Iterator[tuple[bytes, bytes]]:
    """
    Read the variables of a payload, in order; names may repeat.

    @raise BadPacket: a name is empty or a length points past the end.
    """
    position, end = 0, len(payload)
    while position < end:
        name, position = _item(payload, position)
        if not name:
            raise BadPacket(f"a variable without a name at byte {position - 2}")
        value, position = _item(payload, position)
        yield name, value


def find_variables(payload: bytes, names: frozenset[bytes]) -> dict[bytes, bytes]:
    """
    The values of a few variables; of equal names the last one counts, as for a
    uWSGI worker.

    It is read for every request, so it makes nothing of the other variables.

    @raise BadPacket: as L{iterate_variables}.
    """
    found: dict[bytes, bytes] = {}
    sizes = _sizes(names)
    position, end = 0, len(payload)
    try:
        while position < end:
            size = payload[position] + (payload[position + 1] << 8)
            value = position + 2 + size
            stop = value + 2 + payload[value] + (payload[value + 1] << 8)
            if size in sizes and (name := payload[position + 2 : value]) in names:
                found[name] = payload[value + 2 : stop]
            elif not size:
                raise BadPacket(f"a variable without a name at byte {position}")
            position = stop
    except IndexError:
        position = end + 1
    if position > end:
        raise BadPacket(f"a length points past the end of {end} bytes")
    return found


def without_prefix(payload: bytes, prefix: bytes, kept: frozenset[bytes]) -> bytes:
    """
    A payload without the variables whose names begin with C{prefix}, except
    those of C{kept}.

    @raise BadPacket: as L{iterate_variables}.
    """
    return encode_variables(
        (name, value)
        for name, value in iterate_variables(payload)
        if name in kept or not name.startswith(prefix)
    )


@lru_cache(maxsize=16)
def _sizes(names: frozenset[bytes]) -> frozenset[int]:
    return frozenset(len(name) for name in names)


def _item(payload: bytes, position: int) -> tuple[bytes, int]:
    start = position + 2
    stop = start + int.from_bytes(payload[position:start], "little")
    if stop > len(payload):
        raise BadPacket(f"a length at byte {position} points past the end of {len(payload)} bytes")
    return payload[start:stop], stop


def encode_variable(name: bytes, value: bytes) -> bytes:
    """
    One variable of a payload.

    @raise PacketTooLarge: the name or the value is over 65,535 bytes.
    """
    try:
        return b"%b%b%b%b" % (_LENGTHS[len(name)], name, _LENGTHS[len(value)], value)
    except IndexError:
        return _encode_long(name, value)


def _encode_long(name: bytes, value: bytes) -> bytes:
    if max(len(name), len(value)) > PAYLOAD_LIMIT:
        raise PacketTooLarge(f"{name[:40]!r} has {len(value)} bytes")
    return b"%b%b%b%b" % (pack("<H", len(name)), name, pack("<H", len(value)), value)


def encode_item(item: bytes) -> bytes:
    """
    A name or a value of a payload, of 65,535 bytes at most.
    """
    size = len(item)
    return (_LENGTHS[size] if size < len(_LENGTHS) else pack("<H", size)) + item


def encode_variables(variables: Iterable[tuple[bytes, bytes]]) -> bytes:
    """
    A payload of these variables.

    @raise PacketTooLarge: they do not fit into one packet.
    """
    payload = b"".join(encode_variable(name, value) for name, value in variables)
    check_size(payload)
    return payload


def check_size(payload: bytes) -> None:
    """
    Make sure that a payload fits into a packet.

    @raise PacketTooLarge: it does not.
    """
    if len(payload) > PAYLOAD_LIMIT:
        raise PacketTooLarge(f"{len(payload)} bytes of variables; a packet has {PAYLOAD_LIMIT}")


def build_packet(modifier1: int, payload: bytes, modifier2: int) -> bytes:
    """
    The bytes of a packet; C{payload} is at most L{PAYLOAD_LIMIT} long.
    """
    return HEADER.pack(modifier1, len(payload), modifier2) + payload
