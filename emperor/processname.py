"""
The name of the program's process: C{emperor-procname}.
"""

from __future__ import annotations

import os

from twisted.application.service import Service
from twisted.logger import Logger

#: Bytes of a name that the kernel keeps.
NAME_LIMIT = 15

_PATH = "/proc/self/comm"


class ProcessName(Service):
    """
    What ps, top and pgrep call the process.
    """

    _log = Logger()

    def __init__(self, name: str, path: str = _PATH) -> None:
        """
        @param path: where the kernel hears of it.
        """
        self._name = os.fsencode(name)
        self._path = path

    def startService(self) -> None:
        """
        Have it from now on.
        """
        super().startService()  # type: ignore[no-untyped-call]
        if len(self._name) > NAME_LIMIT:
            self._log.warn(
                "emperor-procname: the kernel keeps {limit} bytes, so it is {kept}",
                limit=NAME_LIMIT,
                kept=os.fsdecode(self._name[:NAME_LIMIT]),
            )
        try:
            with open(self._path, "wb", buffering=0) as file:
                file.write(self._name[:NAME_LIMIT])
        except OSError as error:
            self._log.warn("emperor-procname: {path}: {why}", path=self._path, why=error.strerror)
