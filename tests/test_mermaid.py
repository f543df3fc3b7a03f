"""
Tests for L{emperor.mermaid}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.mermaid import state_diagram


class StateDiagramTests(SynchronousTestCase):
    """
    Diagrams of state machines.
    """

    def test_diagram(self) -> None:
        """
        Inputs between the same states share an arrow, names may have blanks,
        and what changes nothing is left out.
        """
        drawn = state_diagram(
            "new",
            [
                ("new", "start", "held back"),
                ("new", "begin", "held back"),
                ("held back", "look", "held back"),
            ],
        )
        self.assertEqual(
            drawn.splitlines(),
            [
                "stateDiagram-v2",
                "    held_back : held back",
                "    new : new",
                "    [*] --> new",
                "    new --> held_back : begin, start",
            ],
        )
