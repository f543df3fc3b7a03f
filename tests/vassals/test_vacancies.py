"""
Tests for L{emperor.vassals.vacancies}.
"""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.testing.vassals import make_spec
from emperor.vassals.spec import VassalSpec
from emperor.vassals.vacancies import Vacancies

LIMIT = 35

A, B = make_spec("a.ini"), make_spec("b.ini")


class VacanciesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.taken: set[VassalSpec] = set()
        self.vacancies = Vacancies(self.clock, LIMIT, self.taken.__contains__)
        self.started: list[str] = []

    def wait(self, spec: VassalSpec) -> None:
        self.leave = self.vacancies.wait(spec, lambda: self.started.append(spec.id.name))

    def test_free(self) -> None:
        """
        Who needs nothing that is taken does not wait.
        """
        self.wait(A)
        self.assertEqual(["a.ini"], self.started)
        self.leave()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_taken(self) -> None:
        """
        Who does waits until it is free.
        """
        self.taken.update({A, B})
        self.wait(A)
        self.wait(B)
        self.vacancies.look()
        self.assertEqual([], self.started)
        self.taken.discard(B)
        self.vacancies.look()
        self.assertEqual(["b.ini"], self.started)
        self.taken.clear()
        self.vacancies.look()
        self.vacancies.look()
        self.assertEqual(["b.ini", "a.ini"], self.started)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_not_for_ever(self) -> None:
        """
        After a while it is tried all the same.
        """
        self.taken.add(A)
        self.wait(A)
        self.clock.advance(LIMIT)
        self.assertEqual(["a.ini"], self.started)
        self.vacancies.look()
        self.assertEqual(["a.ini"], self.started)

    def test_leave(self) -> None:
        """
        Who does not want to start any more is not started.
        """
        self.taken.add(A)
        self.wait(A)
        self.leave()
        self.leave()
        self.taken.clear()
        self.vacancies.look()
        self.assertEqual(([], []), (self.started, self.clock.getDelayedCalls()))
