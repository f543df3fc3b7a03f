"""
Tests for L{emperor.vassals.turns}.
"""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.turns import PATIENCE, StartQueue

EVENTS = ["enter", "up", "ahead", "wait"]


class StartQueueTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.queue = StartQueue(self.clock, at_once=2)
        self.started: list[int] = []

    def turn(self) -> None:
        """
        One turn of a reactor; a clock would run what comes after it as well.
        """
        (call,) = self.clock.getDelayedCalls()
        start = call.func  # type: ignore[attr-defined]
        call.cancel()
        start()

    def test_slices(self) -> None:
        """
        Only a few start in one turn of the reactor, in their order.
        """
        for number in range(5):
            self.queue.enter(lambda number=number: self.started.append(number))  # type: ignore[misc]
        self.assertEqual([], self.started)
        for expected in ([0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4]):
            self.turn()
            self.assertEqual(expected, self.started)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_failure(self) -> None:
        """
        A start that fails is logged, and the next ones have their turn.
        """
        self.queue.enter(lambda: self.fail("as the test wants"))
        for number in range(3):
            self.queue.enter(lambda number=number: self.started.append(number))  # type: ignore[misc]
        self.clock.pump([0] * 3)
        self.assertEqual([0, 1, 2], self.started)
        self.assertEqual(1, len(self.flushLoggedErrors(self.failureException)))

    def test_leave(self) -> None:
        """
        Who has left is not started, and nothing is scheduled for nobody.
        """
        leave = self.queue.enter(lambda: self.started.append(0))
        leave()
        leave()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_leave_in_the_same_turn(self) -> None:
        """
        One vassal's start may make the next one leave.
        """
        self.queue.enter(lambda: leave())  # noqa: PLW0108
        leave = self.queue.enter(lambda: self.started.append(1))
        self.clock.advance(0)
        self.assertEqual([], self.started)


class TogetherTests(SynchronousTestCase):
    """
    At most three vassals come up at the same time.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.queue = StartQueue(self.clock, together=3)
        self.started: list[str] = []
        self.tickets = {name: self.enter(name) for name in "abcdefg"}

    def enter(self, name: str, ahead: bool = False) -> Callable[[], None]:
        """
        A vassal joins the queue.
        """
        return self.queue.enter(lambda: self.started.append(name), ahead)

    def check(self, names: str) -> None:
        """
        These have had their turn, in this order.
        """
        self.clock.pump([0] * 5)
        self.assertEqual(names, "".join(self.started))

    def test_no_more(self) -> None:
        """
        The next one starts when one is up, or has died.
        """
        self.check("abc")
        self.tickets["b"]()
        self.check("abcd")
        self.tickets["b"]()
        self.check("abcd")

    def test_slow_ones(self) -> None:
        """
        One that takes too long does not hold up the others; when nobody waits,
        nothing is scheduled.
        """
        self.check("abc")
        self.clock.advance(PATIENCE - 0.1)
        self.check("abc")
        self.clock.advance(0.1)
        self.check("abcdef")
        self.clock.advance(PATIENCE)
        self.check("abcdefg")
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_ahead(self) -> None:
        """
        One that has served before is started before those that never did.
        """
        self.check("abc")
        self.enter("x", ahead=True)
        self.enter("y", ahead=True)
        for name in "abc":
            self.tickets[name]()
        self.check("abcxyd")

    def test_failure(self) -> None:
        """
        A start that fails takes nobody's place.
        """
        for name in "abcdefg":
            self.tickets[name]()
        for _ in range(5):
            self.queue.enter(lambda: self.fail("as the test wants"))
        self.enter("z")
        self.check("z")
        self.assertEqual(5, len(self.flushLoggedErrors(self.failureException)))

    @given(
        st.lists(st.tuples(st.sampled_from(["enter", "up", "ahead", "wait"]), st.integers(0, 9)))
    )
    def test_anything(self, events: list[tuple[str, int]]) -> None:
        """
        Whatever happens, never do more than three come up, and everybody who
        waits has a turn.
        """
        clock, running, entered = Clock(), dict[int, float](), 0
        queue = StartQueue(clock, together=3)
        leaves: dict[int, Callable[[], None]] = {}
        begun: list[int] = []

        def begin(number: int) -> None:
            begun.append(number)
            running[number] = clock.seconds()
            young = [since for since in running.values() if since > clock.seconds() - PATIENCE]
            self.assertLessEqual(len(young), 3)

        for event, number in events:
            if event == "wait":
                clock.advance(number)
            elif event == "up":
                leaves.get(number, lambda: None)()
                running.pop(number, None)
            else:
                mine = entered
                leaves[mine] = queue.enter(lambda mine=mine: begin(mine), event == "ahead")  # type: ignore[misc]
                entered += 1
        clock.pump([0] + [PATIENCE, 0, 0, 0, 0] * (entered + 1))
        left = {number for event, number in events if event == "up"}
        self.assertLessEqual(set(range(entered)) - set(begun), left)
        self.assertEqual([], clock.getDelayedCalls())
