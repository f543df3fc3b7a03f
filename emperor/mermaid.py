"""
State machines as mermaid diagrams, for the documentation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


def state_diagram(first: str, transitions: Iterable[tuple[str, str, str]]) -> str:
    """
    The text of a diagram.

    @param first: the state in which everything begins.
    @param transitions: state, input, state; those that change nothing are
        left out.
    """
    arrows: dict[tuple[str, str], set[str]] = defaultdict(set)
    for before, event, after in transitions:
        if before != after:
            arrows[before, after].add(event)
    names = sorted({name for arrow in arrows for name in arrow})
    return "\n".join(
        [
            "stateDiagram-v2",
            *(f"    {_word(name)} : {name}" for name in names),
            f"    [*] --> {_word(first)}",
            *(
                f"    {_word(before)} --> {_word(after)} : {', '.join(sorted(events))}"
                for (before, after), events in sorted(arrows.items())
            ),
        ]
    )


def _word(name: str) -> str:
    return name.replace(" ", "_")
