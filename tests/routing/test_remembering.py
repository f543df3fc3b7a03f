"""
What is remembered of a store.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.mapping import MapperBroken, make_pool
from emperor.routing.remembering import Memory, Outcome

KNOWN = Outcome(make_pool("/a", 0), b"/a")
UNKNOWN = Outcome()
BROKEN = Outcome(trouble="nonsense")

_STEPS = st.tuples(
    st.sampled_from(["put", "fresh", "forget", "doubt"]),
    st.sampled_from("abcdef"),
    st.sampled_from([KNOWN, UNKNOWN, BROKEN]),
    st.floats(0, 3),
)


class MemoryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.memory = Memory(2, ttl=10, negative_ttl=1)

    def put(self, key: str, outcome: Outcome) -> None:
        self.memory.put(key, outcome, 0, self.memory.generation)

    def test_answer(self) -> None:
        """
        An outcome is a pool, none, or an error.
        """
        self.assertIs(KNOWN.answer(), KNOWN.pool)
        self.assertIsNone(UNKNOWN.answer())
        self.assertRaises(MapperBroken, BROKEN.answer)

    def test_age(self) -> None:
        """
        What is known counts longer than what is not; then only as the last
        resort.
        """
        for key, outcome in (("k", KNOWN), ("u", UNKNOWN), ("b", BROKEN)):
            self.put(key, outcome)
        self.assertEqual([self.memory.fresh(key, 0.9) for key in "kub"], [KNOWN, UNKNOWN, BROKEN])
        self.assertEqual([self.memory.fresh(key, 1) for key in "kub"], [KNOWN, None, None])
        self.assertIsNone(self.memory.fresh("k", 10))
        self.assertEqual([self.memory.last(key) for key in "kub"], [KNOWN, None, None])

    def test_bounds(self) -> None:
        """
        The least recently used key goes; unknown ones do not push out known
        ones.
        """
        self.put("a", KNOWN)
        self.put("b", KNOWN)
        self.memory.fresh("a", 0)
        self.put("c", KNOWN)
        self.assertIsNone(self.memory.last("b"))
        for key in "defg":
            self.put(key, UNKNOWN)
        self.assertEqual(self.memory.fresh("a", 0), KNOWN)
        self.assertIsNone(self.memory.fresh("d", 0))

    def test_changed(self) -> None:
        """
        A key is known or unknown, not both.
        """
        self.put("a", KNOWN)
        self.put("a", UNKNOWN)
        self.assertIsNone(self.memory.last("a"))
        self.put("a", KNOWN)
        self.assertEqual(self.memory.fresh("a", 5), KNOWN)

    def test_doubt(self) -> None:
        """
        What is in doubt is asked for again, and is still the last resort; what
        is forgotten is not.
        """
        self.put("a", KNOWN)
        self.memory.doubt_all()
        self.assertIsNone(self.memory.fresh("a", 0))
        self.assertEqual(self.memory.last("a"), KNOWN)
        self.put("a", KNOWN)
        self.assertEqual(self.memory.fresh("a", 0), KNOWN)
        self.memory.forget("a")
        self.assertIsNone(self.memory.last("a"))
        self.put("a", KNOWN)
        self.memory.forget_all()
        self.assertIsNone(self.memory.last("a"))

    def test_asked_before(self) -> None:
        """
        What was asked for before everything was doubted is in doubt as well.
        """
        asked = self.memory.generation
        self.memory.doubt_all()
        self.memory.put("a", KNOWN, 0, asked)
        self.assertIsNone(self.memory.fresh("a", 0))
        self.assertEqual(self.memory.last("a"), KNOWN)

    @given(st.lists(_STEPS))
    def test_any(self, steps: list[tuple[str, str, Outcome, float]]) -> None:
        """
        Whatever happens, what counts is what was put last, within its time.
        """
        memory = Memory(2, ttl=2, negative_ttl=1)
        told: dict[str, tuple[Outcome, float]] = {}
        now = 0.0
        for step, key, outcome, passes in steps:
            now += passes
            if step == "put":
                memory.put(key, outcome, now, memory.generation)
                told[key] = (outcome, now + (2 if outcome.pool else 1))
            elif step == "forget":
                memory.forget(key)
                told.pop(key, None)
            elif step == "doubt":
                memory.doubt_all()
                told.clear()
            found = memory.fresh(key, now)
            if found is not None:
                self.assertIs(found, told[key][0])
                self.assertLess(now, told[key][1])
