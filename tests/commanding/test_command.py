"""
Tests for L{emperor.commanding.command}.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from threading import Thread

from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from emperor.announcing.servers import parse_server
from emperor.commanding.command import CommandOptions, NoReply, ask
from emperor.wire.commands import CommandReply, VassalCommand, Verb, build_reply, parse_command


class OptionsTests(SynchronousTestCase):
    def parse(self, *arguments: str) -> VassalCommand:
        options = CommandOptions()
        options.parseOptions(["--socket", "/run/command", *arguments])
        return parse_command(options.datagram)

    def mistake(self, *arguments: str) -> str:
        return str(self.assertRaises(usage.UsageError, self.parse, *arguments))

    def test_commands(self) -> None:
        """
        Each command asks for an answer.
        """
        self.assertEqual(
            self.parse("spawn", "a.ini"), VassalCommand(Verb.SPAWN, "a.ini", wants_reply=True)
        )
        self.assertEqual(
            self.parse("--monitor", "/v", "stop", "a.ini"),
            VassalCommand(Verb.STOP, "a.ini", "/v", wants_reply=True),
        )
        self.assertEqual(
            self.parse("log", "we", "begin"),
            VassalCommand(Verb.LOG, text="we begin", wants_reply=True),
        )
        self.assertEqual(self.parse("rescan"), VassalCommand(Verb.RESCAN, wants_reply=True))

    def test_mistakes(self) -> None:
        """
        Each is a sentence.
        """
        self.assertIn("accepted: spawn, respawn", self.mistake())
        self.assertIn("'burn' is no command", self.mistake("burn", "a.ini"))
        self.assertEqual(self.mistake("spawn"), "spawn needs the name of one vassal")
        self.assertEqual(self.mistake("stop", "a", "b"), "stop needs the name of one vassal")
        self.assertEqual(self.mistake("log"), "log needs a message")
        self.assertIn("takes no name", self.mistake("rescan", "a.ini"))
        self.assertIn("at most 4096", self.mistake("log", "x" * 5000))
        self.assertIn("is no server", self.mistake("--socket", "here", "rescan"))
        options = CommandOptions()
        error = self.assertRaises(usage.UsageError, options.parseOptions, ["rescan"])
        self.assertEqual(str(error), "it needs --socket")


class OrderTests(SynchronousTestCase):
    def command(self, *words: str) -> VassalCommand:
        options = CommandOptions()
        options.parseOptions(list(words))
        return parse_command(options.datagram)

    def test_anywhere(self) -> None:
        """
        Options may be before the command, behind it and behind the name.
        """
        expected = VassalCommand(Verb.STOP, "a.ini", "m", "", wants_reply=True)
        for text in (
            "--socket /c --monitor m stop a.ini",
            "--socket /c stop --monitor m a.ini",
            "stop --monitor=m a.ini -s /c",
            "stop a.ini -m m --socket /c",
            "-s /c -m m -- stop a.ini",
            "-s /c stop -m m -- a.ini",
        ):
            self.assertEqual(self.command(*text.split()), expected, text)

    def test_help(self) -> None:
        """
        Help may be asked for anywhere.
        """
        for words in (["--help"], ["stop", "--help"], ["-s", "/c", "stop", "a", "--help"]):
            with redirect_stdout(StringIO()) as output:
                error = self.assertRaises(SystemExit, CommandOptions().parseOptions, words)
            self.assertEqual(error.code, 0)
            self.assertIn("--monitor", output.getvalue())

    def test_odd_name(self) -> None:
        """
        Behind two dashes a name may look like an option.
        """
        found = self.command("-s", "/c", "stop", "--", "--socket")
        self.assertEqual(found.vassal, "--socket")

    def test_message(self) -> None:
        """
        What is behind C{log} is the message, whatever it looks like.
        """
        found = self.command("-s", "/c", "log", "-5", "degrees", "--monitor")
        self.assertEqual(found.text, "-5 degrees --monitor")

    def test_unknown(self) -> None:
        """
        An option that there is not is told, wherever it is.
        """
        for words in (["--nosuch", "stop", "a"], ["-s", "/c", "stop", "a", "--nosuch"]):
            error = self.assertRaises(usage.UsageError, self.command, *words)
            self.assertIn("nosuch", str(error))


class AskTests(SynchronousTestCase):
    """
    With a socket at the other end.
    """

    def setUp(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="emperor-"))
        self.addCleanup(shutil.rmtree, self.place)

    def emperor(self, family: socket.AddressFamily) -> tuple[socket.socket, str]:
        server = socket.socket(family, socket.SOCK_DGRAM)
        self.addCleanup(server.close)
        if family == socket.AF_UNIX:
            path = str(self.place / "command")
            server.bind(path)
            return server, path
        server.bind(("127.0.0.1", 0))
        return server, f"localhost:{server.getsockname()[1]}"

    def answer(self, server: socket.socket, data: bytes) -> None:
        def run() -> None:
            _, peer = server.recvfrom(4096)
            server.sendto(data, peer)

        thread = Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)

    def run_command(self, address: str) -> tuple[object, str, str]:
        """
        @return: what it leaves with, and what it printed, and complained of.
        """
        options = CommandOptions()
        options.parseOptions(["--socket", address, "spawn", "a.ini"])
        output, complaint = StringIO(), StringIO()
        with redirect_stdout(output), redirect_stderr(complaint):
            try:
                options.run()
            except SystemExit as error:
                return error.code, output.getvalue(), complaint.getvalue()
        return 0, output.getvalue(), complaint.getvalue()

    def test_obeyed(self) -> None:
        """
        The answer is printed, over either kind of socket.
        """
        for family in (socket.AF_UNIX, socket.AF_INET):
            server, address = self.emperor(family)
            self.answer(server, build_reply(CommandReply(True, "spawn a.ini")))
            self.assertEqual(self.run_command(address), (0, "spawn a.ini\n", ""))

    def test_not_obeyed(self) -> None:
        """
        The status is 1 then.
        """
        server, address = self.emperor(socket.AF_UNIX)
        self.answer(server, build_reply(CommandReply(False, "no such vassal")))
        self.assertEqual(self.run_command(address), (1, "", "no such vassal\n"))

    def test_nobody(self) -> None:
        """
        Where nobody listens, or nobody answers, or it is no answer, that is told.
        """
        code, _, _ = self.run_command("/no/such/socket")
        self.assertEqual(code, "emperor: /no/such/socket: No such file or directory")
        server, address = self.emperor(socket.AF_UNIX)
        error = self.assertRaises(NoReply, ask, parse_server(address), b"x", 0.01)
        self.assertIn("no answer within 0.01 s; is it an emperor-command-socket", str(error))
        server.recv(100)
        self.answer(server, b"garbage")
        self.assertRaises(NoReply, ask, parse_server(address), b"x")
        os.unlink(address)
