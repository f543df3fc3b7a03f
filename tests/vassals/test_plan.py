"""
Tests for L{emperor.vassals.plan}.
"""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.testing.vassals import make_spec
from emperor.vassals.plan import Reload, Start, Stop, first_of_each, plan
from emperor.vassals.spec import VassalSpec

specs = st.lists(st.builds(make_spec, st.sampled_from("abcdef"), st.integers(0, 2)))


def carry_out(wanted: list[VassalSpec], kept: list[VassalSpec]) -> list[VassalSpec]:
    """
    What runs after the steps.
    """
    running = {spec.id: spec for spec in kept}
    for step in plan(wanted, kept):
        if isinstance(step, Stop):
            del running[step.id]
        elif isinstance(step, Reload):
            assert step.spec.id in running
            running[step.spec.id] = step.spec
        else:
            assert step.spec.id not in running
            running[step.spec.id] = step.spec
    return sorted(running.values(), key=lambda spec: spec.id.name)


class PlanTests(SynchronousTestCase):
    def test_each_step(self) -> None:
        """
        A new vassal is started, a changed one reloaded, a missing one stopped,
        and the others are left alone.
        """
        kept = [make_spec("gone"), make_spec("same"), make_spec("new text", 1)]
        wanted = [make_spec("new"), make_spec("same"), make_spec("new text", 2)]
        self.assertEqual(
            [Stop(kept[0].id), Reload(wanted[2]), Start(wanted[0])],
            plan(wanted, kept),
        )

    def test_same_name_in_two_monitors(self) -> None:
        """
        Two directories may each have a vassal of the same name.
        """
        wanted = [make_spec(monitor="dir:///a"), make_spec(monitor="dir:///b")]
        self.assertEqual([Start(spec) for spec in wanted], plan(wanted, []))

    def test_named_twice(self) -> None:
        """
        Of two specs with one id the first counts.
        """
        found = first_of_each([make_spec("a", 1), make_spec("a", 2)])
        self.assertEqual([make_spec("a", 1)], list(found.values()))

    @given(specs, specs)
    def test_reaches_what_is_wanted(self, wanted: list[VassalSpec], kept: list[VassalSpec]) -> None:
        """
        Whatever was kept, the steps lead to what is wanted.
        """
        unique = list(first_of_each(kept).values())
        goal = sorted(first_of_each(wanted).values(), key=lambda spec: spec.id.name)
        self.assertEqual(goal, carry_out(goal, unique))

    @given(specs)
    def test_nothing_to_do(self, wanted: list[VassalSpec]) -> None:
        """
        Nothing is done twice.
        """
        unique = first_of_each(wanted).values()
        self.assertEqual([], plan(unique, unique))
