"""
Tests for L{emperor.subscriptions.copying}.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import parse_address
from emperor.interfaces import ISubscriptionNews
from emperor.routing.roster import RegistrySettings
from emperor.routing.subscriptions import Registry
from emperor.subscriptions.copying import PIECE, Backlog, Copy, Copyist
from emperor.wire.control import NodeNews, Subscriptions
from emperor.wire.subscription import Announcement
from tests.routing.nodes import taken
from tests.subscriptions.fakes import NODE, OTHER, leaving, make_ledger, nodes
from tests.wire.announcements import announcement

ANNOUNCED = st.builds(
    announcement,
    key=st.sampled_from(["a", "b"]),
    address=st.sampled_from([NODE, OTHER, "/s", ""]),
    vassal=st.just("v"),
    leaving=st.booleans(),
    weight=st.integers(1, 3),
    owner=st.sampled_from([-1, 1000]),
)
#: An announcement, or seconds that pass, or that the copy gets the whole.
STEPS = st.lists(ANNOUNCED | st.integers(1, 8) | st.just("whole"), max_size=30)


def state(registry: Registry) -> dict[str, Any]:
    """
    All that decides where requests go.
    """
    return {
        pool.key: (
            {
                address: (
                    each.weight,
                    each.silent,
                    each.last_check,
                    each.deadline,
                    each.hops,
                    each.owner,
                )
                for address, each in pool.members.items()
            },
            {name: each.deadline for name, each in pool.sleepers.items()},
        )
        for pool in registry.pools
    }


class CopyCase(SynchronousTestCase):
    """
    A ledger, and a copy in another process.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.begin()

    def begin(self, **settings: Any) -> None:
        self.ledger = make_ledger(self.clock, **settings)
        self.copyist = Copyist(self.clock, self.ledger.registry)
        self.ledger.follow(self.copyist)
        self.told: list[Subscriptions] = []
        values = {"tolerance": 10, "tolerance_inactive": 10, "keep_last": 0, **settings}
        self.copy = Copy(self.clock, Registry(RegistrySettings(**values), lambda: 0.5))

    def connect(self) -> None:
        """
        As a process that is started.
        """
        for message in self.copyist.whole():
            self.copy.update(message)
        self.copyist.watch(self.told.append)
        self.copyist.watch(self.copy.update)

    def announce(self, *announcements: Announcement) -> None:
        for each in announcements:
            self.ledger.announce(each)
        self.clock.advance(0)


class CopyistTests(CopyCase):
    """
    What is told.
    """

    def test_interface(self) -> None:
        """
        It is what router processes are told by.
        """
        verifyObject(ISubscriptionNews, self.copyist)

    def test_turn(self) -> None:
        """
        What happens in one turn is one message; what was refused is nothing.
        """
        self.connect()
        said = [announcement(), announcement(address=OTHER), leaving()]
        self.announce(*said, announcement(address="x:y"))
        self.assertEqual(self.told, [Subscriptions(False, tuple(map(NodeNews, said)))])

    def test_hops(self) -> None:
        """
        A copy knows the way by which a node has come, from the whole and later.
        """
        self.ledger.announce(announcement(), ("a" * 16,))
        self.connect()
        self.ledger.announce(announcement(address=OTHER), ("b" * 16,))
        self.clock.advance(0)
        [pool] = self.copy.registry.pools
        hops = [member.hops for member in pool.members.values()]
        self.assertEqual(hops, [("a" * 16,), ("b" * 16,)])
        self.assertEqual(state(self.copy.registry), state(self.ledger.registry))

    def test_nobody_listens(self) -> None:
        """
        In one process nothing is kept to be told.
        """
        self.ledger.announce(announcement())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_whole(self) -> None:
        """
        The whole has every node with its age, asleep or awake; of nothing, too.
        """
        self.assertEqual(self.copyist.whole(), [Subscriptions(True, ())])
        asleep = announcement(address="", vassal="v")
        self.ledger.announce(announcement())
        self.clock.advance(3)
        self.ledger.announce(asleep)
        self.assertEqual(
            self.copyist.whole(),
            [Subscriptions(True, (NodeNews(announcement(), 3, 7), NodeNews(asleep, 0, 10)))],
        )

    def test_pieces(self) -> None:
        """
        Many nodes are told in pieces, none of them too long.
        """
        for number in range(2 * PIECE + 1):
            self.ledger.announce(announcement(key=f"{number}.com"))
        found = self.copyist.whole()
        self.assertEqual([len(each.nodes) for each in found], [PIECE, PIECE, 1])
        self.assertEqual([each.more for each in found], [True, True, False])
        self.connect()
        self.assertEqual(state(self.copy.registry), state(self.ledger.registry))
        self.announce(*(announcement(key=f"{number}.com") for number in range(PIECE + 1)))
        self.assertEqual([(each.whole, each.more) for each in self.told], [(False, False)] * 2)


