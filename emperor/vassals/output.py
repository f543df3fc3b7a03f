"""
What a vassal prints, line by line in our log.
"""

from __future__ import annotations

from collections.abc import Callable

#: Bytes of one logged line; a longer one is logged in pieces.
LINE_LIMIT = 8192


class Lines:
    """
    Cuts a stream into lines; holds at most L{LINE_LIMIT} bytes.
    """

    def __init__(self, receive: Callable[[str], object]) -> None:
        self._receive = receive
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """
        Take the next bytes of the stream and pass on the lines they complete.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._pass_on(line)
        while len(self._rest) > LINE_LIMIT:
            self._receive(_text(self._rest[:LINE_LIMIT]))
            self._rest = self._rest[LINE_LIMIT:]

    def finish(self) -> None:
        """
        The stream has ended: pass on what has no line end.
        """
        rest, self._rest = self._rest, b""
        self._pass_on(rest)

    def _pass_on(self, line: bytes) -> None:
        line = line.rstrip(b"\r")
        for start in range(0, len(line), LINE_LIMIT):
            self._receive(_text(line[start : start + LINE_LIMIT]))


def _text(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace")
