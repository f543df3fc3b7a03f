"""
A connection to a Redis that comes back; L{tests.proxy.test_redismap} has what
follows from it.
"""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.redisurl import RedisSource
from emperor.proxy.redislink import PAUSE, RedisLink, log_in
from tests.proxy.redispeer import FakeRedis

SOURCE = RedisSource(hosts=(("cache.test", 6379),))


class LinkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.redis = FakeRedis(self.clock)
        self.states: list[str] = []
        self.failures: list[int] = []
        self.events = self.enterContext(capturedLogs())
        self.link = RedisLink(
            SOURCE,
            self.redis,
            self.clock,
            purpose="it does not matter",
            prepare=partial(log_in, source=SOURCE),
            changed=lambda: self.states.append(self.link.trouble or "connected"),
            pause=self._pause,
        )
        self.link.start()
        self.advance()

    def logged(self) -> list[str]:
        return [
            str(event["log_format"]).format_map(event)
            for event in self.events
            if event["log_namespace"].endswith("RedisLink")
        ]

    def _pause(self, failures: int) -> float:
        self.failures.append(failures)
        return failures + 1

    def advance(self, seconds: float = 0) -> None:
        self.clock.pump([seconds, *[0] * 10])

    def test_back(self) -> None:
        """
        It pauses longer after each failure, and starts anew when it was there.
        """
        self.redis.leave()
        for failures in range(4):
            self.assertEqual(self.failures, list(range(failures + 1)))
            self.advance(failures + 1)
        self.redis.failure = None
        self.advance(5)
        self.assertIsNotNone(self.link.connection)
        self.redis.leave()
        self.assertEqual(self.failures, [0, 1, 2, 3, 4, 0])

    def test_log(self) -> None:
        """
        The log has each reason once, and that it is back.
        """
        self.redis.leave()
        for _ in range(4):
            self.advance(5)
        self.redis.failure = None
        self.advance(5)
        self.assertEqual(
            self.logged(),
            [
                "Redis at cache.test:6379 cannot be asked: it closed the connection "
                "(it does not matter)",
                "Redis at cache.test:6379 cannot be asked: Connection was refused by other side "
                "(it does not matter)",
                "Redis at cache.test:6379 is back (it does not matter)",
            ],
        )
        self.assertEqual(self.states[0], self.states[-1], "connected")

    def test_stop(self) -> None:
        """
        It has stopped when the connection is over, and is stopped twice as
        well.
        """
        stopping = Deferred.fromCoroutine(self.link.stop())
        self.advance()
        self.successResultOf(stopping)
        self.assertIsNotNone(self.redis.peers[0].lost)
        self.assertIn("the router is stopping", self.link.trouble)
        self.successResultOf(Deferred.fromCoroutine(self.link.stop()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_in_pause(self) -> None:
        """
        It does not wait for the next attempt.
        """
        self.redis.failure = ConnectionRefusedError()
        self.redis.peers[0].lose()
        self.successResultOf(Deferred.fromCoroutine(self.link.stop()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_pause(self) -> None:
        """
        The pauses stay short.
        """
        self.assertLess(PAUSE(0), 2)
        self.assertLess(PAUSE(1000), 7)
