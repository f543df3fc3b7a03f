"""
From a client to a number.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.hashing import client_number, cookie, djb33x, rendezvous
from tests.routing.nodes import member, members

VALUES = [b"client %d" % number for number in range(2000)]


class ClientNumberTests(SynchronousTestCase):
    def test_ipv4(self) -> None:
        """
        The number of an IPv4 address is its bytes, the first one the least.
        """
        self.assertEqual(client_number(b"1.2.3.4"), 0x04030201)
        self.assertEqual(client_number(b"::ffff:1.2.3.4"), 0x04030201)

    def test_ipv6(self) -> None:
        """
        Every spelling of an IPv6 address has the same number.
        """
        self.assertEqual(client_number(b"::1"), client_number(b"0:0:0:0:0:0:0:1"))
        self.assertEqual(client_number(b"::1"), djb33x(b"\0" * 15 + b"\1"))

    @given(st.binary(max_size=300))
    def test_anything(self, text: bytes) -> None:
        """
        Whatever a proxy says has a number.
        """
        self.assertIn(client_number(text), range(2**32))

    def test_djb33x(self) -> None:
        """
        The hash begins at 5381; high bytes count as negative.
        """
        self.assertEqual(djb33x(b""), 5381)
        self.assertEqual(djb33x(b"a"), 5381 * 33 ^ 97)
        self.assertEqual(djb33x(b"\xff"), (5381 * 33 ^ -1) % 2**32)


class RendezvousTests(SynchronousTestCase):
    def shares(self, *weights: int) -> list[float]:
        nodes = members(*weights)
        counted = Counter(nodes.index(rendezvous(value, nodes)) for value in VALUES)
        return [counted[number] / len(VALUES) for number in range(len(nodes))]

    def test_shares(self) -> None:
        """
        Each node gets its share of the clients.
        """
        for share in self.shares(1, 1, 1, 1):
            self.assertLess(abs(share - 1 / 4), 0.05)
        for share, weight in zip(self.shares(1, 2, 5), (1, 2, 5), strict=True):
            self.assertLess(abs(share - weight / 8), 0.05)

    @settings(deadline=None, max_examples=10)
    @given(st.integers(1, 12))
    def test_new_node(self, count: int) -> None:
        """
        A node that comes takes over about its share, and nothing else moves.
        """
        nodes = members(*[1] * count)
        new = member("10.0.0.1:1")
        moved = 0
        for value in VALUES[:500]:
            before, after = rendezvous(value, nodes), rendezvous(value, [*nodes, new])
            self.assertIn(after, (before, new))
            moved += after is new
        self.assertLess(abs(moved / 500 - 1 / (count + 1)), 0.1)

    @settings(deadline=None, max_examples=25)
    @given(st.permutations(range(6)), st.binary())
    def test_order(self, order: list[int], value: bytes) -> None:
        """
        It does not matter in which order the nodes came.
        """
        nodes = members(1, 2, 3, 1, 2, 3)
        self.assertIs(rendezvous(value, nodes), rendezvous(value, [nodes[i] for i in order]))


class CookieTests(SynchronousTestCase):
    def test_values(self) -> None:
        """
        A cookie is found among others, by its whole name.
        """
        for header, expected in (
            (b"sid=1", b"1"),
            (b"a=2; sid=1; b=3", b"1"),
            (b"xsid=2;sid = 1 ", b"1"),
            (b"sid=a=b", b"a=b"),
            (b"sid=1; sid=2", b"1"),
            (b"Sid=2", b""),
            (b"sid", b""),
            (b"", b""),
        ):
            self.assertEqual(cookie(header, b"sid"), expected, header)

    @given(st.binary(), st.binary(min_size=1))
    def test_anything(self, header: bytes, name: bytes) -> None:
        """
        Whatever the header is, there is an answer.
        """
        self.assertIsInstance(cookie(header, name), bytes)
