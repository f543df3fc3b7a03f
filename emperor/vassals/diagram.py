"""
Prints the life of a vassal as a mermaid diagram:
C{python -m emperor.vassals.diagram}.
"""

from __future__ import annotations

from emperor.mermaid import state_diagram
from emperor.vassals.machine import VassalMachine


def mermaid() -> str:
    """
    The states and what leads from one to another.
    """
    automaton = VassalMachine.__automat_automaton__
    return state_diagram(
        automaton.initialState.name,
        [
            (before.name, event, after.name)
            for before, event, after, _ in automaton.allTransitions()
        ],
    )


if __name__ == "__main__":
    print(mermaid())
