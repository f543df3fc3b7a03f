"""
Tests for L{emperor.wire.signatures}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.signatures import DIGESTS, BadKey, digest, load_signer, load_verifier
from emperor.wire.subscription import Signature
from tests.wire.announcements import fresh_key, private_key, private_pem, public_pem

SHA256 = digest("SHA256")


class SignatureTests(SynchronousTestCase):
    """
    What a private key has signed, its public key recognises.
    """

    def test_kinds(self) -> None:
        """
        RSA, EC and DSA; another text, another value or another key is wrong.
        """
        for kind in ("rsa", "ec", "dsa"):
            key = private_key(kind)
            value = load_signer(private_pem(key), SHA256)(b"text")
            verify = load_verifier(public_pem(key), SHA256)
            other = load_verifier(public_pem(fresh_key(kind)), SHA256)
            self.assertTrue(verify(Signature(b"text", value)), kind)
            self.assertFalse(verify(Signature(b"test", value)), kind)
            self.assertFalse(verify(Signature(b"text", value[:-1])), kind)
            self.assertFalse(verify(Signature(b"text", b"")), kind)
            self.assertFalse(other(Signature(b"text", value)), kind)

    def test_digests(self) -> None:
        """
        Every digest that is named works, and only with itself.
        """
        private, public = private_pem(private_key("rsa")), public_pem(private_key("rsa"))
        values = {name: load_signer(private, digest(name))(b"text") for name in DIGESTS}
        for name, value in values.items():
            for other in DIGESTS:
                verify = load_verifier(public, digest(other))
                self.assertEqual(verify(Signature(b"text", value)), name == other)

    def test_names(self) -> None:
        """
        OpenSSL's other ways to write a digest.
        """
        for text, name in (
            ("sha1", "sha1"),
            ("RSA-SHA256", "sha256"),
            ("sha512/256", "sha512-256"),
        ):
            self.assertEqual(digest(text).name, name)
        error = self.assertRaises(BadKey, digest, "CRC32")
        self.assertIn("accepted: MD5, SHA1", str(error))

    @given(st.binary(max_size=600))
    def test_garbage(self, value: bytes) -> None:
        """
        Any bytes in place of a signature are wrong, and nothing else.
        """
        for kind in ("rsa", "ec", "dsa"):
            verify = load_verifier(public_pem(private_key(kind)), SHA256)
            self.assertFalse(verify(Signature(b"text", value)))

    @given(st.binary(max_size=100))
    def test_garbage_keys(self, data: bytes) -> None:
        """
        A file that is no key is said to be none.
        """
        for pem in (data, b"-----BEGIN PUBLIC KEY-----\n" + data):
            self.assertRaises(BadKey, load_verifier, pem, SHA256)
            self.assertRaises(BadKey, load_signer, pem, SHA256)

    def test_other_keys(self) -> None:
        """
        A key that does not sign so is refused, and so is the wrong half.
        """
        edwards, rsa = private_key("ed25519"), private_key("rsa")
        for load, pem, reason in (
            (load_verifier, public_pem(edwards), "neither RSA nor EC nor DSA"),
            (load_signer, private_pem(edwards), "neither RSA nor EC nor DSA"),
            (load_verifier, private_pem(rsa), "no public key"),
            (load_signer, public_pem(rsa), "no private key"),
        ):
            error = self.assertRaises(BadKey, load, pem, SHA256)
            self.assertIn(reason, str(error))
