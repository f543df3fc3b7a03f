"""
C{python -m bench}: run the cases, print a table, and write all figures to
C{bench/results/}.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import emperor
import twisted
from bench.cases import CASES, VASSALS, Case, cases
from bench.client import WrongAnswer, limit_descriptors
from bench.measures import Sample
from bench.programs import CHECKOUT, Missing, Stage, found
from bench.report import Result, as_json, table
from bench.servers import Contender, Who, reference, start, start_site, version

RESULTS = CHECKOUT / "bench" / "results"

#: What a router that cannot be measured raises.
FAILURES = (WrongAnswer, OSError, subprocess.SubprocessError)


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """
    Read the command line.
    """
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("case", nargs="*", metavar="CASE", help=f"of {', '.join(names)}")
    parser.add_argument("--rounds", type=int, default=5, help="samples of each contender")
    parser.add_argument("--seconds", type=int, default=3, help="length of a sample")
    parser.add_argument("--twisted", action="store_true", help="also with transport = twisted")
    parser.add_argument("--vassals", type=int, default=VASSALS, help="in the case emperor")
    chosen = parser.parse_args(argv)
    if unknown := set(chosen.case) - set(names):
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if min(chosen.rounds, chosen.seconds, chosen.vassals) < 1:
        parser.error("at least one round, one second and one vassal")
    return chosen


def rounds(
    stage: Stage, case: Case, contenders: Sequence[Who], count: int, seconds: int
) -> Iterator[tuple[Who, Sample]]:
    """
    Take the samples of a case, the contenders in turn, each round with another
    one first.
    """
    started = {} if case.measurement.fresh else _ready(stage, case, contenders)
    for number in range(count):
        first = number % len(contenders)
        for who in (*contenders[first:], *contenders[:first]):
            contender = started.get(who) or _ready(stage, case, [who])[who]
            try:
                yield who, case.measurement.take(contender, seconds)
            except FAILURES as error:
                raise WrongAnswer(f"{who.value}: {error}") from error
            if case.measurement.fresh:
                contender.router.kill()


def _ready(stage: Stage, case: Case, contenders: Sequence[Who]) -> dict[Who, Contender]:
    started = {who: start(stage, case.arrangement, who) for who in contenders}
    for who, contender in started.items():
        try:
            case.measurement.prepare(contender)
        except FAILURES as error:
            log = contender.router.log.read_text("utf-8", "replace")
            raise WrongAnswer(f"{who.value}: {error}; it printed:\n{log[-2000:]}") from error
    return started


def run(case: Case, contenders: Sequence[Who], count: int, seconds: int) -> Result:
    """
    Run one case.
    """
    samples: dict[Who, list[Sample]] = {who: [] for who in contenders}
    try:
        with Stage() as stage:
            start_site(stage)
            for who, sample in rounds(stage, case, contenders, count, seconds):
                samples[who].append(sample)
                figures = ", ".join(f"{value:.4g} {name.value}" for name, value in sample.items())
                say(f"{case.name:21} {who.value:24} {figures}")
    except FAILURES as error:
        say(f"{case.name} FAILED: {error}")
        return Result(case.name, case.about, failure=str(error).partition("\n")[0].rstrip(":"))
    return Result(case.name, case.about, samples)


def say(text: str) -> None:
    """
    Tell the person who waits; the table alone goes to the standard output.
    """
    print(text, file=sys.stderr, flush=True)


def surroundings() -> dict[str, Any]:
    """
    What the figures depend on.
    """
    return {
        "txemperor": emperor.__version__,
        "python": platform.python_version(),
        "twisted": twisted.__version__,
        "uwsgi": version(reference(), "--version"),
        "nginx": version(found("nginx"), "-v"),
        "wrk": version(found("wrk"), "--version"),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
    }


def leave(number: int, frame: FrameType | None) -> None:
    """
    Be stopped in order: once, so that nothing disturbs the clearing up.
    """
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main(argv: Sequence[str]) -> int:
    """
    Run the chosen cases, or all.

    @return: the exit status.
    """
    chosen = arguments(argv)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, leave)
    limit_descriptors()
    try:
        where = surroundings()
    except Missing as error:
        say(str(error))
        return 2
    ours = [Who.TXEMPEROR, Who.TWISTED] if chosen.twisted else [Who.TXEMPEROR]
    began = datetime.now(UTC)
    results = [
        run(case, [*ours, *case.arrangement.rivals()], chosen.rounds, chosen.seconds)
        for case in cases(chosen.vassals)
        if case.name in chosen.case or not chosen.case
    ]
    print(table(results, [*ours, Who.UWSGI, Who.NGINX]), end="")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{began:%Y%m%dT%H%M%SZ}.json"
    shape = {"began": began.isoformat(), "rounds": chosen.rounds, "seconds": chosen.seconds}
    everything = {**shape, "surroundings": where, "cases": as_json(results)}
    path.write_text(json.dumps(everything, indent=2, ensure_ascii=False) + "\n", "utf-8")
    say(f"All figures: {path.relative_to(CHECKOUT)}")
    return 1 if any(result.failure for result in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
