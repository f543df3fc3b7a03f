"""
Tests for L{emperor.wire.seals}.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.seals import load_seal_verifier, load_sealer
from emperor.wire.signatures import BadKey
from emperor.wire.subscription import (
    Announcement,
    Scheme,
    Seal,
    Sealing,
    build_announcement,
    parse_announcement,
)
from tests.wire.announcements import fresh_key, private_key, private_pem, public_pem

SECRET = b"0123456789abcdef"


def seal(covered: bytes, value: bytes) -> Seal:
    """
    One whose other parts do not matter here.
    """
    return Seal(Scheme.ED25519, 0, b"", covered, value)


class SealTests(SynchronousTestCase):
    """
    What one side has sealed, the other recognises.
    """

    def test_ed25519(self) -> None:
        """
        The file's content says that it is a private key.
        """
        key = private_key("ed25519")
        sealer = load_sealer(private_pem(key))
        self.assertEqual(sealer.scheme, Scheme.ED25519)
        verify = load_seal_verifier(sealer.scheme, public_pem(key))
        other = load_seal_verifier(sealer.scheme, public_pem(fresh_key("ed25519")))
        value = sealer.make(b"text")
        self.assertTrue(verify(seal(b"text", value)))
        self.assertFalse(verify(seal(b"test", value)))
        self.assertFalse(other(seal(b"text", value)))

    def test_secret(self) -> None:
        """
        White space around a secret, as editors leave it, is not part of it.
        """
        sealer = load_sealer(SECRET)
        self.assertEqual(sealer.scheme, Scheme.HMAC_SHA256)
        value = sealer.make(b"text")
        self.assertEqual(value, hmac.new(SECRET, b"text", hashlib.sha256).digest())
        verify = load_seal_verifier(sealer.scheme, SECRET + b"\n")
        other = load_seal_verifier(sealer.scheme, b"f" + SECRET)
        self.assertTrue(verify(seal(b"text", value)))
        self.assertFalse(verify(seal(b"test", value)))
        self.assertFalse(other(seal(b"text", value)))

    @given(st.binary(max_size=100))
    def test_garbage(self, value: bytes) -> None:
        """
        Any bytes in place of a seal are wrong, and nothing else.
        """
        for scheme, data in (
            (Scheme.ED25519, public_pem(private_key("ed25519"))),
            (Scheme.HMAC_SHA256, SECRET),
        ):
            self.assertFalse(load_seal_verifier(scheme, data)(seal(b"text", value)))

    def test_bad_keys(self) -> None:
        """
        What is no key for a seal is refused, a public key as a secret first of
        all.
        """
        edwards, rsa = private_key("ed25519"), private_key("rsa")
        for scheme, data, reason in (
            (Scheme.HMAC_SHA256, public_pem(edwards), "a PEM file is no secret"),
            (Scheme.HMAC_SHA256, b"  short   \n", "5 bytes; accepted: at least 16"),
            (Scheme.ED25519, public_pem(rsa), "not Ed25519"),
            (Scheme.ED25519, SECRET, "no public key"),
        ):
            error = self.assertRaises(BadKey, load_seal_verifier, scheme, data)
            self.assertIn(reason, str(error))
        for data, reason in (
            (private_pem(rsa), "not Ed25519"),
            (public_pem(edwards), "no private key"),
            (b"", "0 bytes"),
        ):
            error = self.assertRaises(BadKey, load_sealer, data)
            self.assertIn(reason, str(error))


class ExampleTests(SynchronousTestCase):
    """
    The example in the reference, by which others can check what they write.
    """

    def test_example(self) -> None:
        """
        We make the same bytes, and read them.
        """
        page = Path(__file__).parents[2] / "docs" / "reference" / "subscriptions.md"
        _, _, rest = page.read_text("utf-8").partition("```hex\n")
        data = bytes.fromhex(rest.partition("```")[0])
        secret = b"0123456789abcdef0123456789abcdef"
        sealer = load_sealer(secret)
        time, nonce = 1_795_275_073_000_123, bytes(range(16))
        value = Announcement(
            leaving=True, key="foo.com", address="192.0.2.1:3031", modifier1=5, cores=4, weight=2
        )
        sealing = Sealing(sealer.scheme, time, nonce, sealer.make)
        self.assertEqual(build_announcement(value, sealing=sealing), data)
        text = b"uwsgi-subscription-v2\0" + bytes([224, 1]) + data[4 : data.index(b"\x07\0v2-sign")]
        self.assertEqual(hmac.new(secret, text, hashlib.sha256).digest(), data[-32:])
        found = parse_announcement(data).seal
        assert found is not None
        self.assertTrue(load_seal_verifier(found.scheme, secret)(found))
