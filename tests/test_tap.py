"""
Tests for L{emperor.tap}.
"""

from __future__ import annotations

import io
import os
import socket
import sys

from twisted.application.service import IService
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.config.options import OPTIONS
from emperor.program import Program
from emperor.tap import Options, makeService


class TapTests(SynchronousTestCase):
    """
    What C{twistd emperor} does before anything runs.
    """

    def setUp(self) -> None:
        self.folder = FilePath(self.mktemp())
        self.folder.makedirs()

    def write(self, text: str) -> str:
        file = self.folder.child("router.ini")
        file.setContent(text.encode())
        return file.path

    def options(self, *arguments: str) -> Options:
        options = Options()
        options.parseOptions(list(arguments))
        return options

    def farewell(self, *arguments: str) -> str:
        return str(self.assertRaises(SystemExit, self.options, *arguments).code)

    def test_the_command_line_wins_over_the_file(self) -> None:
        """
        An option given by hand takes the place of the file's.
        """
        path = self.write("[uwsgi]\nshutdown-grace = 5\n")
        options = self.options("--config", path, "--shutdown-grace", "7")
        self.assertEqual(options.loaded.settings.shutdown_grace, 7)

    def test_a_refused_option_is_told_with_its_reason(self) -> None:
        """
        As in a file, and without the parser's usage.
        """
        self.assertEqual(
            "command line: uid is not ours: start twistd with --uid",
            self.farewell("--emperor", "v", "--uid", "5"),
        )

    def test_every_option_of_the_table_is_an_argument(self) -> None:
        """
        C{--help} shows what the reference has.
        """
        shown = Options().getUsage()
        for option in OPTIONS:
            for name in option.names:
                self.assertIn(f"--{name}", shown)

    def test_as_an_emperor_gives_it(self) -> None:
        """
        Files, templates and values come in the order in which an Emperor names
        them; what is inherited comes last.
        """
        file = self.write("[uwsgi]\nshutdown-grace = %(grace)\nhttp-to = /run/%n.sock\n")
        before, after = self.folder.child("before.ini"), self.folder.child("after.ini")
        before.setContent(b"[uwsgi]\nhttp = 127.0.0.1:1\nheartbeat = 1\n")
        after.setContent(b"[uwsgi]\nheartbeat = 3\n")
        words = ["--include", before.path, "--set", "grace=9", "--ini", file]
        settings = self.options(*words, "--inherit", after.path).loaded.settings
        self.assertEqual((settings.shutdown_grace, settings.heartbeat), (9, 3))
        (router,) = settings.routers
        self.assertEqual(str(router.to[0].address), "/run/router.sock")

    def test_it_may_be_a_vassal(self) -> None:
        """
        With a pipe in its environment it is one, and nobody else finds that.
        """
        emperor, ours = socket.socketpair()
        self.addCleanup(emperor.close)
        os.set_inheritable(ours.fileno(), True)
        variables = {"UWSGI_EMPEROR_FD": str(ours.detach())}
        self.patch(os, "environ", {**os.environ, **variables})
        path = self.write(
            f"[uwsgi]\nemperor = {self.folder.path}\nbinary-path = {sys.executable}\n"
        )
        options = self.options("--config", path)
        self.assertNotIn("UWSGI_EMPEROR_FD", {**os.environ, **options.surroundings.environ})
        service = makeService(options)
        assert isinstance(service, Program)
        names = [type(each).__name__ for each in service.services]
        self.assertEqual((names[0], names[-1]), ("Superior", "Heritage"))
        assert options.summons.pipe is not None
        options.summons.pipe.close()

    def test_check_prints_settings_with_their_origin(self) -> None:
        """
        C{--check} shows each setting, where it was written, and leaves with 0.
        """
        path = self.write("[uwsgi]\nhttp = :8080\nhttp-to = /run/a.sock\n")
        output = io.StringIO()
        self.patch(sys, "stdout", output)
        self.assertEqual(self.farewell("--config", path, "--check"), "0")
        self.assertIn(f"http = :8080  ({path}:2)", output.getvalue())

    def test_monitor_list(self) -> None:
        """
        C{--imperial-monitor-list} prints the schemes, needs no configuration, and
        leaves with 0.
        """
        output = io.StringIO()
        self.patch(sys, "stdout", output)
        self.assertEqual(self.farewell("--imperial-monitor-list"), "0")
        self.assertLessEqual({"dir", "glob"}, set(output.getvalue().split()))

    def test_pidfile(self) -> None:
        """
        A file that cannot be written is told before anything starts.
        """
        options = self.options("--emperor", "/v", "--emperor-pidfile", "/nowhere/a.pid")
        error = self.assertRaises(SystemExit, makeService, options)
        self.assertIn("emperor-pidfile: /nowhere/a.pid cannot be written: No such", str(error.code))

    def test_all_errors_are_told_at_once(self) -> None:
        """
        Each error has its own line with the file and the line in it.
        """
        text = "[uwsgi]\nhttp = nowhere:x\nroute-host = a b\ninclude = no.ini\nhtpp = :1\n"
        path = self.write(text)
        lines = self.farewell("--config", path).splitlines()
        places = [line.split(": ")[0] for line in lines]
        self.assertEqual(places, [f"{path}:{number}" for number in (2, 3, 4, 5)])
        self.assertIn("did you mean http?", lines[-1])

    def test_monitors_that_are_not_supported(self) -> None:
        """
        C{--check} finds them too, with their line.
        """
        path = self.write("[uwsgi]\nemperor = pg://host=db\n")
        farewell = self.farewell("--config", path, "--check")
        self.assertTrue(farewell.startswith(f"{path}:2: emperor: pg://"), farewell)

    def test_nothing_to_do(self) -> None:
        """
        A section that does not exist, or says nothing, starts nothing.
        """
        path = self.write("[other]\nhttp = :80\n")
        error = self.assertRaises(SystemExit, makeService, self.options("--config", path))
        self.assertIn("nothing to do", str(error.code))
        self.assertEqual(self.farewell("--config", path, "--check"), str(error.code))
        self.assertIn("no section [no]", self.farewell("--config", f"{path}:no", "--check"))

    def test_without_a_configuration_it_says_what_to_give(self) -> None:
        """
        Nothing given: one line of advice.
        """
        self.assertIn("--config FILE", self.farewell())

    def test_an_address_in_use_is_one_line(self) -> None:
        """
        A second server on the same port is told before anything starts.
        """
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            options = self.options("--http", f"127.0.0.1:{port}", "--http-to", "/run/a.sock")
            error = self.assertRaises(SystemExit, makeService, options)
        self.assertIn(f"cannot listen on 127.0.0.1:{port}", str(error.code))
        self.assertEqual(len(str(error.code).splitlines()), 1)

    def test_a_start_that_fails_leaves_no_socket(self) -> None:
        """
        The sockets that were opened before the address in use are removed.
        """
        path = os.path.relpath(self.folder.child("a.sock").path)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for last in ("--http", "--fastrouter"):
                options = self.options("--http", f"./{path}", last, address)
                self.assertRaises(SystemExit, makeService, options)
                self.assertFalse(os.path.lexists(path), last)

    def test_statistics(self) -> None:
        """
        Statistics servers are opened early too: if one cannot be, or a router
        cannot, nothing is left.
        """
        path = os.path.relpath(self.folder.child("stats.sock").path)
        ours = ("--http", "127.0.0.1:0", "--http-to", "/run/a.sock", "--http-stats", f"./{path}")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for more in ("--http-stats", "--http"):
                options = self.options(*ours, more, address)
                error = self.assertRaises(SystemExit, makeService, options)
                self.assertIn(f"cannot listen on {address}", str(error.code))
                self.assertFalse(os.path.lexists(path), more)

    def test_a_missing_uwsgi_is_one_line(self) -> None:
        """
        Vassals need a uWSGI; how to get one is in the message.
        """
        options = self.options("--emperor", self.folder.path, "--binary-path", "/nowhere/uwsgi")
        error = self.assertRaises(SystemExit, makeService, options)
        self.assertIn("pip install", str(error.code))
        self.assertEqual(len(str(error.code).splitlines()), 1)

    def test_it_makes_a_service(self) -> None:
        """
        twistd gets one service with everything in it.
        """
        options = self.options("--emperor", self.folder.path, "--binary-path", sys.executable)
        verifyObject(IService, makeService(options))
