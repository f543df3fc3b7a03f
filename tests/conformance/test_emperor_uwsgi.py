"""
Real uWSGIs of all kinds as vassals of our Emperor, as they are: the one of the
distribution, the one of the package index, and the one compiled from its source.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.conformance.test_stats import wheel
from tests.integration.client import Reply
from tests.integration.programs import ProgramsTestCase
from tests.integration.servers import Emperor, debian_uwsgi, reference_uwsgi

#: Each as a site and the program that serves it.
KINDS = {"debian": debian_uwsgi, "wheel": wheel, "compiled": reference_uwsgi}


def another_than(worker: int) -> Callable[[Reply], bool]:
    """
    Whether an answer is that of another process.
    """
    return lambda reply: reply.status == 200 and bool(reply.json["worker"] != worker)


class KindsTests(ProgramsTestCase):
    """
    A site of each kind under one Emperor.
    """

    async def serve(self, *lines: str) -> dict[str, Reply]:
        """
        Start a site of each kind.
        """
        self.emperor = Emperor(
            self,
            "emperor-wrapper-attr = program",
            "emperor-required-heartbeat = 1.5",
            "emperor-curse-tolerance = 1",
        )
        for kind in KINDS:
            self.write(kind, *lines)
        await self.emperor.start().listens(self.emperor.port)
        return {kind: await self.emperor.answers(kind) for kind in KINDS}

    def write(self, kind: str, *lines: str, site: str = "%n") -> None:
        """
        Write the file of the site of a kind.
        """
        program = KINDS[kind]()
        self.emperor.add(kind, *lines, "[emperor]", f"program = {program}", site=site)

    async def test_life(self) -> None:
        """
        It is reloaded in its process when its file is edited; asked to reload, and
        then killed and started, when its heart stands still, and its hanging worker
        goes with it; and it sleeps until its file is edited when it is idle.
        """
        before = await self.serve("heartbeat = 1")
        for kind in KINDS:
            self.write(kind, "heartbeat = 1", site="edited")
        for kind in KINDS:
            after = await self.emperor.until(
                kind,
                lambda reply: reply.status == 200 and reply.json["site"] == "edited",
                "edited site",
            )
            self.assertEqual(before[kind].json["master"], after.json["master"])
            os.kill(after.json["worker"], signal.SIGSTOP)
            before[kind] = after
        for kind in KINDS:
            old = before[kind].json
            await self.emperor.program.says(f"{kind}.ini: its heart has not beaten for 1.5 s")
            after = await self.emperor.until(
                kind,
                another_than(old["worker"]),
                "new worker",
            )
            self.assertFalse(Path(f"/proc/{old['worker']}").exists())
        for kind in KINDS:
            self.write(kind, "idle = 1", "die-on-idle = true")
        for kind in KINDS:
            await self.emperor.program.says(f"{kind}.ini sleeps, as it wished")
            self.write(kind)
            await self.emperor.answers(kind)
