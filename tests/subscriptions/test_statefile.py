"""
Tests for L{emperor.subscriptions.statefile}.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.gatekeeper import AdmissionRules, Gatekeeper
from emperor.subscriptions import statefile
from emperor.subscriptions.ledger import Ledger
from emperor.subscriptions.statefile import LATE, PAUSE, ROWS, SOON, StateFile
from tests.routing.test_gatekeeper import MemoryKeys
from tests.subscriptions.fakes import NODE, OTHER, leaving, make_ledger, nodes, said
from tests.wire.announcements import announcement

NOW = 1_700_000_000

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["version", "written", "subscriptions", "gate", "nodes", "signatures"]),
            inner,
        )
    ),
    max_leaves=8,
)


class StateCase(SynchronousTestCase):
    def setUp(self) -> None:
        os.makedirs(folder := os.path.relpath(self.mktemp()))
        self.path = os.path.join(folder, "state.json")
        self.clock = Clock()
        self.clock.rightNow = NOW
        self.calls: list[tuple[Callable[[], None], Deferred[None]]] = []
        self.blocked = False
        self.ports = 0
        # All pieces at once, as a rule.
        self.patch(statefile, "PAUSE", 0)
        self.ledger, self.state = self.make()

    def make(self) -> tuple[Ledger, StateFile]:
        ledger = make_ledger(self.clock)
        gate = Gatekeeper(AdmissionRules(), MemoryKeys())
        state = StateFile(self.clock, self.path, ledger, gate, self.in_thread)
        ledger.follow(state)
        return ledger, state

    def in_thread(self, call: Callable[[], None]) -> Deferred[None]:
        """
        A thread that is slow where it is L{blocked}.
        """
        if not self.blocked:
            return maybeDeferred(call)
        self.calls.append((call, Deferred()))
        return self.calls[-1][1]

    def unblock(self) -> None:
        """
        Let the thread do what it has to do.
        """
        for call, done in self.calls:
            maybeDeferred(call).chainDeferred(done)

    def run_for(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.clock.advance(1)
            self.state.tick()
            self.clock.advance(0)

    def change(self) -> None:
        """
        Have one more node to write.
        """
        self.ports += 1
        self.ledger.announce(announcement(address=f"127.0.0.1:{self.ports}"))
        self.clock.advance(SOON)

    def written(self) -> Any:
        with open(self.path) as file:
            return json.load(file)

    def exists(self) -> bool:
        return os.path.exists(self.path)


class WriteTests(StateCase):
    """
    When the file is written.
    """

    def test_soon(self) -> None:
        """
        Who comes is written down soon, who goes and who expires as well.
        """
        self.run_for(100)
        self.assertFalse(self.exists())
        for change in (
            lambda: self.ledger.announce(announcement()),
            lambda: self.ledger.announce(leaving()),
            lambda: self.ledger.announce(announcement(address="", vassal="a")),
            self.ledger.expire,
        ):
            change()
            self.run_for(SOON - 1)
            self.assertFalse(self.exists())
            self.run_for(1)
            self.assertTrue(self.exists())
            os.unlink(self.path)
            self.run_for(20)

    def test_late(self) -> None:
        """
        That nodes are still there is worth less.
        """
        self.ledger.announce(announcement())
        self.run_for(SOON)
        os.unlink(self.path)
        for _ in range(int(LATE) - 1):
            self.ledger.announce(announcement())
            self.run_for(1)
        self.assertFalse(self.exists())
        self.run_for(1)
        self.assertEqual(self.written()["written"], self.clock.seconds())

    def test_nothing_new(self) -> None:
        """
        What was refused changes nothing.
        """
        self.ledger.announce(announcement(address="x:y"))
        self.ledger.announce(leaving())
        self.run_for(LATE + 1)
        self.assertFalse(self.exists())

    def test_costly(self) -> None:
        """
        Where writing takes long it is done seldom.
        """
        self.patch(self.state, "_replace", lambda parts: self.clock.advance(1))
        self.change()
        self.state.tick()
        self.clock.advance(0)
        self.patch(self.state, "_replace", lambda parts: self.fail("written too soon"))
        self.ledger.announce(announcement())
        self.run_for(29)

    def test_in_pieces(self) -> None:
        """
        So many rows are made in a turn, and no others while they are; what
        comes meanwhile is written the next time at the latest.
        """
        self.patch(statefile, "PAUSE", PAUSE)
        for port in range(10 * ROWS):
            self.ledger.announce(announcement(address=f"127.0.0.1:{port + 1}"))
        self.clock.advance(SOON)
        dumped = 0

        def encode(value: object) -> str:
            nonlocal dumped
            dumped += 1
            return json.dumps(value)

        self.patch(statefile, "_encode", encode)
        self.state.tick()
        for _ in range(10):
            self.assertFalse(self.exists())
            dumped = 0
            self.clock.advance(PAUSE)
            self.assertGreater(dumped, 0)
            self.assertLessEqual(dumped, ROWS + 3)
        self.ledger.announce(announcement(key="late.com"))
        self.ledger.announce(leaving(address="127.0.0.1:1"))
        self.clock.pump([PAUSE] * 3)
        rows = self.written()["subscriptions"]["nodes"]
        self.assertEqual(len(rows), 10 * ROWS)
        self.patch(statefile, "PAUSE", 0)
        self.run_for(SOON + 1)
        rows = self.written()["subscriptions"]["nodes"]
        self.assertEqual(len(rows), 10 * ROWS)
        self.assertIn("late.com", [row["announcement"]["key"] for row in rows])

    def test_one_at_a_time(self) -> None:
        """
        Nothing is begun while a thread still writes; later it is.
        """
        self.blocked = True
        self.change()
        self.state.tick()
        self.clock.advance(0)
        self.change()
        self.run_for(100)
        self.assertEqual(len(self.calls), 1)
        self.assertFalse(self.exists())
        self.unblock()
        self.assertTrue(self.exists())
        self.run_for(30 * 106)
        self.assertEqual(len(self.calls), 2)

    def test_stop(self) -> None:
        """
        The last one is written before the stop is over, after the one that a
        thread is about to write; one that is still being made is dropped.
        """
        self.successResultOf(self.state.stop())
        self.assertEqual(self.written()["subscriptions"]["nodes"], [])
        self.change()
        self.state.tick()
        self.successResultOf(self.state.stop())
        self.assertEqual(len(self.written()["subscriptions"]["nodes"]), 1)
        self.clock.advance(0)
        self.blocked = True
        self.change()
        self.state.tick()
        self.clock.advance(0)
        stopped = self.state.stop()
        self.assertNoResult(stopped)
        self.change()
        self.unblock()
        self.successResultOf(stopped)
        self.assertEqual(len(self.written()["subscriptions"]["nodes"]), 3)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_surprise(self) -> None:
        """
        A fault of ours does not end the writing.
        """
        self.patch(self.state, "_replace", lambda parts: 1 / 0)
        self.change()
        self.run_for(1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertIsNone(self.state._writing)

    def test_private(self) -> None:
        """
        Nobody else reads it.
        """
        self.state.write()
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        self.assertEqual(os.listdir(os.path.dirname(self.path)), ["state.json"])

    def test_no_room(self) -> None:
        """
        A failure leaves the old file, and is said once.
        """
        self.state.write()
        before = self.written()
        self.patch(os, "replace", self.no_room)
        self.clock.advance(1)

        def write() -> None:
            for _ in range(3):
                self.change()
                self.run_for(1)
            self.state.write()

        [line] = said(write)
        self.assertIn("cannot be written, a restart would know no nodes: No space", line)
        self.assertEqual(self.written(), before)
        self.assertEqual(os.listdir(os.path.dirname(self.path)), ["state.json"])

    def no_room(self, *paths: str) -> None:
        raise OSError(28, "No space left on device")


class RestoreTests(StateCase):
    """
    What the next one knows.
    """

    def restart(self, after: float) -> list[str]:
        self.clock.advance(after)
        self.ledger, self.state = self.make()
        return said(self.state.restore)

    def test_restart(self) -> None:
        """
        Nodes are known, with the time that they have left; one that was long
        not heard of has a moment.
        """
        self.ledger.announce(announcement())
        self.clock.advance(4)
        self.ledger.announce(announcement(address=OTHER))
        self.state.write()
        lines = self.restart(after=3)
        self.assertEqual(lines, [f"2 nodes are known from {self.path}, 3 s ago"])
        self.assertEqual(nodes(self.ledger.registry), {"foo.com": [NODE, OTHER]})
        self.clock.advance(11)
        self.ledger.expire()
        self.assertEqual(nodes(self.ledger.registry), {})

    def test_long_ago(self) -> None:
        """
        After a day the addresses may belong to others.
        """
        self.ledger.announce(announcement())
        self.state.write()
        self.restart(after=86400)
        self.assertTrue(self.ledger.registry.is_empty)

    def test_clock_set_back(self) -> None:
        """
        A file from the future is one of now.
        """
        self.ledger.announce(announcement())
        self.state.write()
        self.clock.rightNow = NOW - 1000
        self.assertIn("0 s ago", self.restart(after=0)[0])
        self.assertEqual(nodes(self.ledger.registry), {"foo.com": [NODE]})

    def test_first_start(self) -> None:
        """
        Without a file there is nothing to say.
        """
        self.assertEqual(self.restart(after=0), [])

    def test_broken(self) -> None:
        """
        A broken file is a line in the log.
        """
        for text in ("", "{", "[]", '{"version": 2}', '{"version": 1}', "\xff", "[" * 100_000):
            with open(self.path, "w", encoding="latin-1") as file:
                file.write(text)
            [line] = self.restart(after=0)
            self.assertIn("cannot be used, its nodes have to subscribe again", line, text[:10])
        os.unlink(self.path)
        os.mkdir(self.path)
        self.assertIn("Is a directory", self.restart(after=0)[0])

    @given(JSON)
    def test_garbage(self, value: Any) -> None:
        """
        Whatever is in it, the start goes on.
        """
        if isinstance(value, dict):
            value = {"version": 1, "written": 1, **value}
        with open(self.path, "w") as file:
            json.dump(value, file)
        self.assertLessEqual(len(self.restart(after=0)), 1)
