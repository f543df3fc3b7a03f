"""
Subscriptions: datagrams by which servers put themselves into a pool.

A datagram is a uwsgi packet with C{modifier1} 224; C{modifier2} is 0 to
subscribe or to refresh, anything else to leave.  Its variables say which pool
(C{key}) and which node (C{address}), and how the node wants its requests.
Names without a meaning here are passed over, so that newer senders can say more.
Source: the uWSGI documentation, "uWSGI Subscription Server".

Two variables prove who sent it.  C{sign}, always the last one, is uWSGI's; it
covers the variables before it.  C{v2-sign} is ours; it covers the variables
before it and the header, and only C{sign} may follow it.  Here they are read
and written; L{emperor.wire.signatures} and L{emperor.wire.seals} make and
check them.

A datagram is taken whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from emperor.addresses import ANYBODY
from emperor.wire.fields import FIELDS, NUMBER_LIMIT, BadAnnouncement, number
from emperor.wire.uwsgi import HEADER, BadPacket, build_packet, encode_variable, iterate_variables

#: C{modifier1} of a subscription.
MODIFIER = 224

#: Bytes of a datagram, as uWSGI's servers take it.
DATAGRAM_LIMIT = 4096

#: Bytes of a seal's nonce.
NONCE_SIZES = range(16, 65)

#: What a seal covers begins so, that no seal can be taken for another text
#: made with the same key.
SEAL_CONTEXT = b"uwsgi-subscription-v2\0"

_SIGN, _SEAL = b"sign", b"v2-sign"
_SCHEME, _TIME, _NONCE = b"v2-scheme", b"v2-time", b"v2-nonce"
_SEAL_NAMES = (_SCHEME, _TIME, _NONCE, _SEAL)
_BY_NAME = {field.name: field for field in FIELDS}
_KNOWN = frozenset([*_BY_NAME, *_SEAL_NAMES, _SIGN])


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """
    What a subscription datagram says.

    Paths and names are decoded as Python decodes paths.

    @ivar leaving: whether the node leaves its pool.
    @ivar key: the pool's name, 1 to 255 bytes, each byte a character (latin-1).
    @ivar address: of the node, as the sender wrote it; empty only for a vassal
        that sleeps.
    @ivar weight: its share of the requests; at least 1.
    @ivar backup: 0 for a node that always serves; those of a higher level
        serve when no node of a lower one does.
    @ivar algorithm: how the pool chooses; empty: the router's default.
    @ivar protocol: C{"uwsgi"} or C{"http"}.
    @ivar vassal: the name of the Emperor's vassal that the node is; empty: none.
    @ivar inactive: the sender says that the vassal sleeps.
    @ivar clear: the node is a vassal that sleeps from now on.
    @ivar notify: the UNIX datagram socket that waits for the acknowledgement;
        empty: none.
    @ivar sent: the sender's clock, in seconds of the epoch; 0: it does not say.
    @ivar owner: see L{emperor.routing.pools.Target}; no datagram says it.
    """

    leaving: bool
    key: str
    address: str
    modifier1: int = 0
    modifier2: int = 0
    cores: int = 0
    load: int = 0
    weight: int = 1
    backup: int = 0
    algorithm: str = ""
    protocol: str = "uwsgi"
    vassal: str = ""
    inactive: bool = False
    clear: bool = False
    sni_key: str = ""
    sni_certificate: str = ""
    sni_authority: str = ""
    notify: str = ""
    sent: int = 0
    owner: int = ANYBODY


@dataclass(frozen=True, slots=True)
class Signature:
    """
    uWSGI's proof.

    @ivar covered: the variables before it.
    """

    covered: bytes
    value: bytes


class Scheme(Enum):
    """
    How a seal is made.
    """

    #: A private key seals, its public key checks.
    ED25519 = "ed25519"
    #: Both sides share a secret.
    HMAC_SHA256 = "hmac-sha256"


@dataclass(frozen=True, slots=True)
class Seal:
    """
    Our proof.

    @ivar time: the sender's clock, in microseconds of the epoch.
    @ivar nonce: chosen at random for this one datagram.
    @ivar covered: what C{value} was made of.
    """

    scheme: Scheme
    time: int
    nonce: bytes
    covered: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Sealing:
    """
    How to seal a datagram that is about to be built.

    @ivar make: gives the value for what is covered.
    """

    scheme: Scheme
    time: int
    nonce: bytes
    make: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Datagram:
    """
    What has come: an announcement, and what proves it.
    """

    announcement: Announcement
    signature: Signature | None = None
    seal: Seal | None = None


def parse_announcement(datagram: bytes) -> Datagram:
    """
    Read a datagram; its proofs are not checked here.

    @raise BadAnnouncement: it is malformed.
    """
    modifier2, payload = _unframed(datagram)
    found, starts = _known_variables(payload)
    announcement = _announcement(modifier2, found)
    signature = None
    end = len(payload)
    if _SIGN in found:
        end = starts[_SIGN]
        _check_last(_SIGN, found, starts, len(payload))
        signature = Signature(payload[:end], found[_SIGN])
    if not any(name in found for name in _SEAL_NAMES):
        return Datagram(announcement, signature)
    for name in _SEAL_NAMES:
        if name not in found:
            raise BadAnnouncement(f"{name.decode()} is missing beside the other v2 variables")
    _check_last(_SEAL, found, starts, end)
    covered = _covered(modifier2, payload[: starts[_SEAL]])
    return Datagram(announcement, signature, _seal(found, covered))


def build_announcement(
    announcement: Announcement,
    *,
    sealing: Sealing | None = None,
    sign: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """
    A datagram, its variables in the order in which uWSGI sends them.

    @param sign: makes uWSGI's signature of what it covers.
    @raise BadAnnouncement: it would be one that L{parse_announcement} refuses.
    """
    modifier2 = int(announcement.leaving)
    payload = b"".join(_encoded(announcement))
    if sealing:
        payload += _variable(_SCHEME, sealing.scheme.value.encode())
        payload += _variable(_TIME, b"%d" % sealing.time)
        payload += _variable(_NONCE, sealing.nonce)
        payload += _variable(_SEAL, sealing.make(_covered(modifier2, payload)))
    if sign:
        payload += _variable(_SIGN, sign(payload))
    _check_size(HEADER.size + len(payload))
    datagram = build_packet(MODIFIER, payload, modifier2)
    parse_announcement(datagram)
    return datagram


def _unframed(datagram: bytes) -> tuple[int, bytes]:
    _check_size(len(datagram))
    if len(datagram) < HEADER.size:
        raise BadAnnouncement(f"{len(datagram)} bytes; the header alone has {HEADER.size}")
    modifier1, size, modifier2 = HEADER.unpack_from(datagram)
    if modifier1 != MODIFIER:
        raise BadAnnouncement(f"modifier1 is {modifier1}; a subscription has {MODIFIER}")
    payload = datagram[HEADER.size :]
    if size != len(payload):
        raise BadAnnouncement(f"the header says {size} bytes, and {len(payload)} follow it")
    return modifier2, payload


def _check_size(size: int) -> None:
    if size > DATAGRAM_LIMIT:
        raise BadAnnouncement(f"over {DATAGRAM_LIMIT} bytes")


def _known_variables(payload: bytes) -> tuple[dict[bytes, bytes], dict[bytes, int]]:
    """
    The variables that have a meaning, and where each of them starts.
    """
    found: dict[bytes, bytes] = {}
    starts: dict[bytes, int] = {}
    position = 0
    try:
        for name, value in iterate_variables(payload):
            if name in found:
                raise BadAnnouncement(f"{name.decode()} is given twice")
            if name in _KNOWN:
                found[name], starts[name] = value, position
            position += _size(name, value)
    except BadPacket as error:
        raise BadAnnouncement(str(error)) from error
    return found, starts


def _size(name: bytes, value: bytes) -> int:
    return 2 + len(name) + 2 + len(value)


def _check_last(name: bytes, found: dict[bytes, bytes], starts: dict[bytes, int], end: int) -> None:
    if starts[name] + _size(name, found[name]) != end:
        behind = "only sign" if name == _SEAL else "nothing"
        raise BadAnnouncement(f"{name.decode()} must have {behind} behind it")


def _announcement(modifier2: int, found: dict[bytes, bytes]) -> Announcement:
    values: dict[str, Any] = {
        _BY_NAME[name].attribute: _BY_NAME[name].read(name.decode(), value)
        for name, value in found.items()
        if name in _BY_NAME
    }
    if "key" not in values:
        raise BadAnnouncement("key is missing")
    if not values.setdefault("address", "") and not values.get("vassal"):
        raise BadAnnouncement("address is missing; only a sleeping vassal may have none")
    return Announcement(leaving=modifier2 != 0, **values)


def _encoded(announcement: Announcement) -> Iterator[bytes]:
    for field in FIELDS:
        try:
            value = field.write(getattr(announcement, field.attribute))
        except UnicodeEncodeError as error:
            raise BadAnnouncement(f"{field.name.decode()} cannot be encoded: {error}") from error
        if value != field.usual:
            yield _variable(field.name, value)


def _variable(name: bytes, value: bytes) -> bytes:
    _check_size(len(value))
    return encode_variable(name, value)


def _covered(modifier2: int, payload: bytes) -> bytes:
    return SEAL_CONTEXT + bytes((MODIFIER, modifier2)) + payload


def _seal(found: dict[bytes, bytes], covered: bytes) -> Seal:
    try:
        scheme = Scheme(found[_SCHEME].decode("latin-1"))
    except ValueError:
        accepted = ", ".join(scheme.value for scheme in Scheme)
        raise BadAnnouncement(f"v2-scheme is {found[_SCHEME]!r}; accepted: {accepted}") from None
    if len(found[_NONCE]) not in NONCE_SIZES:
        raise BadAnnouncement(f"v2-nonce has {len(found[_NONCE])} bytes; accepted: 16 to 64")
    time = number(NUMBER_LIMIT)(_TIME.decode(), found[_TIME])
    return Seal(scheme, time, found[_NONCE], covered, found[_SEAL])
