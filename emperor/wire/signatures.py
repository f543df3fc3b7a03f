"""
uWSGI's signatures of subscriptions: RSA, EC or DSA keys with any digest.

What is signed, and with which padding, is as OpenSSL's C{EVP_Sign} has it:
PKCS#1 v1.5 for RSA.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from emperor.wire.subscription import Signature

#: By the names that OpenSSL has for them.
DIGESTS: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "MD5": hashes.MD5,
    "SHA1": hashes.SHA1,
    "SHA224": hashes.SHA224,
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
    "SHA512-224": hashes.SHA512_224,
    "SHA512-256": hashes.SHA512_256,
    "SHA3-224": hashes.SHA3_224,
    "SHA3-256": hashes.SHA3_256,
    "SHA3-384": hashes.SHA3_384,
    "SHA3-512": hashes.SHA3_512,
    "SM3": hashes.SM3,
}

#: Whether a signature is good.
Verifier = Callable[[Signature], bool]

#: Gives the signature of what it covers.
Signer = Callable[[bytes], bytes]


class BadKey(ValueError):
    """
    A key, or the name of a digest, that cannot be used; the message says why.
    """


class MissingKey(BadKey):
    """
    There is no such key.
    """


def digest(name: str) -> hashes.HashAlgorithm:
    """
    The digest that OpenSSL calls so, in small or capital letters.

    @raise BadKey: there is none of that name.
    """
    plain = name.upper().removeprefix("RSA-").replace("/", "-")
    if plain not in DIGESTS:
        raise BadKey(f"{name!r} is no digest; accepted: {', '.join(DIGESTS)}")
    return DIGESTS[plain]()


def load_verifier(pem: bytes, algorithm: hashes.HashAlgorithm) -> Verifier:
    """
    What checks signatures with a public key.

    @raise BadKey: C{pem} is no public key of a kind that signs so.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey(f"no public key in PEM form ({error})") from error
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey):
        raise BadKey("the public key is neither RSA nor EC nor DSA")

    def verify(signature: Signature) -> bool:
        try:
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(signature.value, signature.covered, padding.PKCS1v15(), algorithm)
            elif isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(signature.value, signature.covered, ec.ECDSA(algorithm))
            else:
                key.verify(signature.value, signature.covered, algorithm)
        except (InvalidSignature, ValueError):
            return False
        return True

    return verify


def load_signer(pem: bytes, algorithm: hashes.HashAlgorithm) -> Signer:
    """
    What signs with a private key.

    @raise BadKey: C{pem} is no private key of a kind that signs so, or it has
        a password.
    """
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKey(f"no private key in PEM form ({error})") from error
    if isinstance(key, rsa.RSAPrivateKey):
        rsa_key = key
        return lambda covered: rsa_key.sign(covered, padding.PKCS1v15(), algorithm)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        ec_key = key
        return lambda covered: ec_key.sign(covered, ec.ECDSA(algorithm))
    if isinstance(key, dsa.DSAPrivateKey):
        dsa_key = key
        return lambda covered: dsa_key.sign(covered, algorithm)
    raise BadKey("the private key is neither RSA nor EC nor DSA")
