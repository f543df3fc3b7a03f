"""
Tests for L{emperor.vassals.hooks}.
"""

from __future__ import annotations

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.testing.vassals import MemoryProcess, MemorySpawner
from emperor.vassals.hooks import AT_ONCE, Hooks, NoHooks, Occasion
from emperor.vassals.keeping import NotKept
from emperor.vassals.process import OUTPUT_GRACE
from emperor.wire.hooks import Command

FIRST = Command("first", ("/bin/sh", "-c", "one"))
SECOND = Command("second", ("/bin/two", "a.ini"))
OCCASION = Occasion("a.ini", "/v", 5, 6, 7)


class HooksTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemorySpawner()
        self.hooks = Hooks(self.reactor, self.reactor, {"HOME": "/h"}, 30)

    def end(self, process: MemoryProcess, code: int = 0) -> None:
        process.leaves(code)
        process.protocol.processEnded(process._reason(code, None))

    def test_in_order(self) -> None:
        """
        One command after the other, and what each finds.
        """
        self.hooks.run([FIRST, SECOND], OCCASION)
        (process,) = self.reactor.processes
        self.assertEqual(["/bin/sh", "-c", "one"], process.argv)
        self.assertEqual("/v", process.directory)
        self.assertEqual(
            {
                "HOME": "/h",
                "UWSGI_VASSALS_DIR": "/v",
                "UWSGI_VASSAL_CONFIG": "a.ini",
                "UWSGI_VASSAL_PID": "7",
                "UWSGI_VASSAL_UID": "5",
                "UWSGI_VASSAL_GID": "6",
            },
            process.env,
        )
        self.end(process)
        self.assertEqual(["/bin/two", "a.ini"], self.reactor.last.argv)
        self.end(self.reactor.last)
        self.assertEqual(2, len(self.reactor.processes))
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_gone(self) -> None:
        """
        A vassal that has gone has no number.
        """
        self.assertNotIn("UWSGI_VASSAL_PID", Occasion("a.ini", "/v", 5, 6).variables())

    def test_output(self) -> None:
        """
        What a command prints is logged, with the vassal's name and its own.
        """
        with capturedLogs() as events:
            self.hooks.run([FIRST], OCCASION)
            self.reactor.last.prints(b"hello\n")
            self.end(self.reactor.last)
        self.assertEqual(["a.ini: first: hello"], [formatEvent(event) for event in events])

    def test_failure(self) -> None:
        """
        After a command that fails no other one is run, and the log says how.
        """
        with capturedLogs() as events:
            self.hooks.run([FIRST, SECOND], OCCASION)
            self.end(self.reactor.last, 3)
        self.assertEqual(1, len(self.reactor.processes))
        self.assertIn("a.ini: first: ", formatEvent(events[0]))
        self.assertIn("3", formatEvent(events[0]))

    def test_too_long(self) -> None:
        """
        One that takes too long is killed.
        """
        self.hooks.run([FIRST], OCCASION)
        self.reactor.advance(29)
        self.assertEqual([], self.reactor.last.signals)
        self.reactor.advance(1)
        self.assertEqual(["KILL"], self.reactor.last.signals)

    def test_background(self) -> None:
        """
        What a command has left in the background is not listened to for long.
        """
        self.hooks.run([FIRST, SECOND], OCCASION)
        self.reactor.last.leaves()
        self.reactor.advance(OUTPUT_GRACE)
        self.assertEqual(2, len(self.reactor.processes))

    def test_no_process(self) -> None:
        """
        A command that cannot be started has failed.
        """
        self.reactor.fault = NotKept("no room")
        with capturedLogs() as events:
            self.hooks.run([FIRST, SECOND], OCCASION)
        self.assertEqual(["a.ini: first: no room"], [formatEvent(event) for event in events])
        self.assertIsNotNone(self.successResultOf(self.hooks.stopService()))

    def test_a_few_at_a_time(self) -> None:
        """
        Many vassals' commands wait for each other.
        """
        for _ in range(AT_ONCE + 1):
            self.hooks.run([FIRST], OCCASION)
        self.assertEqual(AT_ONCE, len(self.reactor.processes))
        self.end(self.reactor.processes[0])
        self.assertEqual(AT_ONCE + 1, len(self.reactor.processes))

    def test_stop(self) -> None:
        """
        The program waits for commands that run.
        """
        self.hooks.run([FIRST], OCCASION)
        stopped = self.hooks.stopService()
        self.assertNoResult(stopped)
        self.end(self.reactor.last)
        self.successResultOf(stopped)

    def test_none(self) -> None:
        """
        Without commands nothing is started.
        """
        self.hooks.run([], OCCASION)
        NoHooks().run([FIRST], OCCASION)
        self.assertEqual([], self.reactor.processes)

    def test_context(self) -> None:
        """
        Some commands are told what they are about besides.
        """
        self.assertNotIn("UWSGI_HOOK_CONTEXT", OCCASION.variables())
        about = Occasion("a.ini", "/v", 5, 6, context="a.ini")
        self.assertEqual("a.ini", about.variables()["UWSGI_HOOK_CONTEXT"])
