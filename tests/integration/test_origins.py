"""
Vassals that are started in other ways: their file is a program that prints the
configuration, or they take their socket as systemd gives it.
"""

from __future__ import annotations

import os
import socket
import sys
from functools import partial
from pathlib import Path

from tests.integration.programs import CHECKOUT, ProgramsTestCase, eventually
from tests.integration.servers import PROBE, Emperor, debian_uwsgi

_PROGRAM = """\
#!/bin/sh
echo x >> {place}/runs
cat <<END
[emperor]
memory-max = nonsense

[uwsgi]
if-not-plugin = python
plugin = python3
endif =
socket = {place}/www.sock
wsgi-file = {probe}
need-app = true
site = $(cat {place}/site)
END
"""

_VASSAL = """\
[emperor]
on-demand = {place}/www.sock
listen-fds = true
program = {place}/serve
"""

_SERVE = """\
#!/bin/sh
exec {python} -m gunicorn --pythonpath {checkout} --no-control-socket tests.integration.probe
"""


def write_program(path: Path, text: str) -> None:
    """
    Write a file that can be executed, whole from its first moment on.
    """
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.chmod(0o755)
    draft.rename(path)


class MagicExecTests(ProgramsTestCase):
    """
    C{emperor-magic-exec}.
    """

    options: tuple[str, ...] = ()

    async def test_program(self) -> None:
        """
        The vassal runs it, once for each start and reload; we do not, and know
        nothing of what it says to the Emperor.
        """
        emperor = Emperor(self, "emperor-magic-exec = true", *self.options)
        (self.place / "site").write_text("first")
        name = "it's magic $(exit).ini"
        write_program(emperor.directory / name, _PROGRAM.format(place=self.place, probe=PROBE))
        await emperor.start().listens(emperor.port)
        reply = await emperor.answers("www")
        self.assertEqual("first", reply.json["site"])
        self.assertEqual("x\n", (self.place / "runs").read_text())
        (self.place / "site").write_text("second")
        (emperor.directory / name).touch()
        await emperor.until(
            "www",
            lambda reply: reply.status == 200 and reply.json["site"] == "second",
            "what it prints now",
        )
        self.assertEqual("x\nx\n", (self.place / "runs").read_text())

    async def test_becomes_a_program(self) -> None:
        """
        One that can be executed only after it was written is a program then.
        """
        emperor = Emperor(self, "emperor-magic-exec = true", *self.options)
        (self.place / "site").write_text("www")
        path = emperor.directory / "www.ini"
        path.write_text(_PROGRAM.format(place=self.place, probe=PROBE))
        await emperor.start().listens(emperor.port)
        await emperor.program.says("memory-max: 'nonsense' is no size")
        path.chmod(0o755)
        await emperor.answers("www")

    async def test_plain_file(self) -> None:
        """
        A file that cannot be executed is read as ever.
        """
        emperor = Emperor(self, "emperor-magic-exec = true", *self.options)
        await emperor.serve("www")


class DebianMagicExecTests(MagicExecTests):
    """
    The same with the uWSGI of the distribution.
    """

    def setUp(self) -> None:
        super().setUp()
        self.options = (f"binary-path = {debian_uwsgi()}",)


class ListenFdsTests(ProgramsTestCase):
    """
    C{listen-fds}.
    """

    async def test_gunicorn(self) -> None:
        """
        A program that knows systemd's protocol sleeps until somebody connects, and
        answers him; it has the socket once.
        """
        emperor = Emperor(self, "emperor-wrapper-attr = program")
        python = _SERVE.format(python=sys.executable, checkout=CHECKOUT)
        write_program(self.place / "serve", python)
        (emperor.directory / "www.ini").write_text(_VASSAL.format(place=self.place))
        await emperor.start().listens(emperor.port)
        await emperor.program.says("www.ini sleeps")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(bytes(self.place / "www.sock"))
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            await emperor.program.says("Booting worker")
            answer = b"".join(iter(partial(client.recv, 4096), b""))
        self.assertTrue(answer.startswith(b"HTTP/1.0 200"), answer)
        (pid,) = await eventually(self.servers, "it runs")
        environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        for variable in (
            "LISTEN_FDS=1",
            f"LISTEN_PID={pid}",
            "LISTEN_FDNAMES=www.ini",
            "UWSGI_EMPEROR_FD=4",
        ):
            self.assertIn(variable.encode(), environ)
        self.assertEqual("/dev/null", os.readlink(f"/proc/{pid}/fd/0"))

    def servers(self) -> list[int]:
        """
        Those processes that got the socket, without their children.
        """
        found = []
        for pid in self.processes():
            environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            if f"LISTEN_PID={pid}".encode() in environ:
                found.append(pid)
        return found
