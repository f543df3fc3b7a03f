"""
The way to a Redis; L{tests.integration.test_redismap} goes it.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import IProtocol, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.config.errors import ConfigurationError
from emperor.config.redisurl import parse_redis_url
from emperor.proxy.redisconnection import RedisConnections, RedisTrouble
from emperor.proxy.redisendpoints import MasterEndpoint, redis_endpoint
from tests.proxy.redispeer import FakeRedis


class EndpointTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """
        Every kind of URL has an endpoint.
        """
        for url in ("redis://a", "rediss://a", "redis+unix:///a", "rediss-sentinel://a/b"):
            endpoint = redis_endpoint(parse_redis_url(url), MemoryReactorClock())
            verifyObject(IStreamClientEndpoint, endpoint)

    def test_path(self) -> None:
        """
        A UNIX socket is dialed by its path, within the time-out.
        """
        reactor = MemoryReactorClock()
        endpoint = redis_endpoint(parse_redis_url("redis+unix:///run/r?timeout=3"), reactor)
        endpoint.connect(RedisConnections(reactor, print))
        self.assertEqual(reactor.unixClients[0][0], "/run/r")
        self.assertEqual(reactor.unixClients[0][2], 3)

    def test_authorities(self) -> None:
        """
        A file without authorities is an error in the configuration.
        """
        path = Path(self.mktemp())
        url = f"rediss://a?ca={path}"
        for text, part in (("", "No such file"), ("nothing", "has no certificates")):
            if text:
                path.write_text(text)
            error = self.assertRaises(
                ConfigurationError, redis_endpoint, parse_redis_url(url), MemoryReactorClock()
            )
            self.assertIn(part, str(error))
            self.assertIn(str(path), str(error))


class MasterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.servers = {name: FakeRedis(self.clock) for name in ("s1", "s2", "192.0.2.9")}
        self.dialed: list[tuple[str, int]] = []
        source = parse_redis_url("redis-sentinel://s1,s2:2/main?timeout=2")
        self.endpoint = MasterEndpoint(source, self.clock, self._reach)
        for name in ("s1", "s2"):
            self.servers[name].master = (b"192.0.2.9", b"7777")

    def _reach(self, host: str, port: int) -> IStreamClientEndpoint:
        self.dialed.append((host, port))
        return self.servers[host]

    def connect(self, seconds: float = 0) -> Deferred[IProtocol]:
        self.dialed.clear()
        connecting = self.endpoint.connect(RedisConnections(self.clock, print))
        self.clock.pump([0, 0, seconds, *[0] * 20])
        return connecting

    def test_master(self) -> None:
        """
        A Sentinel is asked for the service, left, and its answer dialed.
        """
        self.successResultOf(self.connect())
        self.assertEqual(self.dialed, [("s1", 26379), ("192.0.2.9", 7777)])
        self.assertEqual(
            self.servers["s1"].asked, [[b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", b"main"]]
        )
        self.assertTrue(self.servers["s1"].peers[0].lost)

    def test_next(self) -> None:
        """
        One that is away, does not answer or does not know is passed over, and
        asked last from then on.
        """
        for failure, silent in ((ConnectionRefusedError(), False), (None, True), (None, False)):
            self.setUp()
            first = self.servers["s1"]
            first.failure, first.silent = failure, silent
            first.master = (b"192.0.2.1", b"1") if silent else None
            self.successResultOf(self.connect(2))
            self.assertEqual([host for host, _ in self.dialed], ["s1", "s2", "192.0.2.9"])
            self.successResultOf(self.connect())
            self.assertEqual([host for host, _ in self.dialed], ["s2", "192.0.2.9"])

    def test_none(self) -> None:
        """
        If none knows, each reason is told.
        """
        self.servers["s1"].failure = ConnectionRefusedError()
        self.servers["s2"].master = (b"192.0.2.9", b"port")
        text = str(self.failureResultOf(self.connect(), RedisTrouble).value)
        self.assertIn("s1:26379: Connection was refused", text)
        self.assertIn("s2:2: its answer is no address", text)

    def test_master_away(self) -> None:
        """
        The master that cannot be reached is named.
        """
        self.servers["192.0.2.9"].failure = ConnectionRefusedError()
        text = str(self.failureResultOf(self.connect(), RedisTrouble).value)
        self.assertIn("the master 192.0.2.9:7777: Connection was refused", text)

    def test_cancelled(self) -> None:
        """
        It stops asking when nobody wants to know.
        """
        self.servers["s1"].hanging = True
        connecting = self.connect()
        connecting.cancel()
        self.failureResultOf(connecting)
        self.assertEqual([host for host, _ in self.dialed], ["s1"])
