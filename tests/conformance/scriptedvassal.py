"""
A vassal that writes down what it is given and what it hears, and does what the
comments of its file say.

It is not imported, but executed in the place of uWSGI: L{tests.conformance.sides}
puts a first line before it and the path of the record behind that.  Each line of
the record is a JSON object; a vassal writes it in one piece, so the record has the
order in which things happened.

A line of its file, C{#: WHEN DO WORDS}, is an instruction:

    - WHEN: C{start}; C{again} (byte 1, asked to reload); C{leave} (byte 0 or 2);
      C{lost} (the pipe has ended); C{TERM} (that signal); C{told} (USR2, which no
      Emperor sends); C{called} (somebody has connected to its descriptor 0).
      With C{zerg-} in front it is one for the zergs of that file.
    - DO: C{say} bytes, C{exit} with a status, C{print} a text, C{close} the pipe,
      C{nothing}.

A vassal that is not instructed starts with 1 and 5, says 5 when it is asked to
reload, and leaves when it is asked to, or its Emperor has gone.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import select
import signal
import socket
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

#: What a vassal does if its file does not say what.
USUAL = {
    "start": [["say", "1", "5"]],
    "again": [["say", "5"]],
    "leave": [["exit", "0"]],
    "lost": [["exit", "0"]],
    "TERM": [["exit", "0"]],
}

_READS = ("--ini", "--xml", "--yaml", "--json", "--config")
_INSTRUCTION = re.compile(r"^\s*#: (.*)$", re.M)
_GET_DEATH_SIGNAL = 2
_ALL_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)


class Vassal:
    """
    What it knows of itself.
    """

    def __init__(self, record: str) -> None:
        self._record = record
        self._lines: list[list[str]] = []
        self.name = next(
            (value for word, value in zip(sys.argv, sys.argv[1:], strict=False) if word in _READS),
            "",
        )
        self._file = self.name.partition(":")[0]
        self.pipe = int(os.environ.get("UWSGI_EMPEROR_FD", "-1"))

    def write(self, what: str, **details: Any) -> None:
        """
        Write a line of the record.
        """
        entry = {"vassal": self.name, "pid": os.getpid(), "what": what, "time": time.monotonic()}
        file = os.open(self._record, os.O_WRONLY | os.O_APPEND)
        os.write(file, json.dumps({**entry, **details}).encode() + b"\n")
        os.close(file)

    def do(self, when: str) -> None:
        """
        Follow the instructions for an occasion, as the file has them now.
        """
        for action, *words in self._instructions(when):
            if action == "say" and self.pipe >= 0:
                os.write(self.pipe, bytes(map(int, words)))
            elif action == "print":
                print(*words, flush=True)
            elif action == "close":
                os.close(self.pipe)
                self.pipe = -1
            elif action == "exit":
                os._exit(int(words[0]))

    def _instructions(self, when: str) -> list[list[str]]:
        with suppress(OSError):  # When the file has gone, what it said counts.
            text = Path(self._file).read_text(encoding="utf-8", errors="surrogateescape")
            self._lines = [line.split() for line in _INSTRUCTION.findall(text)]
        if ":" in self.name:
            when = f"zerg-{when}"
        found = [words for first, *words in self._lines if first == when]
        return found or USUAL.get(when.removeprefix("zerg-"), [])

    def hear_signal(self, number: int, frame: FrameType | None) -> None:
        """
        Somebody sent a signal.
        """
        name = "told" if number == signal.SIGUSR2 else signal.Signals(number).name[3:]
        if name != "told":
            self.write("signal", signal=name)
        self.do(name)

    def hear_byte(self) -> None:
        """
        The Emperor has said something, or is gone.
        """
        byte = os.read(self.pipe, 1)
        if not byte:
            self.write("end")
            os.close(self.pipe)
            self.pipe = -1
            self.do("lost")
            return
        self.write("byte", byte=byte[0])
        self.do({0: "leave", 1: "again", 2: "leave"}.get(byte[0], ""))

    def be_called(self, listener: socket.socket) -> None:
        """
        Answer a connection with the number of the process.
        """
        connection, _ = listener.accept()
        with connection:
            self.write("called", request=connection.recv(100).decode())
            with suppress(OSError):  # Who only looks whether somebody listens.
                connection.sendall(str(os.getpid()).encode())
        self.do("called")

    def live(self) -> None:
        """
        Do whatever there is to do.
        """
        listener = listening(0)
        while True:
            sources: list[Any] = [listener] if listener else []
            sources += [self.pipe] if self.pipe >= 0 else []
            try:
                ready = select.select(sources, [], [])[0]
            except OSError:  # It was told to close the pipe while it waited.
                continue
            for source in ready:
                if listener is not None and source is listener:
                    self.be_called(listener)
                elif self.pipe >= 0:
                    self.hear_byte()


def listening(descriptor: int) -> socket.socket | None:
    """
    The socket that somebody listens on for this process.
    """
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return None
    return socket.socket(fileno=os.dup(descriptor))


def kind(descriptor: int) -> str:
    """
    What a descriptor is.
    """
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return os.readlink(f"/proc/self/fd/{descriptor}")
    with socket.socket(fileno=os.dup(descriptor)) as found:
        listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        name = found.getsockname() if listens else ""
        return f"{'listening' if listens else 'connected'} {found.family.name} {name}".strip()


def descriptors() -> dict[int, str]:
    """
    Everything that is open.
    """
    found = {}
    for number in map(int, os.listdir("/proc/self/fd")):
        try:
            found[number] = kind(number)
        except OSError:  # That of the directory, which is closed again.
            continue
    return found


def status(*names: str) -> dict[str, str]:
    """
    What the kernel says of this process.
    """
    with open("/proc/self/status", encoding="ascii") as file:
        rows = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return {name: rows[name].strip() for name in names}


def death_signal() -> int:
    """
    The signal that comes when the parent dies; 0: none.
    """
    number = ctypes.c_int()
    ctypes.CDLL(None).prctl(_GET_DEATH_SIGNAL, ctypes.byref(number), 0, 0, 0)
    return number.value


def given() -> dict[str, Any]:
    """
    Everything that the Emperor has given to this process.
    """
    return {
        "argv": sys.argv[1:],
        "program": sys.argv[0],
        "cwd": os.getcwd(),
        "environ": dict(os.environ),
        "descriptors": descriptors(),
        "session": os.getsid(0) == os.getpid(),
        "group": os.getpgrp() == os.getpid(),
        "death_signal": death_signal(),
        "nofile": resource.getrlimit(resource.RLIMIT_NOFILE),
        "status": status("Uid", "Gid", "Groups", "Umask", "SigBlk", "CapBnd"),
    }


def main(record: str) -> None:
    """
    Live as a vassal.
    """
    vassal = Vassal(record)
    details = given()
    for number in (*_ALL_SIGNALS, signal.SIGUSR2):
        signal.signal(number, vassal.hear_signal)
    vassal.write("start", **details)
    vassal.do("start")
    vassal.live()
