"""
What is said when somebody else listens at the socket of a node.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import UnixAddress
from emperor.proxy.peers import Stranger
from emperor.proxy.strangers import LOGGED_PER_SECOND, Strangers
from emperor.routing.members import Member
from tests.routing.nodes import announcement


class StrangersTests(SynchronousTestCase):
    def test_limited(self) -> None:
        """
        The line names vassal, socket and both users; many are one more line.
        """
        clock = Clock()
        strangers = Strangers(clock, "http")
        said = announcement("/a.sock", "m.example", vassal="mal\n.ini", owner=54002)
        node = Member(UnixAddress(b"/a.sock"), said, 0, 10)
        with capturedLogs() as events:
            for _ in range(LOGGED_PER_SECOND + 7):
                strangers.note(node, Stranger(54002, 54001))
            clock.advance(1)
        first, *_, last = lines = [formatEvent(each) for each in events]
        self.assertEqual(
            first,
            "http sends nothing to /a.sock, which vassal mal\\n.ini of user 54002 names as its "
            "socket: user 54001 listens there",
        )
        self.assertEqual(last, "http met 7 more sockets of other users than their vassals' owners")
        self.assertEqual(len(lines), LOGGED_PER_SECOND + 1)
