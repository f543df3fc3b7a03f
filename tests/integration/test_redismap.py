"""
The Redis mapper beside real servers.
"""

from __future__ import annotations

import signal
from pathlib import Path

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import deferLater

from emperor.config.redisurl import parse_redis_url
from emperor.proxy.redismap import RedisMap, redis_map
from emperor.routing.mapping import MapperBroken, MapperUnavailable
from tests.integration.programs import (
    DEADLINE,
    LOOK,
    ProgramsTestCase,
    free_port,
    reactor,
)
from tests.integration.redisservers import Authority, Redis, sentinel

A = "127.0.0.1:3031"
B = "127.0.0.1:3032"

#: All that a user of the mapper has to be allowed.
ACL = (
    *("--user", "default", "on", "nopass", "~*", "&*", "+@all"),
    *("--user", "router", "on", ">pass word", "resetkeys", "%R~site:*", "resetchannels"),
    *("&__keyspace@0__:site:*", "&changed", "-@all", "+getrange", "+ping", "+select"),
    *("+subscribe", "+psubscribe"),
)


class MapperTestCase(ProgramsTestCase):
    """
    What the tests do with a mapper.
    """

    async def redis(self, *options: str | Path, name: str = "redis") -> Redis:
        redis = Redis(self, name, *options)
        await redis.start()
        return redis

    async def make(self, url: str) -> RedisMap:
        mapper = redis_map(parse_redis_url(url), reactor, gracetime=30)
        self.addCleanup(mapper.stop)
        await maybeDeferred(mapper.start)
        return mapper

    async def ask(self, mapper: RedisMap, key: str = "a") -> str | None:
        found = mapper.lookup(key)
        pool = await found if isinstance(found, Deferred) else found
        node = pool.pick(0, ()) if pool else None
        return str(node.address) if node else None

    async def refusal(
        self, mapper: RedisMap, key: str = "a", kind: type[Exception] = MapperUnavailable
    ) -> str:
        error = await self.assertFailure(maybeDeferred(mapper.lookup, key), kind)
        return str(error)

    async def refused(self, mapper: RedisMap, expected: str) -> None:
        """
        Ask for what is not known until the reason is the one that is expected.
        """
        end = reactor.seconds() + DEADLINE
        told = ""
        while expected not in told and reactor.seconds() < end:
            told = await self.refusal(mapper, "b")
            await deferLater(reactor, LOOK)
        self.assertIn(expected, told)

    async def until(self, mapper: RedisMap, expected: str | None, key: str = "a") -> None:
        """
        Ask until the node is the one that is expected.
        """
        end = reactor.seconds() + DEADLINE
        told: object = self
        while told != expected and reactor.seconds() < end:
            try:
                told = await self.ask(mapper, key)
            except MapperUnavailable as error:
                told = error
            await deferLater(reactor, LOOK)
        self.assertEqual(told, expected)


class RedisMapTests(MapperTestCase):
    """
    One mapper at one server.
    """

    async def test_notices(self) -> None:
        """
        A user with few rights, over a UNIX socket: values, and a change that is
        seen at once.
        """
        redis = await self.redis("--notify-keyspace-events", "KA", *ACL)
        await redis.command("SET", "site:a", A)
        await redis.command("RPUSH", "site:list", A)
        url = f"redis+unix://router:pass%20word@{redis.path}?prefix=site:&ttl=600&negative-ttl=600"
        mapper = await self.make(url)
        self.assertEqual(await self.ask(mapper), A)
        self.assertIsNone(await self.ask(mapper, "b"))
        self.assertIn("no string", await self.refusal(mapper, "list", MapperBroken))
        await redis.command("SET", "site:a", B)
        await self.until(mapper, B)
        await redis.command("SET", "site:b", A)
        await self.until(mapper, A, "b")
        await redis.command("DEL", "site:a")
        await self.until(mapper, None)

    async def test_channel(self) -> None:
        """
        Where the server sends no notices, whoever changes a key says so.
        """
        redis = await self.redis(*ACL)
        await redis.command("SET", "site:a", A)
        url = f"redis://router:pass%20word@127.0.0.1:{redis.port}/?prefix=site:&channel=changed"
        mapper = await self.make(url)
        self.assertEqual(await self.ask(mapper), A)
        for told, address in (("a", B), ("*", A)):
            await redis.command("SET", "site:a", address)
            await redis.command("PUBLISH", "changed", told)
            await self.until(mapper, address)

    async def test_restart(self) -> None:
        """
        While the server is away what is known goes on serving; it is asked
        again when it is back.
        """
        redis = await self.redis()
        await redis.command("SET", "a", A)
        mapper = await self.make(f"redis://localhost:{redis.port}?ttl=0.01")
        self.assertEqual(await self.ask(mapper), A)
        await redis.stop()
        await self.until(mapper, A)
        await self.refused(mapper, "Connection refused")
        await redis.start()
        await redis.command("SET", "a", B)
        await self.until(mapper, B)

    async def test_frozen(self) -> None:
        """
        A server that does not answer costs one time-out, not one for each
        request.
        """
        redis = await self.redis()
        await redis.command("SET", "a", A)
        mapper = await self.make(f"redis://localhost:{redis.port}?ttl=0.01&timeout=0.5")
        self.assertEqual(await self.ask(mapper), A)
        redis.program.send(signal.SIGSTOP)
        self.addCleanup(redis.program.send, signal.SIGCONT)
        await deferLater(reactor, 0.02)
        self.assertEqual(await self.ask(mapper), A)
        begun = reactor.seconds()
        for _ in range(10):
            self.assertEqual(await self.ask(mapper), A)
        self.assertIn("does not answer", await self.refusal(mapper, "b"))
        self.assertLess(reactor.seconds() - begun, 0.4)
        redis.program.send(signal.SIGCONT)
        await self.until(mapper, None, "b")

    async def test_login(self) -> None:
        """
        A refused login is told, and not what was tried.
        """
        redis = await self.redis(*ACL)
        mapper = await self.make(f"redis://router:secret@127.0.0.1:{redis.port}")
        text = await self.refusal(mapper)
        self.assertIn("WRONGPASS", text)
        self.assertNotIn("secret", text)


