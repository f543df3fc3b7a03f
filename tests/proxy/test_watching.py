"""
Tests for L{emperor.proxy.watching}.
"""

from __future__ import annotations

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.proxy.watching import NOTICED, PATIENCE, PATIENCE_AT_START, Watch


class WatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.kills = 0
        self.watch = Watch("http process 1", self.kill)

    def kill(self) -> None:
        self.kills += 1

    def look(self, times: int) -> list[str]:
        """
        What is logged meanwhile.
        """
        with capturedLogs() as logs:
            for _ in range(times):
                self.watch.look()
        return [formatEvent(event) for event in logs]

    def test_reports(self) -> None:
        """
        One that reports is left alone.
        """
        for _ in range(PATIENCE):
            self.assertEqual([], self.look(NOTICED - 1))
            self.watch.heard()
        self.assertEqual(0, self.kills)

    def test_recovers(self) -> None:
        """
        Who was late for a while is forgiven, with a line in the log.
        """
        self.watch.heard()
        self.assertEqual(["http process 1 has not reported for 10 s"], self.look(PATIENCE - 1))
        with capturedLogs() as logs:
            self.watch.heard()
            self.watch.heard()
        self.assertEqual(
            ["http process 1 reports again, after 29 s"], [formatEvent(log) for log in logs]
        )
        self.look(PATIENCE - 1)
        self.assertEqual(0, self.kills)

    def test_stuck(self) -> None:
        """
        Who never reports again is killed once.
        """
        self.watch.heard()
        said = self.look(3 * PATIENCE)
        self.assertEqual("http process 1 has not reported for 30 s: it is killed", said[-1])
        self.assertEqual(1, self.kills)

    def test_start(self) -> None:
        """
        To start may take longer.
        """
        self.look(PATIENCE_AT_START - 1)
        self.assertEqual(0, self.kills)
        self.look(1)
        self.assertEqual(1, self.kills)
