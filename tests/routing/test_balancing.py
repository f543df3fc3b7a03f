"""
Which of several nodes gets a request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.balancing import UnknownAlgorithm, algorithm
from emperor.routing.hashing import rendezvous
from emperor.routing.members import Member
from emperor.routing.pools import ANYONE, Seeker
from tests.routing.nodes import Request, members


def chosen(name: str, nodes: Sequence[Member], count: int, seeker: Seeker = ANYONE) -> str:
    """
    The nodes of so many requests; the first node is A.
    """
    way = algorithm(name)
    return "".join(chr(65 + nodes.index(way.choose(nodes, seeker))) for _ in range(count))


class WeightedRoundRobinTests(SynchronousTestCase):
    def test_equal(self) -> None:
        """
        uWSGI's order: the last node first, then the others.
        """
        self.assertEqual(chosen("wrr", members(1, 1, 1), 6), "CABCAB")

    def test_weights(self) -> None:
        """
        In a round a node gets what its weight is times the least.
        """
        self.assertEqual(chosen("wrr", members(3, 1, 1), 10), "CAAABCAAAB")
        self.assertEqual(chosen("wrr", members(2, 7), 5), "BABBB")

    @given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 60))
    def test_model(self, weights: list[int], count: int) -> None:
        """
        It is the sequence that a plain model of the rules gives.
        """
        left = [0] * len(weights)
        expected = ""
        for _ in range(count):
            if not any(left):
                left = [weight // min(weights) for weight in weights]
                turn = len(weights) - 1
            else:
                turn = next(index for index, rest in enumerate(left) if rest)
            left[turn] -= 1
            expected += chr(65 + turn)
        self.assertEqual(chosen("wrr", members(*weights), count), expected)

    @given(st.data())
    def test_changing(self, data: st.DataObject) -> None:
        """
        Whoever may serve at the moment, one of them is chosen.
        """
        nodes = members(1, 2, 3, 4)
        way = algorithm("wrr")
        for _ in range(20):
            some = data.draw(st.lists(st.sampled_from(nodes), min_size=1, unique=True))
            self.assertIn(way.choose(some, ANYONE), some)


class LeastConnectionsTests(SynchronousTestCase):
    def test_least(self) -> None:
        """
        The node with the fewest running requests; its weight counts for wlrc.
        """
        nodes = members(1, 4, 1)
        for node, running in zip(nodes, (2, 4, 3), strict=True):
            node.references = running
        self.assertEqual(chosen("lrc", nodes, 2), "AA")
        self.assertEqual(chosen("wlrc", nodes, 2), "BB")

    def test_equal(self) -> None:
        """
        Of equal ones the turn goes round; a new one is next, once.
        """
        nodes = members(1, 1, 1)
        self.assertEqual(chosen("lrc", nodes[:2], 5), "ABABA")
        self.assertEqual(chosen("wlrc", nodes, 5), "CBACB")


class HashTests(SynchronousTestCase):
    def test_address(self) -> None:
        """
        The client's address decides, as in uWSGI.
        """
        nodes = members(1, 1, 1)
        self.assertEqual(chosen("iphash", nodes, 3, Request(b"3.0.0.0")), "AAA")
        self.assertEqual(chosen("iphash", nodes, 3, Request(b"5.0.0.0")), "CCC")

    def test_values(self) -> None:
        """
        What is hashed is the address, a header or a cookie.
        """
        nodes = members(1, 1, 1, 1, 1)
        for name, request in (
            ("chash", Request(b"value")),
            ("chash:header:X-User", Request(headers={b"x-user": b"value"})),
            ("chash:cookie:sid", Request(headers={b"cookie": b"a=b; sid=value"})),
        ):
            way = algorithm(name)
            self.assertEqual(way.name, name)
            self.assertIs(way.choose(nodes, request), rendezvous(b"value", nodes))

    def test_without(self) -> None:
        """
        Requests without a value are spread.
        """
        for name in ("iphash", "chash", "chash:header:a", "chash:cookie:a"):
            self.assertEqual(chosen(name, members(1, 1, 1), 6), "CABCAB", name)

    def test_spread(self) -> None:
        """
        Different clients have different nodes.
        """
        nodes = members(1, 1, 1)
        for name in ("iphash", "chash"):
            requests = [Request(b"10.0.%d.%d" % (i, i * 7 % 256)) for i in range(200)]
            counted = Counter(chosen(name, nodes, 1, request) for request in requests)
            self.assertGreater(min(counted[node] for node in "ABC"), 40)


class NameTests(SynchronousTestCase):
    def test_known(self) -> None:
        """
        Every accepted name is the name of what it stands for.
        """
        for name in ("wrr", "lrc", "wlrc", "iphash", "chash", "chash:header:A", "chash:cookie:b"):
            self.assertEqual(algorithm(name).name, name)

    def test_unknown(self) -> None:
        """
        An unknown name is refused with those that are accepted.
        """
        for name in ("", "WRR", "rr", "chash:", "chash:header:", "chash:header:a b", "chash:x:y"):
            error = self.assertRaises(UnknownAlgorithm, algorithm, name)
            self.assertIn("accepted: wrr, lrc, wlrc, iphash, chash", str(error))
        self.assertRaises(UnknownAlgorithm, algorithm, "chash:cookie:" + "a" * 65)

    @given(st.text())
    def test_anything(self, name: str) -> None:
        """
        Whatever a node asks for is known or refused, in a short sentence.
        """
        try:
            algorithm(name)
        except UnknownAlgorithm as error:
            self.assertLess(len(str(error)), 1000)