class TLSTests(MapperTestCase):
    """
    A server that speaks TLS, and proves who it is.
    """

    async def serve(self, *names: str) -> tuple[str, Authority]:
        """
        Start a server whose certificate is for these hosts.

        @return: its URL with another name than these, and who has signed.
        """
        authority = Authority(self.place)
        certificate, key = authority.server(*names)
        port = free_port()
        redis = await self.redis(
            *("--tls-port", str(port), "--tls-auth-clients", "no"),
            *("--tls-cert-file", certificate, "--tls-key-file", key),
            *("--tls-ca-cert-file", authority.path),
        )
        await redis.command("SET", "a", A)
        return f"rediss://{{}}:{port}?ca={{}}", authority

    async def test_verified(self) -> None:
        """
        A host's name, and an address, that the certificate is for.
        """
        url, authority = await self.serve("localhost", "127.0.0.1")
        for host in ("localhost", "127.0.0.1"):
            mapper = await self.make(url.format(host, authority.path))
            self.assertEqual(await self.ask(mapper), A)

    async def test_another_name(self) -> None:
        """
        A certificate for another host is not accepted.
        """
        url, authority = await self.serve("redis.example")
        for host in ("localhost", "127.0.0.1"):
            mapper = await self.make(url.format(host, authority.path))
            self.assertIn("another name", await self.refusal(mapper))

    async def test_stranger(self) -> None:
        """
        Nor is one that nobody has signed whom we know; the system knows nobody
        of the test.
        """
        url, _ = await self.serve("localhost")
        stranger = Authority(self.place, "stranger")
        for wrong in (url.format("localhost", stranger.path), url.format("localhost", "")):
            mapper = await self.make(wrong.removesuffix("?ca="))
            self.assertIn("certificate verify failed", await self.refusal(mapper))

    async def test_no_tls(self) -> None:
        """
        A server that speaks none does not hang us up.
        """
        redis = await self.redis()
        mapper = await self.make(f"rediss://localhost:{redis.port}?timeout=1")
        self.assertIn("cannot be asked", await self.refusal(mapper))


class SentinelTests(MapperTestCase):
    """
    Two servers, and Sentinels that know which is the master.
    """

    async def test_failover(self) -> None:
        """
        The mapper follows the master; until there is one, what is known serves.
        """
        first = await self.redis("--notify-keyspace-events", "KA")
        second = await self.redis(
            *("--notify-keyspace-events", "KA", "--replicaof", f"127.0.0.1 {first.port}"),
            name="second",
        )
        await first.command("SET", "a", A)
        await second.says(A, "GET", "a")
        port = await sentinel(self, first)
        await first.says(str(second.port), "SENTINEL", "REPLICAS", "main", port=port)
        away = free_port()
        mapper = await self.make(f"redis-sentinel://127.0.0.1:{away},127.0.0.1:{port}/main?ttl=600")
        self.assertEqual(await self.ask(mapper), A)
        await first.stop()
        await self.refused(mapper, "cannot be asked")
        self.assertEqual(await self.ask(mapper), A)
        await second.says("master", "ROLE")
        await second.command("SET", "a", B)
        await self.until(mapper, B)
        await second.command("SET", "a", A)
        await self.until(mapper, A)
