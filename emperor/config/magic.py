"""
Magic variables: C{%} and one character, put into a file's text before any
format looks at it.

Small letters describe the file being read, capitals the first file that was
not an C{include} or C{inherit}.  A name that is a symbolic link describes the
link, so that many links to one file are many sites.  An unknown letter
becomes nothing; C{%(} is left for the placeholders.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from emperor.config.errors import fault
from emperor.config.settings import Origin
from emperor.config.surroundings import Surroundings

_VARIABLE = re.compile(r"%([^\n\r])")


@dataclass(frozen=True, slots=True)
class FileFacts:
    """
    What the magic variables say of one file.

    @ivar given: the file as it was asked for, without its section.
    @ivar path: absolute; resolved unless the last component is a link.  Empty: it
        is no file.
    @ivar section: the section asked for; empty for none.
    @ivar inode: of the link itself.
    """

    given: str
    path: str
    section: str
    inode: int

    @property
    def directory(self) -> str:
        """
        The directory of L{path}, with the closing slash.
        """
        return self.path[: self.path.rfind("/") + 1]

    @property
    def name(self) -> str:
        """
        The last component of L{path}.
        """
        return self.path.rpartition("/")[2]


def file_facts(given: str, section: str, cwd: str) -> FileFacts:
    """
    Look a file up.

    @raise ConfigurationError: there is no such file.
    """
    absolute = os.path.join(cwd, given)
    try:
        inode = os.lstat(absolute).st_ino
        path = absolute if os.path.islink(absolute) else os.path.realpath(absolute, strict=True)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        message = f"cannot be read: {why}; check its name and permissions"
        raise fault(message, Origin(given, 0)) from error
    return FileFacts(given, path, section, inode)


def facts_of_no_file(given: str, section: str) -> FileFacts:
    """
    What is known of a configuration that is in no file.
    """
    return FileFacts(given, "", section, 0)


def magic_table(
    own: FileFacts, first: FileFacts | None, surroundings: Surroundings
) -> dict[str, str]:
    """
    What each letter stands for.

    @param own: the file being read.
    @param first: what the capitals describe, or L{None}: nothing yet.
    """
    table = _of_process(surroundings)
    small = of_file(own)
    table |= small
    if first is not None:
        described = small if first is own else of_file(first)
        table |= {letter.upper(): value for letter, value in described.items()}
    components = [part for part in own.directory.split("/") if part]
    table |= {str(number): part for number, part in enumerate(components[:10])}
    return table


def of_file(facts: FileFacts) -> dict[str, str]:
    """
    What the small letters stand for that describe a file.
    """
    if not facts.path:
        return {"o": facts.given}
    stem, dot, extension = facts.name.rpartition(".")
    return {
        "o": facts.given,
        "p": facts.path,
        "s": facts.name,
        "d": facts.directory,
        "n": stem if dot else facts.name,
        "e": extension if dot else "",
        "c": facts.directory.rstrip("/").rpartition("/")[2],
        "x": facts.section,
        "i": str((facts.inode + 2**31) % 2**32 - 2**31),
        "j": _hash(os.fsencode(facts.path)),
    }


def _of_process(surroundings: Surroundings) -> dict[str, str]:
    return {
        "v": surroundings.cwd,
        "h": surroundings.hostname,
        "V": surroundings.version,
        "k": str(surroundings.cpus),
        "t": str(int(surroundings.now)),
        "T": str(int(surroundings.now * 1_000_000)),
        "u": str(surroundings.uid),
        "U": surroundings.user,
        "g": str(surroundings.gid),
        "G": surroundings.group,
        "b": surroundings.binary,
        "[": "\033",
        "%": "%",
        "(": "%(",
    }


def _hash(path: bytes) -> str:
    """
    DJB's hash, 33 and exclusive or, of signed bytes; shown as memory has it.
    """
    value = 5381
    for byte in path:
        value = (value * 33 ^ (byte - 256 if byte > 127 else byte)) & 0xFFFFFFFF
    return value.to_bytes(4, "little").hex().upper()


def substitute(text: str, table: dict[str, str]) -> str:
    """
    Put the values in.

    A C{%} at the end of a line or file has no letter and stays.
    """
    return _VARIABLE.sub(lambda match: table.get(match[1], ""), text)
