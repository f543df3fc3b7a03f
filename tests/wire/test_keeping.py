"""
Tests for L{emperor.wire.keeping}.
"""

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.hooks import Command, Hooks
from emperor.wire.keeping import (
    HEAD,
    LIMIT,
    BadKeeping,
    Done,
    Left,
    Message,
    NotStarted,
    Over,
    Reader,
    Signal,
    Start,
    Started,
    decode,
    encode,
)
from emperor.wire.rights import Capabilities, GroupLimit, ResourceLimit, Rights, User
from tests.wire.cutting import cuts

_names = st.text(max_size=20) | st.binary(max_size=20).map(
    lambda data: data.decode("utf-8", "surrogateescape")
)
_numbers = st.integers(0, 2**31)
rights = st.builds(
    Rights,
    st.none() | st.builds(User, _numbers, _numbers, st.booleans()),
    st.none() | st.builds(Capabilities, st.tuples(_numbers, _numbers)),
    st.lists(_names, max_size=2).map(tuple),
    st.lists(st.builds(ResourceLimit, _names, _numbers), max_size=2).map(tuple),
    st.lists(st.builds(GroupLimit, _names, _names), max_size=2).map(tuple),
)
_commands = st.lists(
    st.builds(Command, _names, st.tuples(_names, _names), st.booleans()), max_size=2
).map(tuple)
hooks = st.builds(Hooks, _commands, _commands, st.floats(0, 1e6), st.just((("a", "b"),)))
messages = st.one_of(
    st.builds(
        Start,
        number=_numbers,
        name=_names,
        directory=_names,
        programs=st.lists(_names, max_size=3).map(tuple),
        argv=st.lists(_names, max_size=3).map(tuple),
        environ=st.lists(st.tuples(_names, _names), max_size=3).map(tuple),
        rights=rights,
        hooks=hooks,
        chdir=_names,
    ),
    st.builds(Signal, _numbers, _numbers),
    st.builds(Started, _numbers),
    st.builds(NotStarted, _names),
    st.just(Done()),
    st.builds(Left, _numbers, _numbers, _numbers, _names),
    st.builds(Over, _numbers),
)


class KeepingTests(SynchronousTestCase):
    @given(st.lists(messages, max_size=3), st.data())
    def test_any_cut(self, sent: list[Message], data: st.DataObject) -> None:
        """
        Messages arrive whole, however their bytes are cut.
        """
        reader = Reader()
        parts = data.draw(cuts(b"".join(map(encode, sent))))
        self.assertEqual(sent, [each for part in parts for each in reader.feed(part)])

    @given(st.binary(max_size=200))
    def test_garbage(self, garbage: bytes) -> None:
        """
        Other bytes are no message, and say so.
        """
        for read in (decode, lambda data: list(Reader().feed(data))):
            with contextlib.suppress(BadKeeping):
                read(garbage)

    def test_too_long(self) -> None:
        """
        A message has a limit, on both sides.
        """
        head = (LIMIT + 1).to_bytes(HEAD)
        self.assertRaises(BadKeeping, list, Reader().feed(head))
        self.assertRaises(BadKeeping, encode, NotStarted("x" * LIMIT))
