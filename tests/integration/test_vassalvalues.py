"""
Values of the Emperor's that name the vassal, with real vassals: none of their
files has a socket.
"""

from __future__ import annotations

import json

from tests.integration.programs import CHECKOUT, ProgramsTestCase
from tests.integration.servers import Emperor, our_program, until_answered, vassal


class VassalValuesTests(ProgramsTestCase):
    """
    Magic variables in C{vassals-set} and in the environment.
    """

    async def serve(self, *options: str, environment: dict[str, str] | None = None) -> None:
        """
        Start two vassals, and ask each of them for its name: by a rule, and by
        the domain that only its file has.
        """
        emperor = Emperor(self, *options)
        for name in ("red", "blue"):
            lines = vassal("[emperor]", "domain = %n.example").splitlines(keepends=True)
            text = "".join(line for line in lines if not line.startswith("socket"))
            (emperor.directory / f"{name}.ini").write_text(text)
        emperor.write()
        program = self.start(
            "emperor",
            [*our_program(), "--config", emperor.configuration],
            environment={"PYTHONPATH": str(CHECKOUT), **(environment or {})},
        )
        await program.listens(emperor.port)
        for name in ("red", "blue"):
            for host in (f"{name}.test", f"{name}.example"):
                reply = await until_answered(emperor.port, host)
                self.assertEqual(name, json.loads(reply.text)["site"])
            self.assertTrue((self.place / f"{name}.sock").is_socket())

    async def test_set(self) -> None:
        """
        C{vassals-set}, in our file.
        """
        await self.serve("vassals-set = socket=%d%%n.sock")

    async def test_environment(self) -> None:
        """
        A variable of the environment.
        """
        await self.serve(environment={"UWSGI_VASSAL_SOCKET": f"{self.place}/%n.sock"})
