"""
Seals: our signatures of subscriptions, which cover the whole datagram.

A seal is made with an Ed25519 key or with a secret that both sides have.  Each
scheme has its own keys: a public key is never taken for a secret.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from emperor.wire.signatures import BadKey
from emperor.wire.subscription import Scheme, Seal

#: Bytes of a secret, without the white space around it.
SECRET_MINIMUM = 16

#: Whether a seal is good.
SealVerifier = Callable[[Seal], bool]


@dataclass(frozen=True, slots=True)
class Sealer:
    """
    What makes seals with one key.

    @ivar make: gives the seal of what it covers.
    """

    scheme: Scheme
    make: Callable[[bytes], bytes]


def load_seal_verifier(scheme: Scheme, data: bytes) -> SealVerifier:
    """
    What checks seals with the content of a key's file.

    @raise BadKey: it is no key of this scheme.
    """
    if scheme is Scheme.HMAC_SHA256:
        make = _hmac(data)
        return lambda seal: hmac.compare_digest(make(seal.covered), seal.value)
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey(f"no public key in PEM form ({error})") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadKey("the public key is not Ed25519")

    def verify(seal: Seal) -> bool:
        try:
            key.verify(seal.value, seal.covered)
        except InvalidSignature:
            return False
        return True

    return verify


def load_sealer(data: bytes) -> Sealer:
    """
    What seals: an Ed25519 private key in PEM form, or else a secret.

    @raise BadKey: it is neither.
    """
    if not data.lstrip().startswith(b"-----BEGIN"):
        return Sealer(Scheme.HMAC_SHA256, _hmac(data))
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKey(f"no private key in PEM form ({error})") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey("the private key is not Ed25519")
    return Sealer(Scheme.ED25519, key.sign)


def _hmac(data: bytes) -> Callable[[bytes], bytes]:
    secret = data.strip()
    if secret.startswith(b"-----BEGIN"):
        raise BadKey("a PEM file is no secret")
    if len(secret) < SECRET_MINIMUM:
        raise BadKey(f"the secret has {len(secret)} bytes; accepted: at least {SECRET_MINIMUM}")
    return lambda covered: hmac.digest(secret, covered, "sha256")
