"""
The ini dialect of uWSGI, which is not that of C{configparser}.

A line is a section, a comment, or an option; there are no quotes, escapes,
continuations or comments after a value.  C{=} alone separates; an option
without one is a flag with an empty value.  A section may come several times.
"""

from __future__ import annotations

from emperor.config.pairs import Pair
from emperor.config.settings import Origin

_BLANK = " \t\r"


def parse_ini(text: str, file: str, section: str) -> list[Pair] | None:
    """
    The options of one section.

    A section's name is what stands between the bracket and the last
    character of its line, untrimmed: C{[ x ]} is the section C{" x "}.

    @return: or L{None}: there is no such section.
    """
    pairs: list[Pair] | None = None
    current: str | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip(_BLANK)
        if line.startswith("["):
            current = line[1:-1]
            if current == section and pairs is None:
                pairs = []
        elif pairs is not None and current == section and line and line[0] not in ";#":
            key, _, value = line.partition("=")
            pairs.append(Pair(key.rstrip(_BLANK), value.lstrip(_BLANK), Origin(file, number)))
    return pairs
