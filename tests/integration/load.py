"""
Load while something happens: wrk, and what it saw.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from twisted.trial.unittest import FailTest

from tests.integration.programs import Program, ProgramsTestCase, eventually
from tests.integration.servers import found

CONNECTIONS = 16

_REQUESTS = re.compile(r"(\d+) requests in")
_STATUSES = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_SOCKETS = re.compile(r"Socket errors: (.*)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What wrk saw.

    @ivar requests: how many were answered.
    @ivar failures: what it says of those that were not, or with a status over
        399; empty: none.
    """

    requests: int
    failures: str


class Load:
    """
    One run of wrk, which never tells how far it is.
    """

    def __init__(self, case: ProgramsTestCase, port: int, host: str, seconds: int) -> None:
        """
        Start it.
        """
        options = ["--threads", "1", "--connections", str(CONNECTIONS), "--timeout", "10s"]
        url = f"http://127.0.0.1:{port}/"
        self.program: Program = case.start(
            "wrk",
            [
                found("wrk", "wrk"),
                *options,
                "--duration",
                f"{seconds}s",
                "-H",
                f"Host: {host}",
                url,
            ],
        )

    @property
    def running(self) -> bool:
        """
        Whether requests are sent still.
        """
        return self.program.status is None

    async def stop(self) -> Outcome:
        """
        End it now; wrk tells what it saw until then.
        """
        self.program.send(signal.SIGINT)
        return await self.end()

    async def end(self) -> Outcome:
        """
        Wait until it is over.

        @raise FailTest: wrk could not do its work.
        """
        await eventually(lambda: not self.running, "wrk ends")
        requests = _REQUESTS.search(self.program.log)
        if requests is None:
            raise FailTest(f"wrk: {self.program.log}")
        failures = [*_STATUSES.findall(self.program.log), *_SOCKETS.findall(self.program.log)]
        return Outcome(int(requests[1]), "; ".join(failures))
