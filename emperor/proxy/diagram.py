"""
Prints the life of a request as a mermaid diagram:
C{python -m emperor.proxy.diagram}.
"""

from __future__ import annotations

from emperor.mermaid import state_diagram
from emperor.proxy.phases import PHASES, Phase


def mermaid() -> str:
    """
    The phases of L{emperor.proxy.session.Session} and what moves it on.
    """
    return state_diagram(
        Phase.ROUTED.value,
        [
            (before.value, event.value, after.value)
            for event, steps in PHASES.items()
            for before, after in steps.items()
        ],
    )


if __name__ == "__main__":
    print(mermaid())
