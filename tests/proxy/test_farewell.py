"""
L{emperor.proxy.farewell}
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.proxy.farewell import FAREWELL, WHY, Farewell, some


class _Clients:
    def __init__(self, *hosts: str) -> None:
        self.hosts = list(hosts)
        self.told: list[str] = []

    def end(self, why: str) -> list[str]:
        self.told.append(why)
        hosts, self.hosts = self.hosts, []
        return hosts

    def cut(self) -> None:
        self.told.append("cut")


class FarewellTests(SynchronousTestCase):
    def test_say(self) -> None:
        """
        Clients are told first and cut later, once, however often it is said; the
        log has one line.
        """
        clock, clients = Clock(), _Clients("b", "a", "a")
        farewell = Farewell(clock, "http", clients)
        with capturedLogs() as events:
            farewell.say("after 5 s")
            farewell.say("asked again to stop")
        (line,) = map(formatEvent, events)
        self.assertEqual("http: after 5 s: requests in flight are ended: 3 (hosts: a, b)", line)
        self.assertEqual([WHY, WHY], clients.told)
        clock.advance(FAREWELL)
        self.assertEqual("cut", clients.told[-1])
        farewell.close()

    def test_close(self) -> None:
        """
        Where all have gone nothing is left to do.
        """
        clock = Clock()
        farewell = Farewell(clock, "http", _Clients())
        farewell.say("after 5 s")
        farewell.close()
        self.assertEqual([], clock.getDelayedCalls())

    def test_some(self) -> None:
        """
        A few names, and never long ones.
        """
        self.assertEqual("a, b, c and 2 more", some(["e", "d", "c", "b", "a", "a"]))
        self.assertEqual("unknown", some([""]))
        self.assertEqual(100, len(some(["x" * 5000])))
