"""
Tests for L{emperor.vassals.diagram}.
"""

from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.diagram import mermaid
from emperor.vassals.status import Phase


class DiagramTests(SynchronousTestCase):
    def test_complete(self) -> None:
        """
        The diagram has every phase of a vassal and begins with none.
        """
        lines = mermaid().splitlines()
        self.assertEqual("stateDiagram-v2", lines[0])
        self.assertIn("    [*] --> gone", lines)
        for phase in set(Phase) - {Phase.RENEWING}:  # Two machines make that one.
            self.assertIn(f"    {phase.value.replace(' ', '_')} : {phase.value}", lines)

    def test_arrows(self) -> None:
        """
        What leads from one state to another is named; what changes nothing is
        not drawn.
        """
        text = mermaid()
        self.assertIn("held_back --> queued : retry_due, wanted", text)
        self.assertNotIn("gone --> gone", text)
