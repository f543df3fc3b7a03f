"""
The keys of subscriptions, in files beside each other.

For a pool whose key makes the name C{NAME} there may be C{NAME.pem} (a public
key for uWSGI's signatures), C{NAME.ed25519} (a public key for seals) and
C{NAME.secret} (a secret for seals).  A file is read when it is needed, and again
when it has changed.
"""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from typing import TypeVar, cast

from cryptography.hazmat.primitives.hashes import HashAlgorithm

from emperor.wire.seals import SealVerifier, load_seal_verifier
from emperor.wire.signatures import BadKey, MissingKey, Verifier, load_verifier
from emperor.wire.subscription import Scheme

T = TypeVar("T")

#: Bytes of a key's file.
SIZE_LIMIT = 64 * 1024

#: Keys that are kept ready.
KEPT_LIMIT = 4_096

_SUFFIXES = {Scheme.ED25519: ".ed25519", Scheme.HMAC_SHA256: ".secret"}

_Fingerprint = tuple[int, int, int, int]


class KeyFiles:
    """
    The keys in one directory, and the directories whose files say who may
    announce what.
    """

    def __init__(
        self, directory: str, algorithm: HashAlgorithm, credentials: Iterable[str] = ()
    ) -> None:
        """
        @param directory: empty: there are no keys.
        @param algorithm: of uWSGI's signatures.
        """
        self._directory = directory
        self._algorithm = algorithm
        self._credentials = tuple(credentials)
        self._kept: OrderedDict[str, tuple[_Fingerprint, object]] = OrderedDict()

    def verifier(self, name: str) -> Verifier:
        """
        What checks uWSGI's signatures for the keys of this name.

        @raise MissingKey: there is no file.
        @raise BadKey: it cannot be used.
        """
        return self._key(name + ".pem", lambda data: load_verifier(data, self._algorithm))

    def seal_verifier(self, scheme: Scheme, name: str) -> SealVerifier:
        """
        What checks seals for the keys of this name.

        @raise MissingKey: there is no file.
        @raise BadKey: it cannot be used.
        """
        return self._key(name + _SUFFIXES[scheme], lambda data: load_seal_verifier(scheme, data))

    def owners(self, name: str) -> Collection[tuple[int, int]]:
        """
        Who owns the files of this name in the directories of credentials.
        """
        found = []
        for directory in self._credentials:
            try:
                status = os.stat(os.path.join(directory, name))
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                found.append((status.st_uid, status.st_gid))
        return found

    def _key(self, name: str, load: Callable[[bytes], T]) -> T:
        path = os.path.join(self._directory, name)
        if not self._directory:
            raise MissingKey(f"there is no directory of keys, for {name}")
        try:
            fingerprint = _fingerprint(path)
            kept = self._kept.get(path)
            if kept and kept[0] == fingerprint:
                self._kept.move_to_end(path)
                return cast(T, kept[1])
            data = _read(path)
        except FileNotFoundError:
            raise MissingKey(f"{path}: no such file") from None
        except OSError as error:
            raise BadKey(f"{path}: {error.strerror}") from error
        try:
            key = load(data)
        except BadKey as error:
            raise BadKey(f"{path}: {error}") from error
        self._keep(path, fingerprint, key)
        return key

    def _keep(self, path: str, fingerprint: _Fingerprint, key: object) -> None:
        self._kept[path] = fingerprint, key
        self._kept.move_to_end(path)
        if len(self._kept) > KEPT_LIMIT:
            self._kept.popitem(last=False)


def _fingerprint(path: str) -> _Fingerprint:
    """
    What changes with the content.

    @raise BadKey: it is no file.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise BadKey(f"{path}: no regular file")
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        data = file.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise BadKey(f"{path}: over {SIZE_LIMIT} bytes")
    return data