class CopyTests(CopyCase):
    """
    The copy is equal.
    """

    def test_changes(self) -> None:
        """
        It knows what was there, and what comes.
        """
        self.announce(announcement())
        self.connect()
        self.announce(announcement(address=OTHER), leaving())
        self.assertEqual(nodes(self.copy.registry), {"foo.com": [OTHER]})

    def test_expires(self) -> None:
        """
        It forgets by itself, when it is time and not before.
        """
        self.announce(announcement())
        self.clock.advance(4)
        self.connect()
        self.copy.start()
        self.clock.pump([1] * 6)
        self.assertEqual(nodes(self.copy.registry), {"foo.com": [NODE]})
        self.clock.advance(1)
        self.assertTrue(self.copy.registry.is_empty)
        self.copy.stop()
        self.copy.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_whole_again(self) -> None:
        """
        The whole takes out who has gone and brings who has come; who stays
        keeps what is known of him here.
        """
        self.announce(announcement(), announcement(address="/s"))
        self.connect()
        member = self.member("/s")
        member.failcnt = 7
        self.copyist._listeners.clear()
        self.announce(leaving(), announcement(address=OTHER), announcement(address="/s", weight=3))
        for message in self.copyist.whole():
            self.copy.update(message)
        self.assertEqual(state(self.copy.registry), state(self.ledger.registry))
        self.assertIs(self.member("/s"), member)
        self.assertEqual((member.failcnt, member.weight), (7, 3))

    def member(self, address: str) -> Any:
        pool = self.copy.registry.lookup("foo.com")
        assert pool is not None
        return pool.members[parse_address(address)]

    def test_restored(self) -> None:
        """
        A node from a file, which has a moment to be heard of, has it here too.
        """
        self.announce(announcement())
        snapshot = taken(self.ledger.registry.snapshot(self.clock.seconds()))
        self.begin()
        self.ledger.registry.restore(snapshot, self.clock.seconds(), age=60)
        self.connect()
        self.clock.advance(9)
        self.copy.registry.expire(self.clock.seconds())
        self.assertEqual(nodes(self.copy.registry), {"foo.com": [NODE]})

    @given(STEPS)
    def test_equal(self, steps: list[Any]) -> None:
        """
        Whatever happens, requests go where the program would send them.
        """
        self.begin(keep_last=5)
        self.connect()
        for step in steps:
            if isinstance(step, int):
                self.clock.advance(step)
                self.ledger.expire()
                self.copy.registry.expire(self.clock.seconds())
            elif step == "whole":
                for message in self.copyist.whole():
                    self.copy.update(message)
            else:
                self.announce(step)
            self.assertEqual(state(self.copy.registry), state(self.ledger.registry))


class BacklogTests(CopyCase):
    """
    A process that does not read for a while.
    """

    def setUp(self) -> None:
        super().setUp()
        self.backlog = Backlog(limit=3)

    def add(self, *announcements: Announcement) -> None:
        self.backlog.add(Subscriptions(False, tuple(map(NodeNews, announcements))))

    def test_latest(self) -> None:
        """
        Of each node the latest is kept, in the order in which it was said.
        """
        one, two = announcement(), announcement(address=OTHER)
        self.add(one, two)
        self.add(leaving())
        self.assertEqual(
            self.backlog.take(self.copyist),
            [Subscriptions(False, (NodeNews(two), NodeNews(leaving())))],
        )
        self.assertEqual(self.backlog.take(self.copyist), ())

    def test_too_many(self) -> None:
        """
        Who misses too much gets the whole, once.
        """
        for number in range(4):
            self.add(announcement(key=f"{number}.com"))
        self.ledger.announce(announcement())
        self.assertEqual(self.backlog.take(self.copyist), self.copyist.whole())
        self.assertEqual(self.backlog.take(self.copyist), ())
