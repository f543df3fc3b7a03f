"""
Commands to an Emperor: one datagram each, a uwsgi packet whose variables say
what to do with which vassal.  Only who asks for it gets an answer, in a datagram
of the same form.
Source: the uWSGI documentation, "The uwsgi Protocol", and what a 2.1 Emperor
takes at its C{emperor-command-socket}.  C{monitor}, C{cause} and C{reply} are
ours: an Emperor that does not know them passes over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from os import fsdecode, fsencode

from emperor.wire.uwsgi import HEADER, BadPacket, build_packet, encode_variables, iterate_variables

#: Bytes of a datagram, whichever way it goes.
COMMAND_LIMIT = 4096

#: Bytes of a message in an answer.
_MESSAGE_LIMIT = 2048

#: The value of C{cause} of a command that a router sends because of a request.
_REQUEST = b"request"


class BadCommand(ValueError):
    """
    A datagram that is no command; the message says what is accepted.
    """


class Verb(Enum):
    """
    What is to be done.
    """

    #: Start a vassal that does not run.
    SPAWN = "spawn"
    #: Make it read its configuration again, or start it.
    RESPAWN = "respawn"
    #: Stop it until it is told to start.
    STOP = "stop"
    #: Write a message into the log.
    LOG = "log"
    #: Let every monitor look.
    RESCAN = "rescan"

    @property
    def needs_vassal(self) -> bool:
        """
        Whether it is about a vassal.
        """
        return self in (Verb.SPAWN, Verb.RESPAWN, Verb.STOP)


@dataclass(frozen=True, slots=True)
class VassalCommand:
    """
    One command.

    @ivar vassal: its name; empty where none is needed.
    @ivar monitor: of which monitor; empty: of every one.
    @ivar text: for the log.
    @ivar by_request: it is a router that sends it, not a person: what was stopped
        stays so, and what has died waits.
    @ivar wants_reply: an answer is wanted.
    """

    verb: Verb
    vassal: str = ""
    monitor: str = ""
    text: str = ""
    by_request: bool = False
    wants_reply: bool = False


@dataclass(frozen=True, slots=True)
class CommandReply:
    """
    What became of a command.

    @ivar done: whether it was obeyed.
    @ivar message: a sentence without its full stop.
    """

    done: bool
    message: str


def spawn(vassal: str) -> bytes:
    """
    Start a vassal that sleeps, for a request.
    """
    return _packet([(b"cmd", b"spawn"), (b"vassal", fsencode(vassal)), (b"cause", _REQUEST)])


def build_command(command: VassalCommand) -> bytes:
    """
    The datagram of a command.

    @raise BadCommand: it is too long.
    """
    variables = [(b"cmd", command.verb.value.encode())]
    for name, value in (
        (b"vassal", fsencode(command.vassal)),
        (b"monitor", fsencode(command.monitor)),
        (b"msg", command.text.encode("utf-8", "surrogateescape")),
        (b"cause", _REQUEST if command.by_request else b""),
        (b"reply", b"1" if command.wants_reply else b""),
    ):
        if value:
            variables.append((name, value))
    size = sum(4 + len(name) + len(value) for name, value in variables) + HEADER.size
    if size > COMMAND_LIMIT:
        raise BadCommand(f"a command of {size} bytes; at most {COMMAND_LIMIT} are accepted")
    return _packet(variables)


def wants_reply(datagram: bytes) -> bool:
    """
    Whether the sender of a datagram, even of one that is no command, asks for an
    answer.
    """
    try:
        return b"reply" in _variables(datagram)
    except BadCommand:
        return False


def parse_command(datagram: bytes) -> VassalCommand:
    """
    Read a datagram; of its four bytes of header none counts.

    @raise BadCommand: it is none.
    """
    found = _variables(datagram)
    word = found.get(b"cmd", b"").decode("ascii", "backslashreplace")
    try:
        verb = Verb(word)
    except ValueError:
        accepted = ", ".join(each.value for each in Verb)
        raise BadCommand(f"cmd is {word[:64]!r}; accepted: {accepted}") from None
    vassal = fsdecode(found.get(b"vassal", b""))
    if verb.needs_vassal and not vassal:
        raise BadCommand(f"{word} names no vassal; needed: vassal = NAME")
    return VassalCommand(
        verb,
        vassal,
        fsdecode(found.get(b"monitor", b"")),
        found.get(b"msg", b"").decode("utf-8", "backslashreplace"),
        found.get(b"cause") == _REQUEST,
        b"reply" in found,
    )


def build_reply(reply: CommandReply) -> bytes:
    """
    The datagram of an answer; a long message is cut.
    """
    status = b"ok" if reply.done else b"error"
    message = reply.message.encode("utf-8", "backslashreplace")[:_MESSAGE_LIMIT]
    return _packet([(b"status", status), (b"message", message)])


def parse_reply(datagram: bytes) -> CommandReply:
    """
    Read an answer.

    @raise BadCommand: it is none.
    """
    found = _variables(datagram)
    status = found.get(b"status")
    if status not in (b"ok", b"error"):
        raise BadCommand("an answer without a status; accepted: ok or error")
    return CommandReply(status == b"ok", found.get(b"message", b"").decode("utf-8", "replace"))


def _packet(variables: list[tuple[bytes, bytes]]) -> bytes:
    return build_packet(0, encode_variables(variables), 0)


def _variables(datagram: bytes) -> dict[bytes, bytes]:
    """
    Of equal names the last one counts, and C{command} is another word for C{cmd}.
    """
    if len(datagram) > COMMAND_LIMIT:
        raise BadCommand(f"it has more than {COMMAND_LIMIT} bytes")
    if len(datagram) < HEADER.size:
        raise BadCommand(f"it has {len(datagram)} bytes and no header")
    try:
        pairs = list(iterate_variables(datagram[HEADER.size :]))
    except BadPacket as error:
        raise BadCommand(str(error)) from error
    return {b"cmd" if name == b"command" else name: value for name, value in pairs}
