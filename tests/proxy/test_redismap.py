"""
Keys whose nodes a Redis knows.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.config.redisurl import RedisSource, parse_redis_url
from emperor.interfaces import IKeyMapper
from emperor.proxy.redislink import PING_INTERVAL
from emperor.proxy.redismap import VALUE_LIMIT, RedisMap, redis_map
from emperor.routing.mapping import MapperBroken, MapperUnavailable
from emperor.routing.pools import Pool
from tests.proxy.redispeer import FakeRedis, array

URL = "redis://cache.test/0?prefix=site:&ttl=60&negative-ttl=5&timeout=2"
A = b"127.0.0.1:3031"
B = b"127.0.0.1:3032"


def nodes(pool: Pool | None, count: int = 1) -> list[str] | None:
    """
    The addresses that requests get in turn.
    """
    if pool is None:
        return None
    picked = [pool.pick(0, ()) for _ in range(count)]
    return [f"{node.address},{node.modifier1}" for node in picked if node is not None]


class RedisMapTestCase(SynchronousTestCase):
    url = URL

    def setUp(self) -> None:
        self.clock = Clock()
        self.redis = FakeRedis(self.clock)
        self.redis.values[b"site:a"] = A

    def make(self, url: str = "", *, settle: bool = True) -> RedisMap:
        source = parse_redis_url(url or self.url)
        mapper = RedisMap(source, self.redis, self.clock, gracetime=30, pause=lambda failures: 1)
        self.started = mapper.start()
        if settle:
            self.advance()
        return mapper

    def advance(self, seconds: float = 0) -> None:
        """
        Let what is due happen, and what follows from it at once.
        """
        self.clock.pump([seconds, *[0] * 20])

    def ask(self, mapper: RedisMap, key: str = "a", count: int = 1) -> list[str] | None:
        found = mapper.lookup(key)
        if isinstance(found, Deferred):
            self.advance()
            found = self.successResultOf(found)
        return nodes(found, count)

    def refusal(
        self, mapper: RedisMap, kind: type[Exception] = MapperUnavailable, key: str = "a"
    ) -> str:
        try:
            found = mapper.lookup(key)
        except kind as error:
            return str(error)
        assert isinstance(found, Deferred), f"{found} was known"
        self.advance()
        return str(self.failureResultOf(found, kind).value)

    def questions(self) -> int:
        return self.redis.count(b"GETRANGE")


class ValueTests(RedisMapTestCase):
    def test_interface(self) -> None:
        """
        It is a mapper.
        """
        verifyObject(IKeyMapper, self.make())

    def test_found(self) -> None:
        """
        A key's value is its node, with a modifier if there is one.
        """
        self.redis.values[b"site:b"] = b"/run/b.sock,5"
        mapper = self.make()
        self.assertEqual(self.ask(mapper), ["127.0.0.1:3031,0"])
        self.assertEqual(self.ask(mapper, "b"), ["/run/b.sock,5"])

    def test_unknown(self) -> None:
        """
        A key that is not there is unknown.
        """
        self.assertIsNone(self.ask(self.make(), "b"))

    def test_turns(self) -> None:
        """
        Several nodes take turns, also when the value was read anew.
        """
        self.redis.values[b"site:a"] = A + b"|" + B
        mapper = self.make()
        self.assertEqual(self.ask(mapper, count=1), ["127.0.0.1:3031,0"])
        self.advance(61)
        self.assertEqual(self.ask(mapper, count=2), ["127.0.0.1:3032,0", "127.0.0.1:3031,0"])
        self.assertEqual(self.questions(), 2)

    def test_no_sense(self) -> None:
        """
        A bad value names the key, itself and what is accepted, each time.
        """
        self.redis.values[b"site:a"] = b"127.0.0.1:http"
        mapper = self.make()
        for _ in range(2):
            text = self.refusal(mapper, MapperBroken)
            for part in ("'site:a'", "cache.test:6379", "'127.0.0.1:http'", "accepted: ADDRESS"):
                self.assertIn(part, text)
        self.assertEqual(self.questions(), 1)

    def test_too_long(self) -> None:
        """
        A long value is not read to its end, and is no node.
        """
        self.redis.values[b"site:a"] = b"x" * (VALUE_LIMIT + 10)
        text = self.refusal(self.make(), MapperBroken)
        self.assertIn(f"longer than {VALUE_LIMIT} bytes", text)
        self.assertLess(len(text), 400)

    def test_no_string(self) -> None:
        """
        A list or a hash is no node.
        """
        self.redis.errors[b"GETRANGE"] = "WRONGTYPE Operation against a key"
        self.assertIn("'site:a'", self.refusal(self.make(), MapperBroken))


class MemoryTests(RedisMapTestCase):
    def test_remembered(self) -> None:
        """
        What is known is told without a Deferred, until its time is over.
        """
        mapper = self.make()
        self.ask(mapper)
        self.redis.values[b"site:a"] = B
        self.advance(59)
        pool = mapper.lookup("a")
        assert not isinstance(pool, Deferred)
        self.assertEqual(nodes(pool), ["127.0.0.1:3031,0"])
        self.advance(2)
        self.assertEqual(self.ask(mapper), ["127.0.0.1:3032,0"])

    def test_unknown_remembered(self) -> None:
        """
        So is an unknown key, for a shorter time.
        """
        mapper = self.make()
        self.ask(mapper, "b")
        self.redis.values[b"site:b"] = B
        self.assertIsNone(mapper.lookup("b"))
        self.advance(6)
        self.assertEqual(self.ask(mapper, "b"), ["127.0.0.1:3032,0"])

    def test_shared(self) -> None:
        """
        Requests for one key share one question; one may lose its interest.
        """
        mapper = self.make()
        first, second, third = (mapper.lookup("a") for _ in range(3))
        assert isinstance(first, Deferred)
        assert isinstance(second, Deferred)
        assert isinstance(third, Deferred)
        second.cancel()
        self.failureResultOf(second, CancelledError)
        self.advance()
        self.assertIs(self.successResultOf(first), self.successResultOf(third))
        self.assertEqual(self.questions(), 1)

    def test_pipelined(self) -> None:
        """
        Replies that come at once are all read.
        """
        self.redis.values[b"site:b"] = B
        mapper = self.make()
        self.redis.silent = True
        found = [mapper.lookup(key) for key in ("a", "b")]
        peer = next(peer for peer in self.redis.peers if not peer.subscriptions)
        peer.send(b"$14\r\n127.0.0.1:3031\r\n$14\r\n127.0.0.1:3032\r\n")
        self.advance()
        told = [self.successResultOf(one) for one in found if isinstance(one, Deferred)]
        self.assertEqual(
            [nodes(pool) for pool in told], [["127.0.0.1:3031,0"], ["127.0.0.1:3032,0"]]
        )


class NoticeTests(RedisMapTestCase):
    def test_keyspace(self) -> None:
        """
        A change is seen with the next request.
        """
        mapper = self.make()
        self.assertIn([b"PSUBSCRIBE", b"__keyspace@0__:site:*"], self.redis.asked)
        self.ask(mapper)
        self.redis.values[b"site:a"] = B
        self.redis.publish(b"__keyspace@0__:site:a", b"set")
        self.assertEqual(self.ask(mapper), ["127.0.0.1:3032,0"])

    def test_prefix_is_no_pattern(self) -> None:
        """
        Signs in the prefix mean themselves.
        """
        self.make("redis://cache.test/3?prefix=a*[b]\\")
        self.assertIn([b"PSUBSCRIBE", rb"__keyspace@3__:a\*\[b\]\\*"], self.redis.asked)

    def test_miss(self) -> None:
        """
        The notice of our own question for a key that is not there changes
        nothing.
        """
        mapper = self.make()
        self.ask(mapper, "b")
        self.redis.publish(b"__keyspace@0__:site:b", b"keymiss")
        self.assertIsNone(mapper.lookup("b"))

    def test_other(self) -> None:
        """
        The notice of one key leaves the others.
        """
        mapper = self.make()
        self.ask(mapper)
        self.redis.publish(b"__keyspace@0__:site:b", b"set")
        self.assertNotIsInstance(mapper.lookup("a"), Deferred)

    def test_channel(self) -> None:
        """
        On a channel of one's own, a message is a key, with or without its
        prefix, or a star for all keys.
        """
        mapper = self.make(URL + "&channel=changed")
        self.assertEqual(self.redis.count(b"PSUBSCRIBE"), 0)
        for message in (b"a", b"site:a", b"*"):
            self.ask(mapper)
            self.redis.publish(b"changed", message)
            self.assertIsInstance(mapper.lookup("a"), Deferred, message)
            self.advance()

    def test_under_way(self) -> None:
        """
        An answer that was under way when its key changed is given to who asked
        before, to nobody else, and not remembered.
        """
        mapper = self.make()
        self.redis.mute.add(b"GETRANGE")
        first = mapper.lookup("a")
        self.redis.publish(b"__keyspace@0__:site:a", b"set")
        self.advance()
        self.redis.values[b"site:a"] = B
        second = mapper.lookup("a")
        self.redis.catch_up()
        self.advance()
        assert isinstance(first, Deferred)
        assert isinstance(second, Deferred)
        self.assertEqual(nodes(self.successResultOf(first)), ["127.0.0.1:3031,0"])
        self.assertEqual(nodes(self.successResultOf(second)), ["127.0.0.1:3032,0"])
        self.assertEqual(self.ask(mapper), ["127.0.0.1:3032,0"])

    def test_in_doubt(self) -> None:
        """
        An answer that was under way when notices began is asked for again.
        """
        self.redis.errors[b"PSUBSCRIBE"] = "NOPERM this user has no permissions"
        mapper = self.make()
        self.redis.errors.clear()
        self.redis.mute.add(b"GETRANGE")
        found = mapper.lookup("a")
        self.advance(1)
        self.redis.catch_up()
        self.advance()
        assert isinstance(found, Deferred)
        self.assertEqual(nodes(self.successResultOf(found)), ["127.0.0.1:3031,0"])
        self.assertEqual(self.ask(mapper), ["127.0.0.1:3031,0"])
        self.assertEqual(self.questions(), 2)

    def test_in_doubt_and_away(self) -> None:
        """
        Such an answer serves on if nobody can be asked any more.
        """
        self.redis.errors[b"PSUBSCRIBE"] = "NOPERM this user has no permissions"
        mapper = self.make()
        self.redis.errors.clear()
        self.redis.mute.add(b"GETRANGE")
        mapper.lookup("a")
        self.advance(1)
        self.redis.catch_up()
        self.redis.leave()
        self.assertEqual(self.ask(mapper), ["127.0.0.1:3031,0"])

    def test_missed(self) -> None:
        """
        When notices may have been missed, every key is asked for again.
        """
        mapper = self.make()
        self.ask(mapper)
        next(peer for peer in self.redis.peers if peer.subscriptions).lose()
        self.assertNotIsInstance(mapper.lookup("a"), Deferred)
        self.advance(1)
        self.assertIsInstance(mapper.lookup("a"), Deferred)
        self.advance()

    def test_forbidden(self) -> None:
        """
        Without the right to notices, keys are mapped all the same.
        """
        self.redis.errors[b"PSUBSCRIBE"] = "NOPERM this user has no permissions"
        self.assertEqual(self.ask(self.make()), ["127.0.0.1:3031,0"])


class AwayTests(RedisMapTestCase):
    def test_start(self) -> None:
        """
        It has started when it is connected; a request before that waits.
        """
        mapper = self.make(settle=False)
        assert self.started is not None
        self.assertNoResult(self.started)
        found = mapper.lookup("a")
        assert isinstance(found, Deferred)
        self.advance()
        self.successResultOf(self.started)
        self.assertEqual(nodes(self.successResultOf(found)), ["127.0.0.1:3031,0"])

    def test_start_without(self) -> None:
        """
        It starts without a Redis too; then the reason is told, and what waited
        hears it.
        """
        self.redis.hanging = True
        mapper = self.make(settle=False)
        assert self.started is not None
        waiting = mapper.lookup("a")
        assert isinstance(waiting, Deferred)
        self.advance(2)
        self.successResultOf(self.started)
        self.failureResultOf(waiting, MapperUnavailable)
        self.assertEqual(
            self.refusal(mapper),
            "Redis at cache.test:6379 cannot be asked: it does not answer in time",
        )

    def test_away(self) -> None:
        """
        What is known goes on serving, however old; what is not is unavailable,
        also if it was unknown before; when the Redis is back all is as before.
        """
        mapper = self.make()
        self.ask(mapper)
        self.ask(mapper, "b")
        self.redis.leave()
        self.advance(1000)
        self.assertEqual(nodes(self.now(mapper, "a")), ["127.0.0.1:3031,0"])
        for key in ("b", "c"):
            self.assertIn("was refused", self.refusal(mapper, key=key))
        self.redis.failure = None
        self.redis.values[b"site:a"] = B
        self.advance(1)
        self.assertEqual(self.ask(mapper), ["127.0.0.1:3032,0"])

    def test_silent(self) -> None:
        """
        One that stops answering is given up after the time-out, and not waited
        for again.
        """
        mapper = self.make()
        self.ask(mapper)
        self.advance(61)
        self.redis.silent = True
        known, unknown = mapper.lookup("a"), mapper.lookup("b")
        assert isinstance(known, Deferred)
        assert isinstance(unknown, Deferred)
        self.advance(2)
        self.assertEqual(nodes(self.successResultOf(known)), ["127.0.0.1:3031,0"])
        text = str(self.failureResultOf(unknown, MapperUnavailable).value)
        self.assertIn("does not answer", text)
        self.assertEqual(nodes(self.now(mapper, "a")), ["127.0.0.1:3031,0"])
        self.refusal(mapper, key="b")
        self.redis.silent = False
        self.advance(4)
        self.assertIsNone(self.ask(mapper, "b"))

    def test_again_at_once(self) -> None:
        """
        Who asks again as soon as it is told of a failure hears of that, too.
        """
        mapper = self.make()
        self.redis.silent = True
        refused: list[str] = []

        def again(failure: Failure) -> Deferred[Pool | None]:
            refused.append(failure.getErrorMessage())
            found = mapper.lookup("a")
            assert isinstance(found, Deferred)
            if len(refused) < 3:
                found.addErrback(again)
            return found

        found = mapper.lookup("a")
        assert isinstance(found, Deferred)
        found.addErrback(again)
        self.advance(2)
        self.failureResultOf(found, MapperUnavailable)
        self.assertEqual(len(refused), 3)

    def test_ping(self) -> None:
        """
        Both connections notice a silent server though nobody asks.
        """
        mapper = self.make()
        self.advance(PING_INTERVAL)
        self.assertEqual(self.redis.count(b"PING"), 2 + 2)
        self.ask(mapper)
        self.redis.silent = True
        self.advance(PING_INTERVAL)
        self.advance(2)
        self.assertTrue(all(peer.lost for peer in self.redis.peers[:2]))

    def test_error(self) -> None:
        """
        An error of the server is told; what is known goes on serving.
        """
        mapper = self.make()
        self.ask(mapper)
        self.advance(61)
        self.redis.errors[b"GETRANGE"] = "LOADING Redis is loading the dataset in memory"
        self.assertEqual(self.ask(mapper), ["127.0.0.1:3031,0"])
        self.assertIn("LOADING", self.refusal(mapper, key="b"))

    def test_login(self) -> None:
        """
        User and password are said first; a wrong one is told, without it, and
        tried again.
        """
        self.redis.login = (b"me", b"pass word")
        mapper = self.make("redis://me:pass%20word@cache.test/4?prefix=site:")
        self.assertEqual(self.ask(mapper), ["127.0.0.1:3031,0"])
        self.assertEqual(self.redis.asked[0], [b"AUTH", b"me", b"pass word"])
        self.assertIn([b"SELECT", b"4"], self.redis.asked)
        wrong = self.make("redis://:secret@cache.test/?prefix=site:")
        text = self.refusal(wrong)
        self.assertIn("WRONGPASS", text)
        self.assertNotIn("secret", text)
        self.redis.login = (b"secret",)
        self.advance(1)
        self.assertEqual(self.ask(wrong), ["127.0.0.1:3031,0"])

    def test_no_master(self) -> None:
        """
        Behind Sentinels only a master will do.
        """
        self.redis.role = b"slave"
        mapper = self.make("redis-sentinel://cache.test/main?prefix=site:")
        self.assertIn("it is no master", self.refusal(mapper))
        self.redis.role = b"master"
        self.advance(1)
        self.assertEqual(self.ask(mapper), ["127.0.0.1:3031,0"])

    def test_garbage(self) -> None:
        """
        A server that sends too much, or what nobody asked for, is left.
        """
        for garbage in (b"$999999999\r\n", b"*99999999999\r\n", b"+OK\r\n", array(b"message", b"")):
            mapper = self.make()
            peer = [peer for peer in self.redis.peers if not peer.subscriptions][-1]
            peer.send(garbage)
            self.advance()
            self.assertTrue(peer.aborted, garbage)
            self.assertIn("it sent", self.refusal(mapper))
            self.advance(1)
            self.assertEqual(self.ask(mapper), ["127.0.0.1:3031,0"])

    def now(self, mapper: RedisMap, key: str) -> Pool | None:
        found = mapper.lookup(key)
        assert not isinstance(found, Deferred)
        return found


class BoundTests(RedisMapTestCase):
    def test_waiting(self) -> None:
        """
        So many may wait and no more; one that gives up makes room.
        """
        mapper = self.make(URL + "&waiting=2")
        self.redis.silent = True
        found = [mapper.lookup(key) for key in ("a", "b")]
        self.assertIn("2 requests wait", self.refusal(mapper, key="c"))
        assert isinstance(found[0], Deferred)
        found[0].cancel()
        self.failureResultOf(found[0], CancelledError)
        self.ignore([found[1], mapper.lookup("c")])

    def test_stop(self) -> None:
        """
        What waits fails, connections end, and no timer is left.
        """
        mapper = self.make()
        self.redis.silent = True
        waiting = mapper.lookup("a")
        assert isinstance(waiting, Deferred)
        stopping = mapper.stop()
        self.assertIn("stopping", str(self.failureResultOf(waiting, MapperUnavailable).value))
        self.advance()
        self.successResultOf(stopping)
        self.assertTrue(all(peer.lost for peer in self.redis.peers))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIn("stopping", self.refusal(mapper))

    def test_stop_early(self) -> None:
        """
        It stops in every state of its connections.
        """
        for failure, hanging, silent in (
            (ConnectionRefusedError(), False, False),
            (None, True, False),
            (None, False, True),
        ):
            self.redis.failure, self.redis.hanging, self.redis.silent = failure, hanging, silent
            mapper = self.make()
            stopping = mapper.stop()
            self.advance()
            self.successResultOf(stopping)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def ignore(self, found: Sequence[object]) -> None:
        self.advance(2)
        for one in found:
            assert isinstance(one, Deferred)
            self.failureResultOf(one, MapperUnavailable)


class MakeTests(SynchronousTestCase):
    def test_made(self) -> None:
        """
        A mapper is made from settings alone.
        """
        verifyObject(IKeyMapper, redis_map(RedisSource(hosts=(("::1", 1),)), Clock(), 30))
