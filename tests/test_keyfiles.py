"""
Tests for L{emperor.keyfiles}.
"""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from emperor import keyfiles
from emperor.keyfiles import SIZE_LIMIT, KeyFiles
from emperor.wire.signatures import BadKey, MissingKey, digest, load_signer
from emperor.wire.subscription import Scheme, Seal, Signature
from tests.wire.announcements import fresh_key, private_key, private_pem, public_pem


class KeyFilesTests(SynchronousTestCase):
    """
    Keys on a disk.
    """

    def setUp(self) -> None:
        self.place = Path(self.mktemp())
        self.place.mkdir()
        self.keys = KeyFiles(str(self.place), digest("SHA256"))

    def write(self, name: str, data: bytes) -> None:
        (self.place / name).write_bytes(data)

    def test_kinds(self) -> None:
        """
        Each kind of key has its own file.
        """
        rsa = private_key("rsa")
        self.write("foo.com.pem", public_pem(rsa))
        self.write("foo.com.ed25519", public_pem(private_key("ed25519")))
        self.write("foo.com.secret", b"s" * 16)
        value = load_signer(private_pem(rsa), digest("SHA256"))(b"text")
        self.assertTrue(self.keys.verifier("foo.com")(Signature(b"text", value)))
        for scheme in Scheme:
            verify = self.keys.seal_verifier(scheme, "foo.com")
            self.assertFalse(verify(Seal(scheme, 0, b"", b"", b"")))

    def test_read_once(self) -> None:
        """
        A file that has not changed is not read again.
        """
        self.write("foo.com.pem", public_pem(private_key("rsa")))
        first = self.keys.verifier("foo.com")
        self.assertIs(self.keys.verifier("foo.com"), first)

    def test_rotation(self) -> None:
        """
        A new key counts from the next datagram on, written over the old one or
        put in its place; one that is taken away counts no more.
        """
        keys = [private_key("rsa"), fresh_key("rsa"), fresh_key("rsa")]
        signers = [load_signer(private_pem(key), digest("SHA256")) for key in keys]

        def good() -> list[bool]:
            verify = self.keys.verifier("foo.com")
            return [verify(Signature(b"text", sign(b"text"))) for sign in signers]

        self.write("foo.com.pem", public_pem(keys[0]))
        self.assertEqual(good(), [True, False, False])
        self.write("foo.com.pem", public_pem(keys[1]))
        os.utime(self.place / "foo.com.pem", (1, 1))
        self.assertEqual(good(), [False, True, False])
        self.write("new", public_pem(keys[2]))
        os.utime(self.place / "new", (1, 1))
        (self.place / "new").rename(self.place / "foo.com.pem")
        self.assertEqual(good(), [False, False, True])
        (self.place / "foo.com.pem").unlink()
        self.assertRaises(MissingKey, good)

    def test_missing(self) -> None:
        """
        The file that is looked for is named.
        """
        error = self.assertRaises(MissingKey, self.keys.seal_verifier, Scheme.ED25519, "foo.com")
        self.assertEqual(str(error), f"{self.place}/foo.com.ed25519: no such file")

    def test_no_directory(self) -> None:
        """
        Without a directory nothing is read, whatever the working directory has.
        """
        keys = KeyFiles("", digest("SHA256"))
        error = self.assertRaises(MissingKey, keys.verifier, "foo.com")
        self.assertIn("no directory of keys", str(error))

    def test_unusable(self) -> None:
        """
        What is there and no key is a reason of its own, with the file's name.
        """
        self.write("garbage.pem", b"garbage")
        self.write("large.pem", b"x" * (SIZE_LIMIT + 1))
        (self.place / "directory.pem").mkdir()
        os.mkfifo(self.place / "pipe.pem")
        for name, reason in (
            ("garbage", "no public key"),
            ("large", "over 65536 bytes"),
            ("directory", "no regular file"),
            ("pipe", "no regular file"),
            ("n" * 300, "File name too long"),
        ):
            error = self.assertRaises(BadKey, self.keys.verifier, name)
            self.assertNotIsInstance(error, MissingKey)
            self.assertIn(f"{self.place}/{name}.pem: ", str(error))
            self.assertIn(reason, str(error))

    def test_bounded(self) -> None:
        """
        Only so many keys are kept; the one used longest ago is read again.
        """
        self.patch(keyfiles, "KEPT_LIMIT", 2)
        for name in ("a", "b", "c"):
            self.write(f"{name}.pem", public_pem(private_key("rsa")))
        found = []
        for name in ("a", "b", "a", "c", "a", "b"):
            found.append(self.keys.verifier(name))
        self.assertIs(found[0], found[2])
        self.assertIs(found[0], found[4])
        self.assertIsNot(found[1], found[5])

    def test_owners(self) -> None:
        """
        Regular files count, in every directory that is given.
        """
        other = Path(self.mktemp())
        other.mkdir()
        keys = KeyFiles("", digest("SHA256"), [str(self.place), str(other)])
        mine = (os.getuid(), os.getgid())
        self.assertEqual(keys.owners("foo.com"), [])
        self.write("foo.com", b"")
        self.assertEqual(keys.owners("foo.com"), [mine])
        (other / "foo.com").write_bytes(b"")
        self.assertEqual(keys.owners("foo.com"), [mine, mine])
        for name in ("..", ".", ""):
            self.assertEqual(keys.owners(name), [])
