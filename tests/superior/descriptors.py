"""
A reactor's descriptors, watched by the test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock


class Descriptors(Clock):
    """
    A reactor with a clock that the test moves, whose descriptors the test reads.
    """

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[Any] = []

    def addReader(self, reader: Any) -> None:
        self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        self.readers.remove(reader)

    def callWhenRunning(self, call: Callable[[], object]) -> None:
        call()

    def read(self) -> None:
        """
        Let all readers read.
        """
        for reader in list(self.readers):
            reader.doRead()
