"""
The file with the number of the program's process: C{emperor-pidfile}.
"""

from __future__ import annotations

import os
from contextlib import suppress

from twisted.application.service import Service
from twisted.logger import Logger

#: Bytes of such a file that are looked at.
_LIMIT = 64


class CannotWrite(Exception):
    """
    The file cannot be written; the text says why.
    """


class PidFile(Service):
    """
    Is there as long as the program runs.
    """

    _log = Logger()

    def __init__(self, path: str) -> None:
        """
        Only try it: the number is another one when the program has gone into the
        background.

        @raise CannotWrite: the file cannot be written.
        """
        self._path = os.path.abspath(path)
        was_there = os.path.lexists(self._path)
        try:
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))
        except OSError as error:
            raise CannotWrite(
                f"emperor-pidfile: {self._path} cannot be written: {error.strerror}"
            ) from error
        if not was_there:
            os.unlink(self._path)

    def privilegedStartService(self) -> None:
        """
        Write it while we are who we were started as.
        """
        with open(self._path, "w", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")

    def stopService(self) -> None:
        """
        Remove it, unless another program has written its own number meanwhile.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        with suppress(FileNotFoundError):
            try:
                self._remove()
            except OSError as error:
                self._log.warn(
                    "{path} stays: {why}", path=self._path, why=error.strerror or str(error)
                )

    def _remove(self) -> None:
        with open(self._path, "rb") as file:
            number = file.read(_LIMIT).strip()
        if number == str(os.getpid()).encode():
            os.unlink(self._path)
