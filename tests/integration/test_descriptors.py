"""
More vassals than the usual limit of descriptors has room for, and than there is
room for at all.
"""

from __future__ import annotations

import os
from pathlib import Path

from emperor.descriptors import PER_VASSAL, RESERVE
from tests.integration.programs import CHECKOUT, Program, ProgramsTestCase, eventually
from tests.integration.servers import our_program

#: Writes down the limits that it has and serves.
FAKE = """\
#!/bin/sh
echo "$(ulimit -Sn) $(ulimit -Hn)" >../limits.$2
printf '\\001\\005' >&3
exec head -c 1 <&3 >/dev/null
"""

SOFT = 128


class DescriptorTests(ProgramsTestCase):
    def serve(self, limits: str, count: int) -> Program:
        """
        Start the program below a limit with so many vassals.
        """
        script = self.place / "fake"
        script.write_text(FAKE)
        script.chmod(0o755)
        (self.place / "vassals").mkdir()
        for number in range(count):
            self.write(number)
        configuration = self.place / "emperor.ini"
        configuration.write_text("[uwsgi]\nemperor = %dvassals\nemperor-wrapper = %dfake\n")
        command = ["sh", "-c", f'ulimit {limits} && exec "$@"', "sh", *our_program()]
        return self.start(
            "emperor",
            [*command, "--config", configuration],
            environment={"PYTHONPATH": str(CHECKOUT)},
        )

    def write(self, number: int) -> None:
        (self.place / "vassals" / f"{number:03}.ini").write_text("")

    def limits(self) -> list[Path]:
        return list(self.place.glob("limits.*"))

    async def test_many(self) -> None:
        """
        The program raises its limit as far as it may; a vassal has the one that
        the program was started with.
        """
        count = 2 * SOFT // PER_VASSAL
        program = self.serve(f"-Sn {SOFT}", count)
        await eventually(lambda: program.log.count(" accepts ") == count, "all accept")
        self.assertGreater(len(os.listdir(f"/proc/{program.pid}/fd")), SOFT)
        self.assertEqual({str(SOFT)}, {path.read_text().split()[0] for path in self.limits()})

    async def test_too_many(self) -> None:
        """
        Those for which there is no room wait, and the log says what to do; the
        others serve on, also when they change.
        """
        program = self.serve(f"-n {SOFT}", SOFT // PER_VASSAL)
        await program.says("no descriptors are left for another vassal")
        room = (SOFT - RESERVE) // PER_VASSAL - 10
        for number in range(room):
            await program.says(f"Vassal {number:03}.ini accepts")
        (self.place / "vassals" / "000.ini").write_text("# changed")
        await program.says("Vassal 000.ini reloads")
        self.assertNotIn("Traceback", program.log)
