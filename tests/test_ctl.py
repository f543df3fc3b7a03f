"""
Tests for L{emperor.ctl}.
"""

from __future__ import annotations

import runpy
import sys
from contextlib import redirect_stdout
from io import StringIO
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from emperor import __version__
from emperor.announcing.command import SubscribeOptions
from emperor.ctl import main


class MainTests(SynchronousTestCase):
    """
    The command C{emperor}.
    """

    def leave(self, *arguments: str) -> tuple[object, str]:
        """
        @return: what the program leaves with, and what it printed.
        """
        output = StringIO()
        with redirect_stdout(output):
            error = self.assertRaises(SystemExit, main, arguments)
        return error.code, output.getvalue()

    def test_version(self) -> None:
        """
        It is ours and not Twisted's, of each command too.
        """
        expected = (0, f"txemperor {__version__}\n")
        self.assertEqual(self.leave("--version"), expected)
        self.assertEqual(self.leave("subscribe", "--version"), expected)

    def test_help(self) -> None:
        """
        The help names the commands, and that of a command its options.
        """
        self.assertTrue(self.leave("--help")[1].startswith("emperor COMMAND [options]\n"))
        text = self.leave("subscribe", "--help")[1]
        self.assertTrue(text.startswith("emperor subscribe --server SERVER"), text)

    def test_mistakes(self) -> None:
        """
        A mistake is one sentence and status 1.
        """
        self.assertEqual(self.leave(), ("emperor: which command? emperor --help lists them", ""))
        code, _ = self.leave("subscribe")
        self.assertEqual(code, "emperor: it needs --server, --key and --address")
        code, _ = self.leave("conquer")
        self.assertIn("conquer", str(code))

    def test_run(self) -> None:
        """
        The command is run.
        """
        with patch.object(SubscribeOptions, "run", autospec=True) as run:
            main(["subscribe", "-s", "/run/s", "-k", "foo.com", "-a", "/node", "--once"])
        ((options,),) = (call.args for call in run.call_args_list)
        self.assertEqual(options.pools, ["foo.com"])

    def test_run_the_server(self) -> None:
        """
        C{emperor run} is twistd in the foreground, with all the words behind it as
        an Emperor gives them.
        """
        words = ["--set", "a=b", "--ini", "a.ini", "--inherit", "t.ini", "--help"]
        with (
            patch("twisted.scripts.twistd.run", autospec=True) as run,
            patch.object(sys, "argv", ["emperor"]),
        ):
            main(["run", *words])
            found = sys.argv
        run.assert_called_once_with()
        self.assertEqual(found, ["twistd", "--nodaemon", "--pidfile=", "emperor", *words])

    def test_as_a_module(self) -> None:
        """
        It can be run as C{python -m emperor.ctl}.
        """
        with (
            patch("sys.argv", ["emperor", "conquer"]),
            patch("sys.modules", {k: v for k, v in sys.modules.items() if k != "emperor.ctl"}),
        ):
            error = self.assertRaises(SystemExit, runpy.run_module, "emperor.ctl", None, "__main__")
        self.assertIn("conquer", str(error))
