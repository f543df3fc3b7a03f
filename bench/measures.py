"""
What is measured of a router, and how.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Protocol

from bench.accounting import cpu, family, memory
from bench.client import idle_connections, until_right
from bench.load import HOST, Load, Outcome, Wrk
from bench.servers import Contender

MEGABYTE = 1_000_000

#: Seconds after which memory is what it stays.
SETTLED = 1.0

#: Seconds of load before the first round.
WARM_UP = 1


class Measure(Enum):
    """
    One figure; the value is what the results call it, with its unit.
    """

    CPU_PER_REQUEST = "CPU per request, µs"
    CPU_PER_MEGABYTE = "CPU per MB, µs"
    REQUESTS = "requests/s"
    MEGABYTES = "MB/s"
    P50 = "p50, ms"
    P99 = "p99, ms"
    PSS = "PSS per connection, bytes"
    RSS = "RSS per connection, bytes"
    ALL_UP = "all vassals accept, s"
    CPU_PER_START = "CPU per vassal's start, ms"
    PSS_PER_VASSAL = "PSS per vassal, kB"
    CPU_IDLE = "CPU when idle, ms/s"
    NOTICED = "a change is noticed, ms"
    ALL_CHANGED = "all have changed, s"
    HUNG_UP = "all reload on SIGHUP, s"
    STOPPED = "all stopped, s"


Sample = Mapping[Measure, float]


class Measurement(Protocol):
    """
    A way to measure.
    """

    @property
    def fresh(self) -> bool:
        """
        Whether every round needs a router that was just started.
        """

    def prepare(self, contender: Contender) -> None:
        """
        Wait until the contender answers rightly, and warm it up.

        @raise WrongAnswer: it does not.
        """

    def take(self, contender: Contender, seconds: int) -> Sample:
        """
        Measure for so many seconds.

        @raise WrongAnswer: the contender did not answer rightly.
        """


def warm_up(load: Load, contender: Contender) -> None:
    """
    Wait for right answers, then run the load shortly.

    @raise WrongAnswer: there are none.
    """
    until_right(partial(load.check, contender.port), contender.router)
    load.run(contender.port, WARM_UP)


@dataclass(frozen=True, slots=True)
class UnderLoad:
    """
    What a load costs, by request.
    """

    load: Load
    fresh: bool = False

    def prepare(self, contender: Contender) -> None:
        """
        Run the load shortly.
        """
        warm_up(self.load, contender)

    def take(self, contender: Contender, seconds: int) -> Sample:
        """
        Run the load, and see what the router used meanwhile.
        """
        pids = family(contender.router.pid)
        before = cpu(pids)
        outcome = self.load.run(contender.port, seconds)
        return self.figures(outcome, cpu(pids) - before)

    def figures(self, outcome: Outcome, used: float) -> Sample:
        """
        @param used: seconds of CPU.
        """
        return {
            Measure.CPU_PER_REQUEST: used / outcome.requests * 1e6,
            Measure.REQUESTS: outcome.requests / outcome.seconds,
            Measure.P50: outcome.p50 * 1e3,
            Measure.P99: outcome.p99 * 1e3,
        }


@dataclass(frozen=True, slots=True)
class ByMegabyte(UnderLoad):
    """
    What a load costs, by megabyte.
    """

    def figures(self, outcome: Outcome, used: float) -> Sample:
        """
        @param used: seconds of CPU.
        """
        return {
            Measure.CPU_PER_MEGABYTE: used / outcome.size * MEGABYTE * 1e6,
            Measure.MEGABYTES: outcome.size / MEGABYTE / outcome.seconds,
        }


@dataclass(frozen=True, slots=True)
class WhileIdle:
    """
    What connections cost that wait.
    """

    connections: int
    fresh: bool = True

    def prepare(self, contender: Contender) -> None:
        """
        Have everything loaded that a request needs.
        """
        warm_up(Wrk(), contender)

    def take(self, contender: Contender, seconds: int) -> Sample:
        """
        Open the connections, and see what the router holds for them.
        """
        time.sleep(SETTLED)
        pids = family(contender.router.pid)
        before = memory(pids)
        with idle_connections(contender.port, HOST, self.connections):
            time.sleep(SETTLED)
            held = memory(pids) - before
        return {
            Measure.PSS: held.pss / self.connections,
            Measure.RSS: held.rss / self.connections,
        }
