"""
Tests for L{emperor.processname}.
"""

from __future__ import annotations

from pathlib import Path

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.processname import ProcessName


class ProcessNameTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def start(self, name: str) -> list[str | None]:
        """
        What is said meanwhile.
        """
        with capturedLogs() as logs:
            ProcessName(name, str(self.path)).startService()
        return [formatEvent(event) for event in logs]

    def test_name(self) -> None:
        """
        The kernel is told.
        """
        self.assertEqual([], self.start("my emperor"))
        self.assertEqual("my emperor", self.path.read_text())

    def test_long(self) -> None:
        """
        A name that is too long is cut, which is said.
        """
        (said,) = self.start("the-emperor-of-rome")
        self.assertEqual("the-emperor-of-", self.path.read_text())
        self.assertEqual(
            "emperor-procname: the kernel keeps 15 bytes, so it is the-emperor-of-", said
        )

    def test_no_kernel(self) -> None:
        """
        Where the kernel does not listen the program goes on.
        """
        self.path.mkdir()
        (said,) = self.start("x")
        self.assertIn(f"emperor-procname: {self.path}: ", said or "")
