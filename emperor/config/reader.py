"""
One configuration file into pairs: name, magic variables, format, section.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from emperor.config.errors import fault
from emperor.config.ini import parse_ini
from emperor.config.jsonfile import parse_json
from emperor.config.magic import (
    FileFacts,
    facts_of_no_file,
    file_facts,
    magic_table,
    substitute,
)
from emperor.config.pairs import DEFAULT_SECTIONS, Pair
from emperor.config.settings import Origin
from emperor.config.sources import SIZE_LIMIT, Sources, read_regular
from emperor.config.surroundings import Surroundings
from emperor.config.xmlfile import parse_xml
from emperor.config.yamlfile import parse_yaml
from emperor.identity import Identity, reading_as

Parser = Callable[[str, str, str], list[Pair] | None]

#: The parser of each option that loads a file of one format.
LOADERS: dict[str, Parser] = {
    "ini": parse_ini,
    "xml": parse_xml,
    "xmlconfig": parse_xml,
    "yaml": parse_yaml,
    "yml": parse_yaml,
    "json": parse_json,
    "js": parse_json,
}

ACCEPTED = ".ini, .yaml, .yml, .json, .js or .xml"


@dataclass(frozen=True, slots=True)
class Read:
    """
    What one file says.

    @ivar facts: of the file, as its magic variables have them.
    @ivar notes: for the log.
    """

    pairs: list[Pair]
    facts: FileFacts
    size: int
    notes: tuple[str, ...]


def split_section(argument: str) -> tuple[str, str]:
    """
    Take C{FILE:SECTION} apart; the section is empty if there is none.
    """
    head, colon, tail = argument.rpartition(":")
    return (head, tail) if colon and "/" not in tail else (argument, "")


def parser_of(name: str, origin: Origin) -> Parser:
    """
    Choose the format by the file's name.

    @raise ConfigurationError: its extension is none of L{ACCEPTED}.
    """
    file = split_section(name)[0]
    parser = LOADERS.get(os.path.splitext(file)[1][1:])
    if parser is None or file.endswith(".xmlconfig"):
        raise fault(f"{name}: unknown kind of file; accepted: {ACCEPTED}", origin)
    return parser


class Reader:
    """
    Reads files for one configuration.

    @ivar first: what the capital magic variables describe, if known yet.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        sources: Sources,
        sections: tuple[str, ...] = DEFAULT_SECTIONS,
        limit: int = SIZE_LIMIT,
        given: Mapping[str, bytes] | None = None,
        *,
        ours: Collection[str] = (),
    ) -> None:
        """
        @param sections: those that are looked for, in this order.
        @param limit: bytes of a file.
        @param given: configurations that are in no file, by their names.
        @param ours: the files that our own options name, which we read as ourselves
            whoever must be able to read the others.
        """
        self._surroundings = surroundings
        self._sources = sources
        self._sections = sections
        self._limit = limit
        self._given = given or {}
        self._ours = frozenset(ours)
        self.first: FileFacts | None = None

    def read(self, argument: str, parser: Parser, origin: Origin, template: bool) -> Read:
        """
        Read one file.

        @param argument: C{FILE} or C{FILE:SECTION}.
        @param origin: who asked for it.
        @param template: the capitals do not describe it.
        @raise ConfigurationError: it is unreadable or badly formed.
        """
        given, section = split_section(argument)
        if given in self._given:
            facts, content = facts_of_no_file(given, section), self._given[given]
        elif "://" in argument or argument == "-":
            raise fault(f"{argument}: only files can be loaded; accepted: {ACCEPTED}", origin)
        else:
            facts, content = self._look(given, section, self._eyes(argument, origin))
        if self.first is None and not template:
            self.first = facts
        text = self._text(facts, content)
        if "%" in text:
            text = substitute(text, magic_table(facts, self.first, self._surroundings))
        pairs, notes = self._choose(text, facts, parser)
        return Read(pairs, facts, len(text), notes)

    def _eyes(self, argument: str, origin: Origin) -> Identity | None:
        """
        As whom to read a file.  The same words in somebody's file are his: every
        line of a file has a number.
        """
        is_ours = not origin.line and argument in self._ours
        return None if is_ours else self._surroundings.reads_as

    def _look(self, given: str, section: str, eyes: Identity | None) -> tuple[FileFacts, bytes]:
        origin = Origin(given, 0)
        try:
            with reading_as(eyes):
                facts = file_facts(given, section, self._surroundings.cwd)
                content, status = read_regular(facts.path, origin, self._limit)
        except OSError as error:
            raise fault(f"cannot be read as its user: {error.strerror}", origin) from error
        self._sources.judge(given, status)
        return facts, content

    def _text(self, facts: FileFacts, content: bytes) -> str:
        text = content.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
        if "\0" in text:
            line = text[: text.index("\0")].count("\n") + 1
            raise fault("a NUL byte does not belong into a text", Origin(facts.given, line))
        return text

    def _choose(
        self, text: str, facts: FileFacts, parser: Parser
    ) -> tuple[list[Pair], tuple[str, ...]]:
        wanted = (facts.section,) if facts.section else self._sections
        found = [
            (name, pairs)
            for name in wanted
            if (pairs := parser(text, facts.given, name)) is not None
        ]
        if not found:
            names = " or ".join(f"[{name}]" for name in wanted)
            return [], (f"{facts.given}: there is no section {names}",)
        if len(found) > 1:
            note = f"{facts.given}: [{found[0][0]}] is read, [{found[1][0]}] is not"
            return found[0][1], (note,)
        return found[0][1], ()
