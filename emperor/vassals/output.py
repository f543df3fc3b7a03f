"""
What a vassal prints, line by line in our log.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

#: Bytes of one logged line; a longer one is logged in pieces.
LINE_LIMIT = 8192

#: Lines of one vassal that are logged in a second; the rest is counted.
LINES_A_SECOND = 500

#: Bytes that are read of one vassal's output in a second.
BYTES_A_SECOND = 1024 * 1024

#: Lines that are kept of what a vassal printed last, and characters of each.
LAST_LINES = 10
LAST_LINE_LIMIT = 300


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

    def skip(self, data: bytes) -> int:
        """
        Take the next bytes and pass on nothing.

        @return: how many lines they complete.
        """
        end = data.rfind(b"\n") + 1
        if end:
            self._rest = data[end:]
        else:
            self._rest = (self._rest + data)[-LINE_LIMIT:]
        return data.count(b"\n")

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


class Output:
    """
    What one vassal prints, on both of its outputs, as much as the log can bear.

    @ivar paused: whether the vassal has to wait until the second is over.
    @ivar last: the lines that were logged last.
    """

    def __init__(
        self,
        clock: IReactorTime,
        log_line: Callable[[str], object],
        pause: Callable[[], object],
        resume: Callable[[], object],
    ) -> None:
        """
        @param pause: makes the reactor read no more of it.
        @param resume: makes it read again.
        """
        self._clock = clock
        self._log_line = log_line
        self._pause, self._resume = pause, resume
        self._streams = {1: Lines(self._line), 2: Lines(self._line)}
        self._second: IDelayedCall | None = None
        self._lines = self._bytes = self._left_out = 0
        self._ending = False
        self.paused = False
        self.last: tuple[str, ...] = ()

    def feed(self, descriptor: int, data: bytes) -> None:
        """
        It printed something.
        """
        if self._second is None:
            self._second = self._clock.callLater(1, self._begin_second)
        self._bytes += len(data)
        stream = self._streams[descriptor]
        if self._lines < LINES_A_SECOND:
            stream.feed(data)
        else:
            self._left_out += stream.skip(data)
        if self._bytes > BYTES_A_SECOND and not self.paused and not self._ending:
            self.paused = True
            self._pause()

    def close(self, descriptor: int) -> None:
        """
        One of its outputs is closed.
        """
        self._streams[descriptor].finish()

    def read_to_the_end(self) -> None:
        """
        It has left: what it printed last matters, and is not much.
        """
        self._ending = True
        self._go_on()

    def finish(self) -> None:
        """
        Nothing more comes.
        """
        if self._second is not None:
            self._second.cancel()
            self._begin_second()

    def _line(self, line: str) -> None:
        self._lines += 1
        if self._lines <= LINES_A_SECOND:
            self.last = (*self.last[1 - LAST_LINES :], line[:LAST_LINE_LIMIT])
            self._log_line(line)
        else:
            self._left_out += 1

    def _begin_second(self) -> None:
        self._second = None
        if self._left_out:
            self._log_line(f"{self._left_out} lines left out")
        self._lines = self._bytes = self._left_out = 0
        self._go_on()

    def _go_on(self) -> None:
        if self.paused:
            self.paused = False
            self._resume()
