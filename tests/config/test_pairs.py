"""
L{emperor.config.pairs}
"""

from __future__ import annotations

from emperor.config.pairs import Budget
from tests.config.fixtures import HERE, ConfigurationCase


class BudgetTests(ConfigurationCase):
    """
    The end of endless configurations.
    """

    def test_spent(self) -> None:
        """
        All of it can be spent, and not one character more.
        """
        budget = Budget(10)
        budget.spend(10, HERE)
        self.assert_refused(
            "test.ini:7: the configuration is too large or grows", budget.spend, 1, HERE
        )
