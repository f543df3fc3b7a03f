"""
C{emperor command}: tell a running Emperor what to do, and wait for its answer.
"""

from __future__ import annotations

import getopt
import socket
import sys
from collections.abc import Sequence
from itertools import chain
from os import fsencode
from typing import Any

from twisted.python import usage

from emperor.announcing.servers import BadServer, Server, UnixServer, parse_server
from emperor.wire.commands import (
    COMMAND_LIMIT,
    BadCommand,
    CommandReply,
    VassalCommand,
    Verb,
    build_command,
    parse_reply,
)

#: Seconds for an answer.
PATIENCE = 5.0

_VERBS = ", ".join(verb.value for verb in Verb)


class NoReply(Exception):
    """
    Nobody answers; the message says what may be the reason.
    """


def ask(server: Server, datagram: bytes, patience: float = PATIENCE) -> CommandReply:
    """
    Send a command and wait for the answer.

    @raise NoReply: there is none.
    """
    try:
        with _connected(server) as connection:
            connection.settimeout(patience)
            connection.send(datagram)
            return parse_reply(connection.recv(COMMAND_LIMIT))
    except TimeoutError as error:
        why = "is it an emperor-command-socket, and this machine one of emperor-command-trusted?"
        raise NoReply(f"{server}: no answer within {patience:g} s; {why}") from error
    except OSError as error:
        raise NoReply(f"{server}: {error.strerror or error}") from error
    except BadCommand as error:
        raise NoReply(f"{server}: {error}") from error


def _connected(server: Server) -> socket.socket:
    if isinstance(server, UnixServer):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        place: Any = fsencode(server.path)
    else:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_DGRAM)
        family, kind, _, _, place = min(found, key=lambda each: each[0] != socket.AF_INET)
        connection = socket.socket(family, kind)
    try:
        if connection.family == socket.AF_UNIX:
            connection.bind("")  # The kernel gives it a name, for the answer.
        connection.connect(place)
    except BaseException:
        connection.close()
        raise
    return connection


class CommandOptions(usage.Options):
    """
    The command line behind C{emperor command}.
    """

    synopsis = f"--socket SOCKET [--monitor MONITOR] {'|'.join(verb.value for verb in Verb)} [NAME]"
    longdesc = (
        "spawn starts a vassal that does not run; respawn reloads it, or starts it; stop stops it "
        "until it is told to start; log writes a message into the log; rescan lets all monitors "
        "look.  The answer is printed; the status is 1 if it was not obeyed, or nobody answers."
    )
    optParameters = [
        ["socket", "s", None, "Its emperor-command-socket: ip:port, host:port, [v6]:port, /path."],
        ["monitor", "m", "", "Of several vassals of that name, that of this monitor only."],
    ]

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Take options before the command, behind it and behind the name; what is behind
        C{log} is its message.
        """
        words = list(sys.argv[1:] if options is None else options)
        try:
            given, rest = getopt.getopt(words, self.shortOpt, self.longOpt)
            if rest[:1] != [Verb.LOG.value]:
                given, rest = getopt.gnu_getopt(words, self.shortOpt, self.longOpt)
        except getopt.error as error:
            raise usage.UsageError(str(error)) from error
        words = [*chain.from_iterable(map(self._spelled, given)), "--", *rest]
        super().parseOptions(words)  # type: ignore[no-untyped-call]

    def _spelled(self, option: tuple[str, str]) -> tuple[str, ...]:
        name = option[0]
        valued = f"{name[2:]}=" in self.longOpt or f"{name[1:]}:" in self.shortOpt
        return option if valued else (name,)

    def parseArgs(self, verb: str = "", *words: str) -> None:
        """
        What to do, and with which vassal.
        """
        try:
            self.verb = Verb(verb)
        except ValueError:
            raise usage.UsageError(f"{verb!r} is no command; accepted: {_VERBS}") from None
        self.words = words

    def postOptions(self) -> None:
        """
        Find every mistake before anything is sent.
        """
        if self["socket"] is None:
            raise usage.UsageError("it needs --socket")
        if self.verb.needs_vassal and len(self.words) != 1:
            raise usage.UsageError(f"{self.verb.value} needs the name of one vassal")
        if self.verb is Verb.LOG and not self.words:
            raise usage.UsageError("log needs a message")
        if self.verb is Verb.RESCAN and self.words:
            raise usage.UsageError("rescan is for all vassals, and takes no name")
        try:
            self.server = parse_server(self["socket"])
            self.datagram = build_command(self._command())
        except (BadServer, BadCommand) as error:
            raise usage.UsageError(str(error)) from error

    def _command(self) -> VassalCommand:
        name = self.words[0] if self.verb.needs_vassal else ""
        text = " ".join(self.words) if self.verb is Verb.LOG else ""
        return VassalCommand(self.verb, name, self["monitor"], text, wants_reply=True)

    def run(self) -> None:
        """
        Ask, and tell what the answer is.

        @raise SystemExit: with status 1 if it was not obeyed.
        """
        try:
            reply = ask(self.server, self.datagram)
        except NoReply as error:
            raise SystemExit(f"emperor: {error}") from error
        print(reply.message, file=sys.stdout if reply.done else sys.stderr)
        if not reply.done:
            raise SystemExit(1)
