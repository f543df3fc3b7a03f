"""
Tests for L{emperor.subscriptions.chronicle}.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.subscriptions.chronicle import LOGGED_PER_SECOND, Chronicle
from emperor.wire.subscription import Announcement
from tests.subscriptions.fakes import NODE, OTHER, leaving, make_ledger, said
from tests.wire.announcements import announcement


class ChronicleTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.ledger = make_ledger(self.clock)
        self.ledger.follow(Chronicle(self.clock, "http"))

    def announce(self, *announcements: Announcement) -> list[str]:
        return said(lambda: [self.ledger.announce(each) for each in announcements])

    def test_life(self) -> None:
        """
        Who comes and who goes is said once, who is still there is not.
        """
        first = announcement(key="Foo.com")
        self.assertEqual(
            self.announce(first, first),
            ["http: new pool foo.com", f"http: foo.com => new node {NODE}"],
        )
        self.assertEqual(
            self.announce(announcement(address=OTHER), first, leaving(address=OTHER)),
            [f"http: foo.com => new node {OTHER}", f"http: foo.com => {OTHER} has left"],
        )
        self.assertEqual(self.announce(leaving(address=OTHER), leaving(key="x")), [])
        self.clock.advance(11)
        self.assertEqual(
            said(self.ledger.expire),
            [f"http: foo.com => {NODE} was not heard of for 11 s and is taken out"],
        )

    def test_sleeper(self) -> None:
        """
        A vassal that sleeps says so often; it is news once, until it wakes up.
        """
        asleep = announcement(address="", vassal="a.ini")
        lines = ["http: foo.com => the vassal a.ini sleeps"]
        self.assertEqual(self.announce(asleep, asleep), lines)
        self.assertEqual(
            self.announce(announcement(vassal="a.ini")), [f"http: foo.com => new node {NODE}"]
        )
        self.clock.advance(11)
        said(self.ledger.expire)
        self.assertEqual(self.announce(asleep), lines)

    def test_remark(self) -> None:
        """
        What is not as a node asked for it is said, without harm to the log.
        """
        *_, line = self.announce(announcement(algorithm="x\x1b"))
        self.assertIn("'x\\x1b' is no", line.replace("\\\\", "\\"))
        self.assertIn("wrr is used", line)

    def test_refused(self) -> None:
        """
        What is refused is told by others.
        """
        self.assertEqual(self.announce(announcement(address="x:y")), [])

    def test_flood(self) -> None:
        """
        Whoever comes and goes all the time does not fill the disk.
        """

        def flood() -> None:
            for _ in range(LOGGED_PER_SECOND):
                self.ledger.announce(announcement())
                self.ledger.announce(leaving())
            self.clock.advance(1)

        lines = said(flood)
        self.assertEqual(len(lines), LOGGED_PER_SECOND + 1)
        self.assertIn(f"{2 * LOGGED_PER_SECOND} more changes", lines[-1])
