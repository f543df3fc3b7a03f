"""
What stores and functions say of keys.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress, UnixAddress, parse_address
from emperor.config.settings import Node
from emperor.routing.mapping import (
    MOST_NODES,
    BadNodes,
    make_pool,
    parse_node,
    parse_nodes,
    shown,
)
from emperor.routing.pools import FixedNodes, SingleNode

_ADDRESSES = st.one_of(
    st.builds(TcpAddress, st.ip_addresses().map(str), st.integers(0, 65535)),
    st.builds(
        lambda name: UnixAddress(f"/run/{name}".encode()),
        st.text("abc.,- ", max_size=9).map(str.strip),
    ),
)
_NODES = st.builds(Node, _ADDRESSES, st.integers(0, 255))


class NodeTests(SynchronousTestCase):
    def test_address(self) -> None:
        """
        An address alone has the modifier 0; white space around is no part of it.
        """
        for text in ("127.0.0.1:80", " 127.0.0.1:80\n", "127.0.0.1:80,0", "127.0.0.1:80 , 0"):
            self.assertEqual(parse_node(text), Node(TcpAddress("127.0.0.1", 80)))

    def test_comma_in_path(self) -> None:
        """
        The last comma is the one that counts.
        """
        self.assertEqual(parse_node("/a,b,5"), Node(UnixAddress(b"/a,b"), 5))

    def test_refused(self) -> None:
        """
        What is wrong is named.
        """
        for text, part in (
            ("", "no socket address"),
            ("127.0.0.1:80,", "no modifier1"),
            ("127.0.0.1:80,256", "no modifier1 (0 to 255)"),
            ("127.0.0.1:80,-1", "no modifier1"),
            ("127.0.0.1:80,\u0663", "no modifier1"),
            ("127.0.0.1:80|", "no socket address"),
        ):
            self.assertIn(part, str(self.assertRaises(BadNodes, parse_nodes, text)), text)

    def test_many(self) -> None:
        """
        There is a limit.
        """
        text = "|".join(["/a"] * MOST_NODES)
        self.assertEqual(len(parse_nodes(text)), MOST_NODES)
        self.assertRaises(BadNodes, parse_nodes, text + "|/b")

    @given(st.lists(_NODES, min_size=1, max_size=5))
    def test_written(self, nodes: list[Node]) -> None:
        """
        What is written as it should be is read as it was.
        """
        text = "|".join(f"{node.address},{node.modifier1}" for node in nodes)
        self.assertEqual(parse_nodes(text), tuple(nodes))

    @given(st.text(alphabet=st.one_of(st.sampled_from(":,|/@.[]\0 1"), st.characters())))
    def test_any(self, text: str) -> None:
        """
        Any text is nodes or refused.
        """
        try:
            nodes = parse_nodes(text)
        except BadNodes:
            return
        self.assertTrue(nodes)


class PoolTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """
        One node is itself; several take turns.
        """
        self.assertIsInstance(make_pool("/a", 30), SingleNode)
        pool = make_pool("/a|/b,5", 30)
        self.assertIsInstance(pool, FixedNodes)
        self.assertFalse(pool.from_host)

    def test_shown(self) -> None:
        """
        A long text is cut.
        """
        self.assertEqual(shown("a"), "'a'")
        self.assertLess(len(shown(b"a" * 1000)), 100)
        self.assertEqual(parse_address("/a"), UnixAddress(b"/a"))
