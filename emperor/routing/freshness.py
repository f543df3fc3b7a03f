"""
Which signed subscriptions are new, and which have been heard before.

uWSGI's signature has the second in which it was made, and a leaving node writes
the next one.  Each is accepted once, as what it is.  The rules, for each node by
itself:

 - to leave is accepted if it was said after everything accepted so far;
 - to come is accepted if it was said after the last coming, and not before the
   last leaving, which may have been in the same second; what is dated as the
   leaving itself only if the node has come back meanwhile;
 - a node says its first words twice within a second or so: the same second is
   accepted again for a moment, unless the node has left.

A seal says all of it, and the time in microseconds; what is remembered is every
nonce, as long as the seal's time alone would let it pass.

Memory is bounded for each signing key, so that nobody uses up the room of others.
What is forgotten for want of room raises the time after which nodes that are not
remembered must have spoken: to forget never lets a repetition in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

#: Nodes whose last words are remembered for one signing key.
NODES_LIMIT = 4_096

#: Nonces remembered for one signing key.
NONCES_LIMIT = 4_096

#: Seconds in which a node may say the same second again.
REPETITION = 2.0

#: Of a second; seals count in them.
MICROSECONDS = 1_000_000

#: A pool's key and a node's address.
NodeName = tuple[str, str]

#: The name of a signing key, a node's name, and the times of its mark.
Row = Sequence[str | int]


class Stale(ValueError):
    """
    It was heard before, or is too old or too new; the message says which.
    """


@dataclass(frozen=True, slots=True)
class Mark:
    """
    The newest accepted words of a node; times are the sender's.

    @ivar joined: of the last coming.
    @ivar left: of the last leaving.
    @ivar joined_at: when C{joined} was heard first, in seconds of our clock;
        long ago if the node has left since.
    @ivar present: whether the last word was a coming.
    """

    joined: int
    left: int
    joined_at: float = float("-inf")
    present: bool = False

    @property
    def newest(self) -> int:
        """
        The last word of both.
        """
        return max(self.joined, self.left)


class Marks:
    """
    The marks of all nodes of one signing key, those that changed last at the
    end.
    """

    def __init__(self, limit: int = NODES_LIMIT) -> None:
        self._limit = limit
        self._floor = 0
        self._marks: OrderedDict[NodeName, Mark] = OrderedDict()

    def __len__(self) -> int:
        return len(self._marks)

    def __iter__(self) -> Iterator[tuple[NodeName, Mark]]:
        return iter(self._marks.items())

    def of(self, node: NodeName) -> Mark:
        """
        The mark of a node, which need not be known.
        """
        return self._marks.get(node) or Mark(self._floor, self._floor)

    def put(self, node: NodeName, mark: Mark, oldest: float) -> None:
        """
        Remember a mark.

        @param oldest: what is older is not needed any more.
        """
        self._marks[node] = mark
        self._marks.move_to_end(node)
        while self._marks:
            first = next(iter(self._marks))
            newest = self._marks[first].newest
            if newest >= oldest:
                if len(self._marks) <= self._limit:
                    break
                self._floor = max(self._floor, newest)
            del self._marks[first]


class _Freshness:
    """
    What both kinds remember.
    """

    def __init__(self, tolerance: float) -> None:
        """
        @param tolerance: seconds by which a sender's clock may differ from ours.
        """
        self._tolerance = tolerance
        self._marks: dict[str, Marks] = {}

    def _marks_of(self, owner: str) -> Marks:
        return self._marks.setdefault(owner, Marks())

    def snapshot(self) -> Iterator[Row]:
        """
        What L{restore} takes; strings and numbers only.  Each owner's marks are
        read when their turn comes.
        """
        for owner, marks in tuple(self._marks.items()):
            for node, mark in tuple(marks):
                yield [owner, *node, mark.joined, mark.left]

    def restore(self, rows: Iterable[Row]) -> None:
        """
        Remember what another one has remembered.

        @raise ValueError: these are no such rows.
        """
        try:
            for owner, key, address, joined, left in rows:
                mark = Mark(int(joined), int(left))
                self._marks_of(str(owner)).put((str(key), str(address)), mark, 0)
        except TypeError as error:
            raise ValueError(f"no rows of marks: {error}") from error


class SignatureFreshness(_Freshness):
    """
    For uWSGI's signatures, whose times are seconds.
    """

    def admit(self, owner: str, node: NodeName, *, sent: int, leaving: bool, now: float) -> None:
        """
        Accept a subscription whose signature is good.

        @param owner: the name of the key that made the signature.
        @raise Stale: it is not new.
        """
        _check_clock(sent, now, self._tolerance)
        marks = self._marks_of(owner)
        mark = marks.of(node)
        if leaving:
            if sent <= mark.newest:
                raise Stale(f"unix is {sent}, not after the last accepted {mark.newest}")
            # A node that leaves twice: the first leaving is no coming either.
            new = Mark(mark.joined if mark.present else mark.newest, sent)
        else:
            _check_coming(mark, sent, now)
            heard = mark.joined_at if sent == mark.joined else now
            new = Mark(sent, mark.left, heard, present=True)
        marks.put(node, new, now - self._tolerance)


def _check_coming(mark: Mark, sent: int, now: float) -> None:
    if sent == mark.joined:
        if now - mark.joined_at <= REPETITION:
            return
    elif sent > mark.joined and sent >= mark.left - 1 and (mark.present or sent != mark.left):
        return
    raise Stale(f"unix is {sent}, not after the last accepted {mark.newest}")


class SealFreshness(_Freshness):
    """
    For seals, whose times are microseconds.

    A snapshot has no nonces: after a restart, a seal younger than the tolerance
    may once more refresh its node.
    """

    def __init__(self, tolerance: float) -> None:
        super().__init__(tolerance)
        self._nonces: dict[str, Nonces] = {}

    def admit(
        self,
        owner: str,
        node: NodeName,
        *,
        time: int,
        nonce: bytes,
        leaving: bool,
        now: float,
    ) -> None:
        """
        Accept a subscription whose seal is good.

        @param owner: the name of the key that made the seal.
        @raise Stale: it is not new.
        """
        _check_clock(time / MICROSECONDS, now, self._tolerance)
        marks = self._marks_of(owner)
        mark = marks.of(node)
        last = mark.newest if leaving else mark.left
        if time <= last:
            raise Stale(f"v2-time is {time}, not after {last}, when the node came or left")
        oldest = int((now - self._tolerance) * MICROSECONDS)
        self._nonces.setdefault(owner, Nonces()).admit(nonce, time, oldest)
        joined, left = (mark.joined, time) if leaving else (max(time, mark.joined), mark.left)
        marks.put(node, Mark(joined, left), oldest)


class Nonces:
    """
    The nonces of one signing key, in the order in which they came.
    """

    def __init__(self, limit: int = NONCES_LIMIT) -> None:
        self._limit = limit
        self._floor = 0
        self._times: OrderedDict[bytes, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._times)

    def admit(self, nonce: bytes, time: int, oldest: int) -> None:
        """
        Remember a nonce.

        @param oldest: what is older is not needed any more.
        @raise Stale: it is known, or may have been.
        """
        if nonce in self._times or time <= self._floor:
            raise Stale("its v2-nonce has been used")
        self._times[nonce] = time
        while self._times:
            first, known = next(iter(self._times.items()))
            if known >= oldest:
                if len(self._times) <= self._limit:
                    break
                self._floor = max(self._floor, known)
            del self._times[first]


def _check_clock(sent: float, now: float, tolerance: float) -> None:
    if sent < now - tolerance:
        raise Stale(f"it was sent {now - sent:.0f} s ago; accepted: at most {tolerance:.0f}")
    if sent > now + tolerance:
        raise Stale(f"it was sent {sent - now:.0f} s in the future, by its sender's clock")
