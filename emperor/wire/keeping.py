"""
What the program and the keeper of its vassals tell each other
(L{emperor.keeper}).

A message is four bytes of length, big-endian, and so much JSON.  Orders go over
one socket, and each is answered before the next one; news come over another.
The descriptors of a new vassal come with the first byte of their L{Start}.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from emperor.wire.hooks import Hooks
from emperor.wire.plain import NotPlain, from_plain, to_plain
from emperor.wire.rights import Rights

#: Bytes of one message; an argument vector and an environment have room, for
#: Linux executes no more than 6 MB of both.
LIMIT = 16 * 1024 * 1024

#: Bytes of the length in front of a message.
HEAD = 4

#: The vassal's descriptor of the pipe to the program, and the first one that is not
#: input or output.
PIPE = 3

#: Descriptors that come with L{Start}, the vassal's from 0 on: at least, and at
#: most (the kernel takes no more at once).
FEWEST = PIPE + 1
MOST = 253


class BadKeeping(ValueError):
    """
    The other side's bytes are no message.
    """


@dataclass(frozen=True, slots=True)
class Start:
    """
    Start a vassal; the answer is L{Started} or L{NotStarted}.

    @ivar number: under which it is known from now on: that of a process may
        come again.
    @ivar name: of the vassal, for those who look at its control group.
    @ivar directory: where it starts.
    @ivar programs: what to execute: the first one that can be; with a path, or
        as it is found on PATH.
    @ivar argv: its arguments; the program's path is put in front.
    @ivar environ: its whole environment.
    @ivar rights: what its process may do.
    @ivar chdir: where it goes when it has its rights; empty: it stays.
    @ivar pipe: its descriptor of the pipe to the program.
    @ivar listens: it is told that the listening sockets of its environment are its own.
    """

    number: int
    name: str
    directory: str
    programs: tuple[str, ...]
    argv: tuple[str, ...]
    environ: tuple[tuple[str, str], ...]
    rights: Rights = field(default_factory=Rights)
    hooks: Hooks = field(default_factory=Hooks)
    chdir: str = ""
    pipe: int = PIPE
    listens: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """
    Send a signal to the first process of a vassal; SIGKILL goes to all of them.
    There is no error if it has gone.

    @ivar signal: C{signal.SIGTERM} and the like.
    """

    number: int
    signal: int


@dataclass(frozen=True, slots=True)
class Started:
    """
    Its first process was made; what comes of it is told later.
    """

    pid: int


@dataclass(frozen=True, slots=True)
class NotStarted:
    """
    There is no process.

    @ivar reason: a sentence for the log.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """
    The order was carried out.
    """


@dataclass(frozen=True, slots=True)
class Left:
    """
    The first process of a vassal has gone.

    @ivar code: its exit code; 0 if a signal ended it.
    @ivar signal: the signal's number; 0 for none.
    @ivar trouble: why it could not even execute its program; empty if it did.
    """

    number: int
    code: int
    signal: int
    trouble: str


@dataclass(frozen=True, slots=True)
class Over:
    """
    No process of a vassal is left; follows L{Left}.
    """

    number: int


Order = Start | Signal
Answer = Started | NotStarted | Done
News = Left | Over
Message = Order | Answer | News


def encode(message: Message) -> bytes:
    """
    The bytes of a message.

    @raise BadKeeping: it would be longer than L{LIMIT}.
    """
    body = json.dumps(to_plain(Message, message), separators=(",", ":")).encode("ascii")
    if len(body) > LIMIT:
        raise BadKeeping(f"a message of {len(body)} bytes; at most {LIMIT} are allowed")
    return len(body).to_bytes(HEAD) + body


def decode(body: bytes) -> Any:
    """
    The message of a body.

    @raise BadKeeping: there is none in it.
    """
    try:
        return from_plain(Message, json.loads(body))
    except (NotPlain, ValueError, RecursionError) as error:
        raise BadKeeping(f"no message: {error}") from error


class Reader:
    """
    Finds messages in bytes that come cut anywhere; holds one message at most.
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """
        Take the next bytes and give the messages that they complete.

        @raise BadKeeping: what follows is no message, or too long.
        """
        self._rest += data
        while len(self._rest) >= HEAD:
            end = HEAD + int.from_bytes(self._rest[:HEAD])
            if end - HEAD > LIMIT:
                raise BadKeeping(f"a message of {end - HEAD} bytes; at most {LIMIT}")
            if len(self._rest) < end:
                return
            body = bytes(self._rest[HEAD:end])
            del self._rest[:end]
            yield decode(body)
