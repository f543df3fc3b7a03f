"""
Tests for L{emperor.keeper.hooks}.
"""

import os
import time
from socket import socket

from twisted.trial.unittest import SynchronousTestCase

from emperor.keeper.hooks import HookFailed, run
from emperor.wire.hooks import Command


class RunTests(SynchronousTestCase):
    """
    With a real shell: there is nothing in between.
    """

    def run_shell(self, line: str, limit: float = 10) -> None:
        environ = {b"PATH": os.fsencode(os.environ["PATH"]), b"WORD": b"x"}
        run(Command("the hook", ("sh", "-c", line)), environ, limit)

    def test_good(self) -> None:
        """
        A command that ends well has its environment and nothing else.
        """
        self.run_shell('[ "$WORD" = x ] && [ -z "$HOME" ]')

    def test_nothing_to_read(self) -> None:
        """
        It has nothing to read, whatever the vassal's standard input is.
        """
        before = os.dup(0)
        try:
            with socket() as listening:
                os.dup2(listening.fileno(), 0)
            self.run_shell("[ /proc/$$/fd/0 -ef /dev/null ]")
        finally:
            os.dup2(before, 0)
            os.close(before)

    def test_bad(self) -> None:
        """
        How it failed is told.
        """
        for line, words in (
            ("exit 3", "the hook: exit code 3"),
            ("kill -9 $$", "the hook: killed by signal 9"),
        ):
            self.assertEqual(words, str(self.assertRaises(HookFailed, self.run_shell, line)))

    def test_no_program(self) -> None:
        """
        So is a program that is not there.
        """
        missing = Command("the hook", ("/no/such/program",))
        error = self.assertRaises(HookFailed, run, missing, {}, 1)
        self.assertEqual("the hook: No such file or directory", str(error))

    def test_too_long(self) -> None:
        """
        One that takes too long is killed, with what it has started.
        """
        file = self.mktemp()
        begin = time.monotonic()
        line = f"sh -c 'echo $$ >{file}; exec sleep 1000'"
        error = self.assertRaises(HookFailed, self.run_shell, line, 0.5)
        self.assertIn("longer than 0.5 s", str(error))
        self.assertLess(time.monotonic() - begin, 5)
        with open(file) as pids:
            pid = int(pids.read())
        for _ in range(100):
            try:
                with open(f"/proc/{pid}/stat") as state:
                    if state.read().rpartition(")")[2].split()[0] in "ZX":
                        return
            except OSError:
                return
            time.sleep(0.01)
        self.fail("it still runs")
