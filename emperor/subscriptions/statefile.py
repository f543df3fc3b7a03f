"""
What a router knows of its nodes, in a file that survives a restart.

It is written as a whole beside the old one and takes its place, so that there
is a good one at every moment.  What is read is as old as it is: nodes may have
gone meanwhile (L{emperor.routing.subscriptions.Registry.restore}).

Requests do not wait for it: the text is made in pieces, one in a turn of the
reactor, and a thread writes them.  What nodes do meanwhile may be in it or not.
What the gate knows is read after the nodes, so that it has seen all of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import CooperativeTask, Cooperator, TaskFinished, TaskStopped
from twisted.logger import Logger

from emperor.routing.gatekeeper import Gatekeeper
from emperor.routing.outcomes import Expiry, Result
from emperor.subscriptions.ledger import Arrival, Ledger

#: Of the file's form.
VERSION = 1

#: Seconds after which nodes that came or went are written down, and those that
#: only said that they are still there.
SOON = 5.0
LATE = 60.0

#: Rows of the file that are made in a turn of the reactor; so many take 1 ms.
ROWS = 100

#: Seconds that everything else has between two such turns.
PAUSE = 0.002

#: The part of the time that writing may take: a thirtieth, and others have most
#: of that.
_PAUSES = 30

_encode = json.JSONEncoder().encode

_UNCHANGED = frozenset({Result.REFUSED, Result.UNKNOWN})


class StateFile:
    """
    Follows one router's ledger and writes it down.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        path: str,
        ledger: Ledger,
        gate: Gatekeeper,
        in_thread: Callable[[Callable[[], None]], Deferred[None]],
    ) -> None:
        """
        @param clock: seconds of the epoch.
        @param in_thread: makes a call, and tells what came of it.
        """
        self._clock = clock
        self._path = path
        self._ledger = ledger
        self._gate = gate
        self._due = float("inf")
        self._not_before = 0.0
        self._trouble = ""
        self._in_thread = in_thread
        self._cooperator = Cooperator(
            terminationPredicateFactory=lambda: lambda: True,
            scheduler=lambda work: clock.callLater(PAUSE, work),
        )
        self._task: CooperativeTask[Iterator[None]] | None = None
        self._writing: Deferred[None] | None = None

    def arrived(self, arrival: Arrival) -> None:
        """
        See L{emperor.subscriptions.ledger.Follower.arrived}.
        """
        result = arrival.outcome.result
        if result not in _UNCHANGED:
            self._write_within(LATE if result is Result.REFRESHED else SOON)

    def expired(self, expiries: Sequence[Expiry]) -> None:
        """
        See L{emperor.subscriptions.ledger.Follower.expired}.
        """
        self._write_within(SOON)

    def restore(self) -> None:
        """
        Take over what the file says, if there is one; a broken one is the
        loss of what was in it and nothing more.
        """
        try:
            with open(self._path, "rb") as file:
                known = json.load(file)
            if not isinstance(known, dict) or known.get("version") != VERSION:
                raise ValueError(f"it is no state of subscriptions of version {VERSION}")
            self._take_over(known)
        except FileNotFoundError:
            return
        except (
            OSError,
            ValueError,
            LookupError,
            TypeError,
            ArithmeticError,
            RecursionError,
        ) as error:
            self._log.error(
                "{path} cannot be used, its nodes have to subscribe again: {reason}",
                path=self._path,
                reason=str(error),
            )

    def _take_over(self, known: dict[str, Any]) -> None:
        gate = known["gate"]
        if not isinstance(gate, dict):
            raise ValueError(f"what the gate knows is {gate!r:.40}")
        now = self._clock.seconds()
        age = max(0.0, now - float(known["written"]))
        self._gate.restore(gate)
        count = self._ledger.registry.restore(known["subscriptions"], now, age)
        self._log.info(
            "{count} nodes are known from {path}, {age} s ago",
            count=count,
            path=self._path,
            age=round(age),
        )

    def tick(self) -> None:
        """
        Begin to write if it is time; to be called every second.
        """
        if self._writing is None and self._clock.seconds() >= max(self._due, self._not_before):
            self._writing = Deferred.fromCoroutine(self._write_by_and_by())

    def stop(self) -> Deferred[None]:
        """
        Write for the last time, when nothing else is being written.
        """
        return Deferred.fromCoroutine(self._stop())

    def write(self) -> None:
        """
        Write now, and let everything else wait.
        """
        self._due = float("inf")
        try:
            self._replace(self._parts(self._clock.seconds()))
        except OSError as error:
            self._complain(error.strerror or str(error))
        else:
            self._trouble = ""

    async def _stop(self) -> None:
        if self._task is not None:
            with suppress(TaskFinished):
                self._task.stop()
        if self._writing is not None:
            await self._writing
        self.write()

    async def _write_by_and_by(self) -> None:
        began = self._clock.seconds()
        self._due = float("inf")
        parts: list[bytes] = []
        self._task = self._cooperator.cooperate(map(parts.append, self._parts(began)))
        try:
            await self._task.whenDone()
            await self._in_thread(lambda: self._replace(parts))
        except TaskStopped:
            pass  # what is written at the end is newer
        except OSError as error:
            self._complain(error.strerror or str(error))
        except Exception:
            self._log.failure("{path} could not be written", path=self._path)
        else:
            self._trouble = ""
        self._task = self._writing = None
        ended = self._clock.seconds()
        self._not_before = ended + _PAUSES * (ended - began)

    def _parts(self, now: float) -> Iterator[bytes]:
        state = {
            "version": VERSION,
            "written": now,
            "subscriptions": self._ledger.registry.snapshot(now),
            "gate": self._gate.snapshot(),
        }
        texts = _json(state)
        while part := "".join(islice(texts, ROWS)):
            yield part.encode("ascii")

    def _replace(self, parts: Iterable[bytes]) -> None:
        """
        Not synchronised with the disk: after a crash of the machine the nodes
        are not the same either.
        """
        draft = f"{self._path}.new"
        try:
            descriptor = os.open(
                draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600
            )
            with open(descriptor, "wb") as file:
                file.writelines(parts)
            os.replace(draft, self._path)
        except OSError:
            with suppress(OSError):
                os.unlink(draft)
            raise

    def _complain(self, reason: str) -> None:
        if reason != self._trouble:
            self._trouble = reason
            self._log.error(
                "{path} cannot be written, a restart would know no nodes: {reason}",
                path=self._path,
                reason=reason,
            )

    def _write_within(self, seconds: float) -> None:
        self._due = min(self._due, self._clock.seconds() + seconds)


def _json(value: object) -> Iterator[str]:
    """
    JSON text of a value that may have iterators in its mappings: these are
    lists, whose items become a text each.
    """
    if isinstance(value, Mapping):
        comma = "{"
        for name, item in value.items():
            yield f"{comma}{_encode(name)}:"
            yield from _json(item)
            comma = ","
        yield "}"
    elif isinstance(value, Iterator):
        comma = ""
        yield "["
        for item in value:
            yield comma + _encode(item)
            comma = ","
        yield "]"
    else:
        yield _encode(value)
