"""
C{emperor subscribe}: announce a node to subscription servers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import which
from typing import Any, TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogBeginner
from twisted.python import usage
from zope.interface import implementer

from emperor import __version__
from emperor.addresses import BadAddress, parse_address
from emperor.announcing.companion import Companion
from emperor.announcing.servers import BadServer, Server, parse_server
from emperor.announcing.service import FREQUENCY, Announcer, Proofs
from emperor.wire.fields import BadAnnouncement
from emperor.wire.seals import Sealer, load_sealer
from emperor.wire.signatures import BadKey, Signer, digest, load_signer
from emperor.wire.subscription import Announcement, build_announcement

T = TypeVar("T")


def _whole(text: str | int) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is no whole number") from None


def _seconds(text: str | float) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None


class SubscribeOptions(usage.Options):
    """
    The command line behind C{emperor subscribe}.
    """

    synopsis = "--server SERVER --key KEY --address NODE [options] [-- COMMAND]"
    longdesc = (
        "Puts a node into pools and keeps it there; asked to stop (TERM or INT), takes it out. "
        "With a COMMAND, starts it, announces the node as soon as it accepts connections, and "
        "leaves when the command ends."
    )
    optParameters = [
        ["address", "a", None, "Where the node listens: ip:port, [v6]:port, /path or @abstract."],
        ["modifier1", None, 0, "For the node's requests.", _whole],
        ["modifier2", None, 0, "For the node's requests.", _whole],
        ["weight", "w", 1, "The node's share of the requests.", _whole],
        ["backup", None, 0, "Level: above 0 it serves when no node below does.", _whole],
        ["algo", None, "", "How a pool that this node founds chooses: wrr, lrc, ..."],
        ["proto", None, "uwsgi", "What the node speaks: uwsgi or http."],
        ["frequency", "f", FREQUENCY, "Seconds between two announcements.", _seconds],
        ["sign", None, None, "Sign as uWSGI does: DIGEST:PEMFILE, a private key."],
        ["sign2", None, None, "Sign by scheme v2: an Ed25519 private key, or a secret's file."],
    ]
    optFlags = [
        ["once", None, "Announce once, and end."],
        ["leave", None, "Take the node out, and end."],
    ]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.servers: list[Server] = []
        self.pools: list[str] = []
        self.program: tuple[str, ...] = ()

    def opt_server(self, text: str) -> None:
        """
        A subscription server: host:port, [v6]:port or /path. Repeatable.
        """
        self.servers.append(_or_usage_error(BadServer, partial(parse_server, text)))

    opt_s = opt_server

    def opt_key(self, text: str) -> None:
        """
        A pool, as KEY or KEY,MODIFIER1. Repeatable.
        """
        self.pools.append(text)

    opt_k = opt_key

    def opt_version(self) -> None:
        """
        Print the version and leave.
        """
        print(f"txemperor {__version__}")
        raise SystemExit(0)

    def parseArgs(self, *program: str) -> None:
        """
        A program that is the node.
        """
        self.program = program

    def postOptions(self) -> None:
        """
        Find every mistake before anything is sent.
        """
        if not (self.servers and self.pools and self["address"]):
            raise usage.UsageError("it needs --server, --key and --address")
        if self["once"] + self["leave"] + bool(self.program) > 1:
            raise usage.UsageError("--once, --leave and a command exclude each other")
        if not 0.1 <= self["frequency"] <= 86400:
            raise usage.UsageError("--frequency: accepted: 0.1 to 86400 seconds")
        if self.program:
            _or_usage_error(BadAddress, partial(parse_address, self["address"]))
            if which(self.program[0]) is None:
                raise usage.UsageError(f"{self.program[0]}: no such program")
        self.announcements = [self._announcement(text) for text in self.pools]
        for announcement in self.announcements:
            _or_usage_error(BadAnnouncement, partial(build_announcement, announcement))
        self.proofs = Proofs(self._signer(), self._sealer())

    def run(self) -> None:
        """
        Announce, until asked to stop.
        """
        globalLogBeginner.beginLoggingTo([_complain], redirectStandardIO=False)
        react(self.announce)

    async def announce(self, reactor: Any) -> None:
        """
        What the options say.

        @raise SystemExit: a server could not be told, or the program ended.
        """
        announcer = Announcer(
            reactor,
            self.servers,
            self.announcements,
            frequency=self["frequency"],
            proofs=self.proofs,
        )
        if self["once"] or self["leave"]:
            troubles = await announcer.say(leaving=bool(self["leave"]))
            await announcer.close()
            raise SystemExit(1 if troubles else 0)
        if self.program:
            raise SystemExit(await Companion(reactor, announcer).run(self.program, self["address"]))
        announcer.startService()
        reactor.addSystemEventTrigger("before", "shutdown", announcer.stopService)
        await Deferred()  # the signal ends it

    def _announcement(self, text: str) -> Announcement:
        key, comma, modifier1 = text.rpartition(",")
        if not (comma and modifier1.isascii() and modifier1.isdecimal()):
            key, modifier1 = text, self["modifier1"]
        return Announcement(
            leaving=False,
            # As a host comes over the wire.
            key=os.fsencode(key).decode("latin-1"),
            address=self["address"],
            modifier1=int(modifier1),
            modifier2=self["modifier2"],
            weight=self["weight"],
            backup=self["backup"],
            algorithm=self["algo"],
            protocol=self["proto"],
        )

    def _signer(self) -> Signer | None:
        if self["sign"] is None:
            return None
        name, colon, path = self["sign"].partition(":")
        if not colon:
            raise usage.UsageError("--sign: accepted: DIGEST:PEMFILE, as in SHA256:/etc/node.pem")
        return _load("sign", path, lambda data: load_signer(data, digest(name)))

    def _sealer(self) -> Sealer | None:
        return None if self["sign2"] is None else _load("sign2", self["sign2"], load_sealer)


def _load(option: str, path: str, load: Callable[[bytes], T]) -> T:
    try:
        return load(Path(path).read_bytes())
    except OSError as error:
        raise usage.UsageError(f"--{option}: {path}: {error.strerror}") from error
    except BadKey as error:
        raise usage.UsageError(f"--{option}: {path}: {error}") from error


def _or_usage_error(expected: type[Exception], call: Callable[[], T]) -> T:
    try:
        return call()
    except expected as error:
        raise usage.UsageError(str(error)) from error


@implementer(ILogObserver)
def _complain(event: LogEvent) -> None:
    """
    What we log, and what went wrong elsewhere, on the terminal.
    """
    ours = str(event.get("log_namespace", "")).startswith("emperor.")
    if ours or event.get("isError") or event.get("log_failure"):
        failure = event.get("log_failure")
        print(f"emperor: {formatEvent(event)}", file=sys.stderr)
        if failure is not None:
            print(cast(Any, failure).getTraceback(), file=sys.stderr)
