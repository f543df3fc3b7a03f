"""
L{emperor.config.taking}
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.config import values
from emperor.config.classify import classify
from emperor.config.pairs import Pair
from emperor.config.taking import Taker
from tests.config.fixtures import HERE


def taker(*pairs: tuple[str, str]) -> Taker:
    """
    A taker of these options.
    """
    return Taker(classify([Pair(key, value, HERE) for key, value in pairs], set()))


class TakerTests(SynchronousTestCase):
    """
    Values taken out of the options that were written.
    """

    def test_scalar(self) -> None:
        """
        The last one counts; without one, what is absent, or the table.
        """
        given = taker(("http-timeout", "1"), ("http-timeout", "2"))
        self.assertEqual(given.one("http-timeout", values.seconds, 9.0), 2)
        self.assertEqual(given.one("fastrouter-timeout", values.seconds, 9.0), 9)
        self.assertEqual(given.default("fastrouter-timeout", values.seconds), 60)
        self.assertFalse(given.flag("http-cheap"))

    def test_list(self) -> None:
        """
        All count, under whatever name, in their order.
        """
        given = taker(("vassals-set", "a=1"), ("vassal-set", "b=2"))
        self.assertEqual(given.many("vassals-set", values.assignment), (("a", "1"), ("b", "2")))

    def test_problems(self) -> None:
        """
        A bad value is left out and told, under the name that was written.
        """
        given = taker(("http-workers", "x"), ("listen", "0"))
        self.assertEqual(given.one("http-processes", values.processes, 1), 1)
        given.complain(Pair("listen", "0", HERE), "is nothing")
        self.assertEqual(
            [str(problem) for problem in given.problems],
            [
                "test.ini:7: http-workers: 'x' is no number; accepted: 1 to 64",
                "test.ini:7: listen: is nothing",
            ],
        )
