"""
Announcements and keys for tests.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import strategies as st

from emperor.wire.subscription import Announcement
from emperor.wire.uwsgi import build_packet, encode_variables

NUMBERS = st.integers(0, 2**64 - 1)
BYTES = st.integers(0, 255)
TEXTS = st.binary(max_size=60).map(lambda value: value.decode("utf-8", "surrogateescape"))
NAMES = st.binary(min_size=1, max_size=255).map(
    lambda value: value.decode("utf-8", "surrogateescape")
)

ANNOUNCEMENTS = st.builds(
    Announcement,
    leaving=st.booleans(),
    key=st.binary(min_size=1, max_size=255).map(lambda value: value.decode("latin-1")),
    address=NAMES,
    modifier1=BYTES,
    modifier2=BYTES,
    cores=NUMBERS,
    load=NUMBERS,
    weight=st.integers(1, 1_000_000),
    backup=BYTES,
    algorithm=TEXTS,
    protocol=st.sampled_from(["uwsgi", "http"]),
    vassal=TEXTS,
    inactive=st.booleans(),
    clear=st.booleans(),
    sni_key=TEXTS,
    sni_certificate=TEXTS,
    sni_authority=TEXTS,
    notify=TEXTS,
    sent=NUMBERS,
)


def announcement(**changes: Any) -> Announcement:
    """
    One in order.
    """
    values = {"leaving": False, "key": "foo.com", "address": "127.0.0.1:3031", **changes}
    return Announcement(**values)


def datagram(*pairs: tuple[bytes, bytes], modifier1: int = 224, modifier2: int = 0) -> bytes:
    """
    Bytes of these variables behind the ones that must be there.
    """
    names = {name for name, _ in pairs}
    first = [(b"key", b"foo.com"), (b"address", b"127.0.0.1:3031")]
    payload = encode_variables([*(pair for pair in first if pair[0] not in names), *pairs])
    return build_packet(modifier1, payload, modifier2)


def leaving(data: bytes) -> bytes:
    """
    The same bytes with the other word in their header.
    """
    return data[:3] + bytes([1 - data[3]]) + data[4:]


@cache
def private_key(kind: str) -> Any:
    """
    A key of C{"rsa"}, C{"ec"}, C{"dsa"} or C{"ed25519"}, always the same one.
    """
    return fresh_key(kind)


def fresh_key(kind: str) -> Any:
    """
    A key of which there is no other.
    """
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return dsa.generate_private_key(1024) if kind == "dsa" else Ed25519PrivateKey.generate()


def private_pem(key: Any) -> bytes:
    """
    What is in the file of a private key.
    """
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


def public_pem(key: Any) -> bytes:
    """
    What is in the file of its public key.
    """
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem
