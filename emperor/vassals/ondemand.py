"""
Which vassals have a door, and where.

What the vassal's own file says comes first.  Then the options, of which the first
that is set decides, as in uWSGI: a file beside the vassal's with the address in
its first line, a directory of sockets, a command that prints the address.

With C{emperor-tyrant} the first two are somebody else's words, and it is root who
would listen: no user gets a socket that he could not have opened himself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.addresses import BadAddress, SocketAddress, TcpAddress
from emperor.config.doorways import Doorway, parse_doorway
from emperor.config.errors import Problem
from emperor.config.settings import EmperorSettings
from emperor.config.sources import read_head
from emperor.config.values import BadValue
from emperor.config.vassalvalues import filled
from emperor.identity import reading_as
from emperor.vassals.asking import NoAnswer
from emperor.vassals.doors import Unclear
from emperor.vassals.origins import reader_of
from emperor.vassals.spec import VassalSpec, shown

#: Bytes of a side file that are looked at.
_SIDE_FILE_LIMIT = 4096

#: The first TCP port that takes no rights.
_FIRST_PORT = 1024

_CONTROL = re.compile(rb"[\x00-\x1f]")

#: A vassal's doorway; L{None}: it has none.
Found = Doorway | None

Attribute = Callable[[VassalSpec], tuple[Found, tuple[Problem, ...]]]
Ask = Callable[[str, str, str], Deferred[bytes]]


class Doorways:
    """
    Finds the doorway of a vassal.
    """

    _log = Logger()

    def __init__(
        self,
        settings: EmperorSettings,
        attribute: Attribute,
        is_cheap: Callable[[VassalSpec], bool],
        ask: Ask,
    ) -> None:
        """
        @param attribute: what the vassal's file says of its door.
        @param is_cheap: whether its file says that it starts without workers.
        @param ask: runs a command with a name in a directory.
        """
        self._settings = settings
        self._is_cheap = is_cheap
        self._attribute = attribute
        self._ask = ask

    def find(self, spec: VassalSpec) -> Found | Deferred[Found]:
        """
        Look, now, where a vassal's door is.

        @return: what must not be is logged, and the vassal has no door; a Deferred
            fails as this raises.
        @raise Unclear: what says it is broken; it may be half of what it will be.
        """
        if spec.is_instance or spec.is_zerg:  # Its sockets are its own, or its parent's.
            return None
        if self._settings.launch.tyrant and spec.config is not None:  # It is never started.
            return None
        found = self._look(spec)
        if isinstance(found, Deferred):
            return found.addCallback(lambda answer: self._complete(spec, answer))
        return self._complete(spec, found)

    def _complete(self, spec: VassalSpec, found: Found) -> Found:
        if found is None:
            return None
        file = os.path.join(spec.directory, spec.file)
        return replace(found, cheap=self._is_cheap(spec), file=file)

    def _look(self, spec: VassalSpec) -> Found | Deferred[Found]:
        found, problems = self._attribute(spec)
        if found is None and problems:
            raise Unclear("; ".join(map(str, problems)))
        for problem in problems:
            self._complain(spec, str(problem))
        if found is not None:
            return self._permitted(spec, found)
        if self._settings.on_demand_extension:
            found = self._of_file(spec, self._settings.on_demand_extension)
            return self._permitted(spec, found)
        if self._settings.on_demand_directory:
            directory = filled(self._settings.on_demand_directory, spec.id.name, spec.directory)
            return self._of_directory(spec, directory)
        if self._settings.on_demand_command:
            return self._of_command(spec, self._settings.on_demand_command)
        return None

    def _permitted(self, spec: VassalSpec, found: Found) -> Found:
        """
        A doorway that the owner of the vassal's file may have chosen.
        """
        if found is None or not self._settings.launch.tyrant or _is_anybodys(found.address):
            return found
        self._complain(
            spec,
            f"with emperor-tyrant it may name a TCP port from {_FIRST_PORT} on or an abstract "
            f"socket, and not {found.address}; emperor-on-demand-directory can have files",
        )
        return None

    def _of_file(self, spec: VassalSpec, extension: str) -> Found:
        path = os.path.join(spec.directory, spec.id.name + extension)
        try:
            with reading_as(reader_of(spec, self._settings.launch)):
                head, _ = read_head(path, _SIDE_FILE_LIMIT)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unclear(f"{path}: {error.strerror}") from error
        except ValueError as error:
            raise Unclear(f"{path}: {error}") from error
        return self._parse(spec, head)

    def _of_directory(self, spec: VassalSpec, directory: str) -> Found:
        base, _ = os.path.splitext(os.path.basename(spec.id.name))
        return self._parse(spec, os.fsencode(os.path.join(directory, f"{base}.socket")))

    def _of_command(self, spec: VassalSpec, command: str) -> Deferred[Found]:
        def failed(failure: Failure) -> NoReturn:
            failure.trap(NoAnswer)
            raise Unclear(f"emperor-on-demand-exec = {command}: {failure.value}")

        asking = self._ask(command, spec.id.name, spec.directory)
        found: Deferred[Found] = asking.addCallback(lambda output: self._parse(spec, output))
        return found.addErrback(failed)

    def _parse(self, spec: VassalSpec, output: bytes) -> Found:
        text = os.fsdecode(_CONTROL.split(output, maxsplit=1)[0]).strip()
        if not text:
            return None
        try:
            return parse_doorway(text, spec.directory, on_demand=True)
        except (BadValue, BadAddress) as error:
            raise Unclear(str(error)) from error

    def _complain(self, spec: VassalSpec, problem: str) -> None:
        self._log.warn(
            "Vassal {vassal} is not started on demand: {problem}",
            vassal=shown(spec.id.name),
            problem=shown(problem),
        )


def _is_anybodys(address: SocketAddress) -> bool:
    """
    Whether every user may listen there.
    """
    return address.port >= _FIRST_PORT if isinstance(address, TcpAddress) else address.is_abstract
