"""
What a router knows of its nodes, in a file that survives a restart.

It is written as a whole beside the old one and takes its place, so that there
is a good one at every moment.  What is read is as old as it is: nodes may have
gone meanwhile (L{emperor.routing.subscriptions.Registry.restore}).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import IReactorTime
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

#: The part of the time that writing may take: a hundredth.
_PAUSES = 100

_UNCHANGED = frozenset({Result.REFUSED, Result.UNKNOWN})


class StateFile:
    """
    Follows one router's ledger and writes it down.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, path: str, ledger: Ledger, gate: Gatekeeper) -> None:
        """
        @param clock: seconds of the epoch.
        """
        self._clock = clock
        self._path = path
        self._ledger = ledger
        self._gate = gate
        self._due = float("inf")
        self._not_before = 0.0
        self._trouble = ""

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
        Write if it is time; to be called every second.
        """
        if self._clock.seconds() >= max(self._due, self._not_before):
            self.write()

    def write(self) -> None:
        """
        Write now.
        """
        began = self._clock.seconds()
        self._due = float("inf")
        state = {
            "version": VERSION,
            "written": began,
            "subscriptions": self._ledger.registry.snapshot(began),
            "gate": self._gate.snapshot(),
        }
        try:
            self._replace(json.dumps(state).encode("ascii"))
        except OSError as error:
            self._complain(error.strerror or str(error))
        else:
            self._trouble = ""
        ended = self._clock.seconds()
        self._not_before = ended + _PAUSES * (ended - began)

    def _replace(self, data: bytes) -> None:
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
                file.write(data)
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
