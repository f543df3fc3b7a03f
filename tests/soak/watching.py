"""
Who asks the sites all the time, and what they saw.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass, field
from pathlib import Path

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import deferLater
from twisted.trial.unittest import FailTest

from tests.integration.client import fetch
from tests.integration.programs import Program, ProgramsTestCase, eventually, reactor
from tests.integration.servers import found
from tests.soak.sites import HERE, Site

#: Connections of one wrk: ten sites, and a machine that has other things to do.
CONNECTIONS = 2

#: Seconds that a request may wait.
PATIENCE = 10

#: Seconds between two requests of the prober.
PAUSE = 0.2

#: Seconds after its start from which on wrk obeys SIGINT.
BEGINNING = 0.5

_OUTCOME = re.compile(r"^outcome (.*)$", re.M)
_FAILURE = re.compile(r"^failure (.*)$", re.M)


@dataclass
class Tally:
    """
    What was seen of one site.

    @ivar answered: right answers.
    @ivar failures: by kind, while the site was there.
    @ivar removed: by kind, while it was not.
    @ivar longest: milliseconds that a request took.
    @ivar details: sentences about the failures.
    """

    answered: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    longest: int = 0
    details: list[str] = field(default_factory=list)

    def fail(self, kind: str, is_removed: bool, detail: str = "", count: int = 1) -> None:
        """
        Count failures.
        """
        kinds = self.removed if is_removed else self.failures
        kinds[kind] = kinds.get(kind, 0) + count
        if detail and not is_removed:
            self.details.append(detail)

    def take(self, figures: dict[str, int], is_removed: bool, details: list[str]) -> None:
        """
        Add what one wrk saw.
        """
        self.answered += figures.pop("answered")
        longest = figures.pop("longest")
        if not is_removed:
            self.longest = max(self.longest, longest)
            self.details += details
        wrong = figures.pop("wrong")
        if wrong:  # Nobody may ever get what is another site's.
            self.fail("wrong", False, f"{wrong} answers of another site", wrong)
        for kind, count in figures.items():
            if count:
                self.fail(kind, is_removed, count=count)


def read_outcome(log: str) -> tuple[dict[str, int], list[str]]:
    """
    What wrk printed at its end: the figures, and the failures it shows.

    @raise FailTest: it has not come to its end.
    """
    outcome = _OUTCOME.search(log)
    if outcome is None:
        raise FailTest(f"wrk: {log}")
    pairs = (word.split("=") for word in outcome[1].split())
    return {name: int(number) for name, number in pairs}, _FAILURE.findall(log)


class Watch:
    """
    One site is watched: by wrk, over connections that stay, and by requests of
    ours, each on a connection of its own, which tell when it was that one
    failed.

    @ivar site: which one.
    @ivar tally: what was seen of it.
    """

    def __init__(self, case: ProgramsTestCase, port: int, site: Site) -> None:
        self.tally = Tally()
        self._case = case
        self._port = port
        self.site = site
        self._wrk: Program
        self._since = 0.0
        self._stopped = False
        self._probing: Deferred[None]

    def start(self) -> None:
        """
        Begin.
        """
        self._load()
        self._probing = ensureDeferred(self._probe())

    async def stop(self) -> None:
        """
        End, and count.
        """
        self._stopped = True
        await self._count()
        await self._probing

    async def turn(self, is_removed: bool) -> None:
        """
        From now on the site may fail, or may not any more.
        """
        await self._count()
        self.site.is_removed = is_removed
        self._load()

    def _load(self) -> None:
        arguments: list[str | Path] = ["--threads", "1", "--connections", str(CONNECTIONS)]
        arguments += ["--timeout", f"{PATIENCE}s", "--duration", "1h"]
        arguments += ["--script", HERE / "site.lua", "-H", f"Host: {self.site.host}"]
        arguments += [f"http://127.0.0.1:{self._port}/", "--", self.site.name]
        self._since = reactor.seconds()
        self._wrk = self._case.start(f"wrk {self.site.name}", [found("wrk", "wrk"), *arguments])

    async def _count(self) -> None:
        wrk = self._wrk
        if wrk.status is None:
            await deferLater(reactor, max(0.0, self._since + BEGINNING - reactor.seconds()))
            wrk.send(signal.SIGINT)
        await eventually(lambda: wrk.status is not None, "wrk ends")
        figures, details = read_outcome(wrk.log)
        self.tally.take(
            figures, self.site.is_removed, [f"{self.site.name}: {each}" for each in details]
        )

    async def _probe(self) -> None:
        while not self._stopped:
            before, since = self.site.is_removed, reactor.seconds()
            problem = await self._ask()
            if problem:
                kind, _, text = problem.partition(": ")
                is_removed = before or self.site.is_removed
                seconds = reactor.seconds() - since
                detail = f"{self.site.name}: prober: {text} after {seconds:.2f} s"
                self.tally.fail(kind, is_removed and kind != "wrong", detail)
            await deferLater(reactor, PAUSE)

    async def _ask(self) -> str:
        """
        @return: the kind of the failure and what it was; empty: none.
        """
        try:
            reply = await fetch(self._port, self.site.host)
        except ConnectionRefusedError:
            return "connect: refused"
        except Exception as error:
            return f"read: {error!r}"
        if reply.status != 200:
            return f"status: {reply.status} {reply.text.strip()}"
        name = reply.text.split()[0]
        if name != self.site.name:
            return f"wrong: answered by {name}"
        self.tally.answered += 1
        return ""
