"""
Who may put a node into a pool, and take it out: the same for both.

Keys and credentials belong to names of files, made from the pool's key; the
files are read elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from emperor.config.settings import Policy
from emperor.routing.freshness import Row, SealFreshness, SignatureFreshness, Stale
from emperor.wire.seals import SealVerifier
from emperor.wire.signatures import BadKey, MissingKey, Verifier
from emperor.wire.subscription import Announcement, Datagram, Scheme

#: Seconds by which a sealing node's clock may differ from ours.
SEAL_TOLERANCE = 60.0

_UNSAFE = re.compile(r"[^0-9A-Za-z._-]")


class Cause(Enum):
    """
    Why a subscription was turned away, as a word to count by.
    """

    #: A proof is needed and there is none.
    UNSIGNED = "unsigned"
    #: There is no key to check the proof with, or it cannot be used.
    KEY = "key"
    #: The proof is wrong.
    SIGNATURE = "signature"
    #: It was said before, or too long ago, or by a clock that is wrong.
    STALE = "stale"
    #: The sender's user must not announce this key.
    CREDENTIALS = "credentials"


class Rejected(Exception):
    """
    A subscription that is turned away; the message says why.
    """

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Credentials:
    """
    Who has sent a datagram over a UNIX socket, as the kernel says.
    """

    pid: int
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class AdmissionRules:
    """
    What the configuration says.

    @ivar tolerance: seconds by which the clock of a node that signs may differ
        from ours.
    @ivar seal_tolerance: the same for a node that seals.
    @ivar skip_uids: users who need no proof; root is never one of them.
    @ivar use_credentials: whether the kernel must have named the sender.
    @ivar check_owners: whether he must own the file of the key.
    @ivar mountpoints: whether the files belong to the part of a key before its
        first slash.
    """

    policy: Policy = Policy.PERMISSIVE
    tolerance: float = 86400
    seal_tolerance: float = SEAL_TOLERANCE
    skip_uids: frozenset[int] = frozenset()
    use_credentials: bool = False
    check_owners: bool = False
    mountpoints: bool = False


class Keys(Protocol):
    """
    The files of keys, by their names.
    """

    def verifier(self, name: str) -> Verifier:
        """
        What checks signatures.

        @raise MissingKey: there is no file.
        @raise BadKey: it cannot be used.
        """

    def seal_verifier(self, scheme: Scheme, name: str) -> SealVerifier:
        """
        What checks seals.

        @raise MissingKey: there is no file.
        @raise BadKey: it cannot be used.
        """

    def owners(self, name: str) -> Collection[tuple[int, int]]:
        """
        The users and groups that own the files for this key.
        """


def key_name(key: str, *, mountpoints: bool) -> str:
    """
    The name of a key's files, without what stands behind it.
    """
    if mountpoints:
        key = key.partition("/")[0]
    return _UNSAFE.sub("_", key)


class Gatekeeper:
    """
    Checks datagrams, one after the other, and remembers what it let in.
    """

    def __init__(self, rules: AdmissionRules, keys: Keys) -> None:
        self._rules = rules
        self._keys = keys
        self._signatures = SignatureFreshness(rules.tolerance)
        self._seals = SealFreshness(rules.seal_tolerance)

    def check(self, datagram: Datagram, now: float, credentials: Credentials | None = None) -> None:
        """
        Let a datagram in.

        @param now: seconds of the epoch.
        @param credentials: L{None}: the kernel did not say who has sent it.
        @raise Rejected: it must not be heeded.
        """
        rules = self._rules
        name = key_name(datagram.announcement.key, mountpoints=rules.mountpoints)
        self._check_credentials(name, credentials)
        if rules.policy is Policy.PERMISSIVE or self._is_trusted(credentials):
            return
        try:
            if not self._sealed(name, datagram, now):
                self._check_signature(name, datagram, now)
        except BadKey as error:
            raise Rejected(Cause.KEY, str(error)) from error
        except Stale as error:
            raise Rejected(Cause.STALE, str(error)) from error

    def snapshot(self) -> dict[str, Iterator[Row]]:
        """
        What L{restore} takes, so that a restart lets no repetition in; lists,
        strings and numbers only, to be taken in pieces.
        """
        return {"signatures": self._signatures.snapshot(), "seals": self._seals.snapshot()}

    def restore(self, snapshot: Mapping[str, Iterable[Row]]) -> None:
        """
        Remember what another one has let in.

        @raise ValueError: it is no snapshot.
        """
        self._signatures.restore(snapshot.get("signatures", ()))
        self._seals.restore(snapshot.get("seals", ()))

    def _is_trusted(self, credentials: Credentials | None) -> bool:
        uid = credentials.uid if credentials else 0
        return uid > 0 and uid in self._rules.skip_uids

    def _check_credentials(self, name: str, credentials: Credentials | None) -> None:
        if not (self._rules.use_credentials or self._rules.check_owners):
            return
        if credentials is None:
            raise Rejected(Cause.CREDENTIALS, "the kernel did not say who has sent it")
        if not self._rules.check_owners:
            return
        if (credentials.uid, credentials.gid) not in self._keys.owners(name):
            raise Rejected(
                Cause.CREDENTIALS,
                f"user {credentials.uid} of group {credentials.gid} "
                f"owns no file {name!r} in subscriptions-credentials-check",
            )

    def _sealed(self, name: str, datagram: Datagram, now: float) -> bool:
        """
        Check the seal.

        @return: whether that is enough; if not, there may be a signature.
        """
        seal, announcement = datagram.seal, datagram.announcement
        sealed_only = self._rules.policy is Policy.V2
        if seal is None:
            if sealed_only:
                raise Rejected(Cause.UNSIGNED, "it has no v2-sign")
            return False
        try:
            verify = self._keys.seal_verifier(seal.scheme, name)
        except MissingKey:
            if sealed_only or datagram.signature is None:
                raise
            return False
        if not verify(seal):
            raise Rejected(Cause.SIGNATURE, "its v2-sign is wrong")
        self._seals.admit(
            name,
            _node(announcement),
            time=seal.time,
            nonce=seal.nonce,
            leaving=announcement.leaving,
            now=now,
        )
        return True

    def _check_signature(self, name: str, datagram: Datagram, now: float) -> None:
        signature, announcement = datagram.signature, datagram.announcement
        if signature is None:
            raise Rejected(Cause.UNSIGNED, "it is not signed")
        if not self._keys.verifier(name)(signature):
            raise Rejected(Cause.SIGNATURE, "its signature is wrong")
        self._signatures.admit(
            name,
            _node(announcement),
            sent=announcement.sent,
            leaving=announcement.leaving,
            now=now,
        )


def _node(announcement: Announcement) -> tuple[str, str]:
    return announcement.key, announcement.address or f"vassal {announcement.vassal}"
