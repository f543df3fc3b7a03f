"""
Prints the life of a vassal as a mermaid diagram:
C{python -m emperor.vassals.diagram}.
"""

from __future__ import annotations

from collections import defaultdict

from emperor.vassals.machine import VassalMachine


def mermaid() -> str:
    """
    The states and what leads from one to another; what changes nothing is
    left out.
    """
    automaton = VassalMachine.__automat_automaton__
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for before, event, after, _ in automaton.allTransitions():
        if before is not after:
            arrows[before.name, after.name].append(event)
    names = sorted(state.name for state in automaton.states())
    first = _word(automaton.initialState.name)
    return "\n".join(
        [
            "stateDiagram-v2",
            *(f"    {_word(name)} : {name}" for name in names),
            f"    [*] --> {first}",
            *(
                f"    {_word(before)} --> {_word(after)} : {', '.join(sorted(events))}"
                for (before, after), events in sorted(arrows.items())
            ),
        ]
    )


def _word(name: str) -> str:
    return name.replace(" ", "_")


if __name__ == "__main__":
    print(mermaid())
