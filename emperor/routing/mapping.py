"""
What a mapper outside of the configuration, a store or a function, says of a
key: the text C{ADDRESS[,MODIFIER1]}, and what can go wrong.
"""

from __future__ import annotations

from emperor import addresses
from emperor.addresses import BadAddress
from emperor.config.settings import Node
from emperor.routing.pools import FixedNodes, Pool, SingleNode

#: Nodes of one key.
MOST_NODES = 128

#: Characters of a bad text that a message shows.
_SHOWN = 80


class MapperUnavailable(Exception):
    """
    Nobody can tell the key's node now; the message is the reason.
    """


class MapperBroken(Exception):
    """
    What was told of the key makes no sense; the message says what and why.
    """


class BadNodes(ValueError):
    """
    A text that is no node; the message says what is accepted.
    """


def parse_node(text: str) -> Node:
    """
    Read C{ADDRESS} or C{ADDRESS,MODIFIER1}.

    @raise BadNodes: it is neither.
    """
    address, comma, modifier = text.strip().rpartition(",")
    if not comma:
        address, modifier = modifier, "0"
    modifier = modifier.strip()
    if not (modifier.isascii() and modifier.isdecimal() and len(modifier) <= 3):
        raise BadNodes(f"{modifier!r} is no modifier1 (0 to 255)")
    if int(modifier) > 255:
        raise BadNodes(f"{modifier} is no modifier1 (0 to 255)")
    try:
        return Node(addresses.parse_node(address.strip()), int(modifier))
    except BadAddress as error:
        raise BadNodes(str(error)) from error


def parse_nodes(text: str) -> tuple[Node, ...]:
    """
    Read nodes joined by C{|}.

    @raise BadNodes: one of them is none, or they are too many.
    """
    parts = text.split("|", MOST_NODES)
    if len(parts) > MOST_NODES:
        raise BadNodes(f"there are more than {MOST_NODES} nodes")
    return tuple(parse_node(part) for part in parts)


def make_pool(text: str, gracetime: float) -> Pool:
    """
    The pool for nodes joined by C{|}, which take turns.

    @param gracetime: seconds for which a node that failed is passed over.
    @raise BadNodes: see L{parse_nodes}.
    """
    nodes = parse_nodes(text)
    if len(nodes) == 1:
        return SingleNode(nodes[0], from_host=False)
    return FixedNodes(nodes, gracetime)


def shown(text: object) -> str:
    """
    C{repr} of what was told, cut to what fits into a sentence.
    """
    whole = repr(text)
    return whole if len(whole) <= _SHOWN else whole[: _SHOWN - 1] + "…"
