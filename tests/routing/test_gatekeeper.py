"""
Tests for L{emperor.routing.gatekeeper}.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import Policy
from emperor.routing.freshness import MICROSECONDS
from emperor.routing.gatekeeper import (
    AdmissionRules,
    Cause,
    Credentials,
    Gatekeeper,
    Rejected,
    key_name,
)
from emperor.wire.seals import SealVerifier, load_seal_verifier, load_sealer
from emperor.wire.signatures import BadKey, MissingKey, Verifier, digest, load_signer, load_verifier
from emperor.wire.subscription import (
    Announcement,
    Scheme,
    Sealing,
    build_announcement,
    parse_announcement,
)
from tests.routing.nodes import taken
from tests.wire.announcements import (
    announcement,
    fresh_key,
    leaving,
    private_key,
    private_pem,
    public_pem,
)

SHA256 = digest("SHA256")
NOW = 1_700_000_000
ALICE = Credentials(1, 1000, 1000)


class MemoryKeys:
    """
    Keys by the names of their files.
    """

    algorithm = SHA256

    def __init__(self, **files: bytes) -> None:
        self.files = {name.replace("__", "."): data for name, data in files.items()}
        self.owned: dict[str, list[tuple[int, int]]] = {}
        self.asked: list[str] = []

    def verifier(self, name: str) -> Verifier:
        return load_verifier(self._file(f"{name}.pem"), self.algorithm)

    def seal_verifier(self, scheme: Scheme, name: str) -> SealVerifier:
        suffix = "secret" if scheme is Scheme.HMAC_SHA256 else "ed25519"
        return load_seal_verifier(scheme, self._file(f"{name}.{suffix}"))

    def owners(self, name: str) -> Collection[tuple[int, int]]:
        return self.owned.get(name, [])

    def _file(self, name: str) -> bytes:
        self.asked.append(name)
        if name not in self.files:
            raise MissingKey(f"{name}: no such file")
        return self.files[name]


def signed(value: Announcement, kind: str = "rsa", **more: Any) -> bytes:
    """
    A datagram with uWSGI's signature.
    """
    return build_announcement(
        value, sign=load_signer(private_pem(private_key(kind)), SHA256), **more
    )


def sealing(time: float = NOW, nonce: bytes = b"n" * 16, key: bytes = b"") -> Sealing:
    """
    Ours, with the Ed25519 key if none is given.
    """
    sealer = load_sealer(key or private_pem(private_key("ed25519")))
    return Sealing(sealer.scheme, int(time * MICROSECONDS), nonce, sealer.make)


def sealed(value: Announcement, **details: Any) -> bytes:
    """
    A datagram with our seal.
    """
    return build_announcement(value, sealing=sealing(**details))


class GatekeeperTests(SynchronousTestCase):
    """
    Datagrams at the gate.
    """

    def setUp(self) -> None:
        self.keys = MemoryKeys(
            foo__com__pem=public_pem(private_key("rsa")),
            foo__com__ed25519=public_pem(private_key("ed25519")),
        )
        self.gate(Policy.SIGNED)

    def gate(self, policy: Policy = Policy.PERMISSIVE, **rules: Any) -> None:
        self.gatekeeper = Gatekeeper(AdmissionRules(policy, **rules), self.keys)

    def enter(
        self, data: bytes, now: float = NOW, credentials: Credentials | None = None
    ) -> str | None:
        """
        @return: L{None} or the word for the reason.
        """
        try:
            self.gatekeeper.check(parse_announcement(data), now, credentials)
        except Rejected as rejected:
            self.reason = str(rejected)
            return rejected.cause.value
        return None

    def test_permissive(self) -> None:
        """
        Anybody, and no key is looked for.
        """
        self.gate(Policy.PERMISSIVE)
        self.assertIsNone(self.enter(build_announcement(announcement())))
        self.assertIsNone(self.enter(signed(announcement(key="bar.com"))))
        self.assertEqual(self.keys.asked, [])

    def test_unsigned(self) -> None:
        """
        Who signs neither so nor so is turned away, to come and to leave.
        """
        for leaves in (False, True):
            data = build_announcement(announcement(leaving=leaves))
            for policy in (Policy.SIGNED, Policy.V2):
                self.gate(policy)
                self.assertEqual(self.enter(data), "unsigned")

    def test_signed(self) -> None:
        """
        uWSGI's signature, with each kind of key, lets in and out.
        """
        for kind in ("rsa", "ec", "dsa"):
            self.keys = MemoryKeys(foo__com__pem=public_pem(private_key(kind)))
            self.gate(Policy.SIGNED)
            self.assertIsNone(self.enter(signed(announcement(sent=NOW), kind)))
            bye = signed(announcement(sent=NOW + 1, leaving=True), kind)
            self.assertIsNone(self.enter(bye))

    def test_wrong_signature(self) -> None:
        """
        A changed datagram, or another key.
        """
        data = signed(announcement(sent=NOW))
        self.assertEqual(self.enter(data.replace(b":3031", b":3032")), "signature")
        self.keys.files["foo.com.pem"] = public_pem(fresh_key("rsa"))
        self.assertEqual(self.enter(data), "signature")

    def test_wrong_signatures_leave_no_trace(self) -> None:
        """
        Who cannot sign cannot make the gate remember anything.
        """
        data = signed(announcement(sent=NOW + 50)).replace(b":3031", b":3032")
        self.enter(data)
        forged = sealed(announcement(), key=private_pem(fresh_key("ed25519")))
        self.enter(forged)
        self.assertEqual(taken(self.gatekeeper.snapshot()), {"signatures": [], "seals": []})
        self.assertIsNone(self.enter(sealed(announcement())))

    def test_no_key(self) -> None:
        """
        The reason names the file that is missing or broken.
        """
        self.assertEqual(self.enter(signed(announcement(key="bar.com", sent=NOW))), "key")
        self.assertIn("bar.com.pem: no such file", self.reason)
        self.keys.files["foo.com.pem"] = b"garbage"
        self.assertEqual(self.enter(signed(announcement(sent=NOW))), "key")
        self.assertIn("no public key", self.reason)

    def test_no_key_for_a_seal(self) -> None:
        """
        Under either policy the missing file is named.
        """
        for policy in (Policy.SIGNED, Policy.V2):
            self.gate(policy)
            self.assertEqual(self.enter(sealed(announcement(key="bar.com"))), "key")
            self.assertIn("bar.com.ed25519: no such file", self.reason)

    def test_recorded(self) -> None:
        """
        A datagram that was heard is not heard again, in neither sense.
        """
        data = signed(announcement(sent=NOW))
        self.assertIsNone(self.enter(data))
        self.assertEqual(self.enter(data, NOW + 3), "stale")
        self.assertEqual(self.enter(leaving(data)), "stale")

    def test_without_time(self) -> None:
        """
        A signature that does not say when is not new.
        """
        self.assertEqual(self.enter(signed(announcement())), "stale")

    def test_tolerance(self) -> None:
        """
        The tolerance is the configuration's.
        """
        self.gate(Policy.SIGNED, tolerance=100)
        self.assertEqual(self.enter(signed(announcement(sent=NOW)), NOW + 101), "stale")
        self.assertIsNone(self.enter(signed(announcement(sent=NOW)), NOW + 100))

    def test_sealed(self) -> None:
        """
        Our seal, with either kind of key, is enough under both policies.
        """
        secret = b"s" * 32
        self.keys.files["foo.com.secret"] = secret
        for policy in (Policy.SIGNED, Policy.V2):
            self.gate(policy)
            self.assertIsNone(self.enter(sealed(announcement())))
            bye = sealed(announcement(leaving=True), time=NOW + 1, key=secret, nonce=b"m" * 16)
            self.assertIsNone(self.enter(bye))

    def test_wrong_seal(self) -> None:
        """
        The seal covers every byte, the word in the header too.
        """
        self.gate(Policy.V2)
        data = sealed(announcement())
        self.assertEqual(self.enter(leaving(data)), "signature")
        self.assertEqual(self.enter(data.replace(b":3031", b":3032")), "signature")
        self.assertEqual(self.enter(data.replace(b"n" * 16, b"m" * 16)), "signature")
        self.assertIsNone(self.enter(data))

    def test_repeated_seal(self) -> None:
        """
        Each datagram once, and none that is older than the tolerance.
        """
        self.gate(Policy.V2, seal_tolerance=10)
        data = sealed(announcement())
        self.assertIsNone(self.enter(data))
        self.assertEqual(self.enter(data), "stale")
        self.assertEqual(self.enter(sealed(announcement(), nonce=b"m" * 16), NOW + 11), "stale")

    def test_v2_only(self) -> None:
        """
        With the policy v2 uWSGI's signature is nothing, and a key is needed.
        """
        self.gate(Policy.V2)
        self.assertEqual(self.enter(signed(announcement(sent=NOW))), "unsigned")
        data = signed(announcement(sent=NOW), sealing=sealing())
        del self.keys.files["foo.com.ed25519"]
        self.assertEqual(self.enter(data), "key")

    def test_both(self) -> None:
        """
        A datagram with both: ours decides if there is a key for it, so that
        nobody gains by spoiling it; else uWSGI's does.
        """
        data = signed(announcement(sent=NOW), sealing=sealing())
        self.assertEqual(self.enter(leaving(data)), "signature")
        self.assertIsNone(self.enter(data))
        self.assertEqual(self.enter(data), "stale")
        del self.keys.files["foo.com.ed25519"]
        self.gate(Policy.SIGNED)
        self.assertIsNone(self.enter(data))
        self.keys.files["foo.com.ed25519"] = b"garbage"
        self.assertEqual(self.enter(data), "key")

    def test_skipped_users(self) -> None:
        """
        Users whose word the kernel vouches for need no proof; root does.
        """
        data = build_announcement(announcement())
        for policy in (Policy.SIGNED, Policy.V2):
            self.gate(policy, skip_uids=frozenset([0, 1000]))
            self.assertIsNone(self.enter(data, credentials=ALICE))
            for other in (None, Credentials(1, 1001, 1000), Credentials(1, 0, 0)):
                self.assertEqual(self.enter(data, credentials=other), "unsigned")

    def test_credentials_needed(self) -> None:
        """
        Without the kernel's word on the sender nothing is taken.
        """
        self.gate(use_credentials=True)
        data = build_announcement(announcement())
        self.assertEqual(self.enter(data), "credentials")
        self.assertIsNone(self.enter(data, credentials=ALICE))

    def test_owners(self) -> None:
        """
        User and group must be those of the key's file, to come and to leave.
        """
        self.gate(check_owners=True)
        self.keys.owned["foo.com"] = [(0, 0), (1000, 1000)]
        for leaves in (False, True):
            data = build_announcement(announcement(leaving=leaves))
            self.assertIsNone(self.enter(data, credentials=ALICE))
            for other in (None, Credentials(1, 1000, 1001), Credentials(1, 1001, 1000)):
                self.assertEqual(self.enter(data, credentials=other), "credentials")
        self.assertIn("user 1001 of group 1000 owns no file 'foo.com'", self.reason)

    def test_owner_must_sign(self) -> None:
        """
        To own the file does not replace a signature.
        """
        self.gate(Policy.SIGNED, check_owners=True)
        self.keys.owned["foo.com"] = [(1000, 1000)]
        data = build_announcement(announcement())
        self.assertEqual(self.enter(data, credentials=ALICE), "unsigned")

    def test_names(self) -> None:
        """
        A key's files have its name, with what a path could misunderstand
        replaced.
        """
        for key, name in (
            ("foo.com", "foo.com"),
            ("a.it:8000", "a.it_8000"),
            ("../../etc/x", ".._.._etc_x"),
            ("A-b_c", "A-b_c"),
            ("\xe4\0\n ", "____"),
            ("foo.com/app", "foo.com_app"),
        ):
            self.assertEqual(key_name(key, mountpoints=False), name)
        self.assertEqual(key_name("foo.com/app/x", mountpoints=True), "foo.com")

    def test_mountpoints(self) -> None:
        """
        Who may announce a host may announce what is below it.
        """
        self.gate(Policy.SIGNED, mountpoints=True)
        self.assertIsNone(self.enter(signed(announcement(key="foo.com/app", sent=NOW))))

    def test_snapshot(self) -> None:
        """
        Who restarts still knows what was heard before.
        """
        first = signed(announcement(sent=NOW))
        bye = sealed(announcement(leaving=True), nonce=b"m" * 16)
        self.assertIsNone(self.enter(first))
        self.assertIsNone(self.enter(bye))
        snapshot = taken(self.gatekeeper.snapshot())
        self.gate(Policy.SIGNED)
        self.gatekeeper.restore(snapshot)
        self.assertEqual(self.enter(first), "stale")
        self.assertEqual(self.enter(bye), "stale")
        self.assertRaises(ValueError, self.gatekeeper.restore, {"seals": [["x"]]})

    def test_causes(self) -> None:
        """
        The words to count by are short and different.
        """
        self.assertEqual(len({cause.value for cause in Cause}), len(Cause))
        self.assertTrue(issubclass(MissingKey, BadKey))
