"""
What Emperors are compared by.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from bench.accounting import cpu, family, memory
from bench.client import WrongAnswer
from bench.measures import Measure, Sample
from bench.programs import Program
from bench.servers import Contender
from bench.tiny import DIRECTORY, LIMIT, LOOK, TOLD, Told, file_names

#: Seconds after which an Emperor has done all that a start brings with it.
SETTLED = 5.0

#: Seconds after which a change is seen by whoever looks at whole seconds alone.
APART = 1.1

#: Seconds, at least, for which an Emperor with nothing to do is watched.
IDLE = 10

#: Files that are changed one after the other, and C{emperor-freq}: each is
#: changed at another moment of it.
CHANGES = 7
FREQUENCY = 3.0


@dataclass(frozen=True, slots=True)
class Reign:
    """
    What an Emperor takes for its vassals, from its start to its end.
    """

    vassals: int
    fresh: bool = True

    def prepare(self, contender: Contender) -> None:
        """
        Wait until all vassals accept.
        """
        self._told(contender).wait("accepts", file_names(self.vassals))

    def take(self, contender: Contender, seconds: int) -> Sample:
        """
        See what the start took, watch, change files, send signals.
        """
        told, emperor = self._told(contender), contender.router
        up = told.wait("accepts", file_names(self.vassals))
        spent = cpu(family(emperor.pid))
        time.sleep(SETTLED)
        return {
            Measure.ALL_UP: up - emperor.born,
            Measure.CPU_PER_START: spent / self.vassals * 1e3,
            Measure.PSS_PER_VASSAL: memory(family(emperor.pid)).pss / self.vassals / 1e3,
            Measure.CPU_IDLE: self._idle(emperor, max(IDLE, seconds)),
            Measure.NOTICED: self._one_by_one(contender, told) * 1e3,
            Measure.ALL_CHANGED: self._all_at_once(contender, told),
            Measure.HUNG_UP: self._hang_up(emperor, told),
            Measure.STOPPED: self._stop(emperor),
        }

    def _told(self, contender: Contender) -> Told:
        return Told(contender.place / TOLD, contender.router)

    def _idle(self, emperor: Program, seconds: int) -> float:
        pids = family(emperor.pid)
        before = cpu(pids)
        time.sleep(seconds)
        return (cpu(pids) - before) / seconds * 1e3

    def _one_by_one(self, contender: Contender, told: Told) -> float:
        """
        Seconds from a change to the order to reload.
        """
        chance = random.Random(self.vassals)
        taken = []
        for name in chance.sample(file_names(self.vassals), min(CHANGES, self.vassals)):
            time.sleep(chance.uniform(0, FREQUENCY))
            changed = change(contender, [name])
            taken.append(told.wait("reloads", [name]) - changed)
        return median(taken)

    def _all_at_once(self, contender: Contender, told: Told) -> float:
        time.sleep(APART)
        told.skip()
        changed = change(contender, file_names(self.vassals))
        return told.wait("reloads", file_names(self.vassals)) - changed

    def _hang_up(self, emperor: Program, told: Told) -> float:
        time.sleep(APART)
        told.skip()
        began = time.monotonic()
        os.kill(emperor.pid, signal.SIGHUP)
        return told.wait("reloads", file_names(self.vassals)) - began

    def _stop(self, emperor: Program) -> float:
        time.sleep(APART)
        began = time.monotonic()
        os.kill(emperor.pid, signal.SIGTERM)
        end = began + LIMIT
        while emperor.running:
            if time.monotonic() > end:
                raise WrongAnswer(f"the Emperor does not end in {LIMIT:g} s")
            time.sleep(LOOK)
        return time.monotonic() - began


def change(contender: Contender, names: Iterable[str]) -> float:
    """
    Write files anew.

    @return: when that began.
    """
    began = time.monotonic()
    for name in names:
        with (contender.place / DIRECTORY / name).open("a") as file:
            file.write("# changed\n")
    return began
