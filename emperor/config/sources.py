"""
What may stand in C{@(…)}: a file, a descriptor, the output of a command.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Callable
from contextlib import suppress
from errno import EAGAIN, EISDIR
from threading import Event, Timer

from emperor.config.errors import fault
from emperor.config.settings import Origin
from emperor.config.surroundings import Surroundings

#: Bytes of one configuration file or source.
SIZE_LIMIT = 1024 * 1024

#: Seconds that a command may take.
COMMAND_TIMEOUT = 10.0

_INSIDE = ("sym", "section", "data", "call", "callint", "emperor")


def read_regular(
    path: str, origin: Origin, limit: int = SIZE_LIMIT
) -> tuple[bytes, os.stat_result]:
    """
    A file's bytes and what C{fstat} says of the very file that was read.

    @raise ConfigurationError: it is unreadable, not a regular file, or longer
        than C{limit} bytes.
    """
    try:
        content, status = read_head(path, limit + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        message = f"{path} cannot be read: {why}; check its name and permissions"
        raise fault(message, origin) from error
    if len(content) > limit:
        raise fault(f"{path} is longer than {limit} bytes", origin)
    return content, status


def read_head(path: str, size: int) -> tuple[bytes, os.stat_result]:
    """
    The first bytes of a file, and what C{fstat} says of it; without waiting.

    What is no regular file is not even opened: that alone may let somebody go on
    who waits for it, or set a device going.

    @raise OSError: it is unreadable, or cannot be read now.
    @raise ValueError: it is not a regular file, or its name is no name.
    """
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        status = os.fstat(place)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a regular file")
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(f"/proc/self/fd/{place}", flags)
    finally:
        os.close(place)
    with open(descriptor, "rb") as file:
        content: bytes | None = file.read(size)
    if content is None:  # Some files of the kernel's are regular, and block.
        raise BlockingIOError(EAGAIN, "there is nothing in it now")
    return content, status


class Sources:
    """
    Reads what C{@(…)} names.

    @ivar distrust: why a file may not run commands, by its name as given.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self.distrust: dict[str, str] = {}

    def judge(self, file: str, status: os.stat_result) -> None:
        """
        Remember whether a file's commands may be run: only root or we
        ourselves may have written it.
        """
        if status.st_uid not in (0, self._surroundings.uid):
            self.distrust[file] = f"belongs to user {status.st_uid}"
        elif status.st_mode & stat.S_IWOTH:
            self.distrust[file] = "can be written by everybody"

    def read(self, source: str, origin: Origin) -> str | None:
        """
        The text of a source, without one closing line end.

        @return: or L{None}: leave what is written as it is.
        @raise ConfigurationError: it cannot be had.
        """
        scheme, separator, rest = source.partition("://")
        if not separator:
            path = os.path.join(self._surroundings.cwd, source)
            content = read_regular(path, origin)[0]
        else:
            content = self._scheme(scheme, origin)(rest, origin)
        if content.endswith((b"\n", b"\r")):
            content = content[:-1]
        return content.decode("utf-8", "surrogateescape").partition("\0")[0]

    def _scheme(self, scheme: str, origin: Origin) -> Callable[[str, Origin], bytes]:
        known = {"exec": self._exec, "fd": self._fd}
        if scheme in _INSIDE:
            raise fault(f"{scheme}:// means inside the uwsgi program; use a file", origin)
        if scheme not in known:
            raise fault(f"{scheme}:// is not supported; accepted: a file, exec://, fd://", origin)
        return known[scheme]

    def _fd(self, number: str, origin: Origin) -> bytes:
        if not (number.isascii() and number.isdecimal() and len(number) < 8):
            raise fault(f"fd://{number}: a descriptor is a number", origin)
        return read_regular(f"/dev/fd/{number}", origin)[0]

    def _exec(self, command: str, origin: Origin) -> bytes:
        reason = self.distrust.get(origin.file)
        if reason:
            raise fault(
                f"exec:// is refused: the file {reason}; it must belong to root or to you"
                " and be closed to others (chmod o-w)",
                origin,
            )
        return run(command, self._surroundings, origin)


class StaticSources(Sources):
    """
    Leaves every C{@(…)} as it is written.
    """

    def read(self, source: str, origin: Origin) -> str | None:
        """
        Nothing is read.
        """
        return None


def run(command: str, surroundings: Surroundings, origin: Origin) -> bytes:
    """
    The output of a shell command; its exit status means nothing, as in uWSGI.

    @raise ConfigurationError: it ran over L{COMMAND_TIMEOUT} or L{SIZE_LIMIT}.
    """
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            cwd=surroundings.cwd,
            env=dict(surroundings.environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise fault(f"exec://{command} cannot be run: {error}", origin) from error
    late = Event()

    def stop() -> None:
        late.set()
        _kill(process.pid)

    timer = Timer(COMMAND_TIMEOUT, stop)
    timer.start()
    with process:
        assert process.stdout is not None
        output = process.stdout.read(SIZE_LIMIT + 1)
        timer.cancel()
        _kill(process.pid)
    if late.is_set():
        raise fault(f"exec://{command} took more than {COMMAND_TIMEOUT:g} seconds", origin)
    if len(output) > SIZE_LIMIT:
        raise fault(f"exec://{command} printed more than {SIZE_LIMIT} bytes", origin)
    return output


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
