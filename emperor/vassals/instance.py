"""
The uWSGI of our own file as a vassal.

It has no file of its own: it gets its options from us, over the pipe, for others on
the machine can read a command line.  Shared sockets are inherited.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from socket import socket

from emperor.config.instance import shared_number
from emperor.config.settings import InstanceSettings
from emperor.config.spelling import spell
from emperor.vassals.launcher import SOCKETS
from emperor.vassals.spec import VassalId, VassalSpec

#: Its monitor's source, and its name.
SOURCE = NAME = "instance"


def instance_spec(
    settings: InstanceSettings, directory: str, sockets: Sequence[socket]
) -> VassalSpec:
    """
    What the Emperor is to run.

    @param directory: where the program was started; paths are relative to it.
    @param sockets: one for each of C{settings.shared}.
    """
    return VassalSpec(
        VassalId(SOURCE, NAME),
        directory,
        None,
        config=spell(_options(settings)),
        is_instance=True,
        sockets=tuple(sockets),
    )


def _options(settings: InstanceSettings) -> Iterator[tuple[str, str]]:
    numbers = settings.shared
    for key, value in settings.options:
        number = shared_number(key, value)
        if number is not None:
            yield key, f"fd://{SOCKETS + numbers.index(number)}"
        # It would remove the file of a socket that is not its own alone.
        elif key != "vacuum" or not numbers:
            yield key, value
