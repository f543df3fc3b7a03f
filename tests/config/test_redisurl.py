"""
URLs of Redis.
"""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.redisurl import RedisSource, parse_redis_url
from emperor.config.values import BadValue

_SIGNS = st.text(alphabet=":/@?#&=,[]%.redis+-0a9 \u00e9", max_size=40)


class URLTests(SynchronousTestCase):
    def refusal(self, text: str) -> str:
        return str(self.assertRaises(BadValue, parse_redis_url, text))

    def test_least(self) -> None:
        """
        A host is enough.
        """
        source = RedisSource(hosts=(("cache", 6379),))
        for text in ("redis://cache", "redis://cache/", "REDIS://cache/0", "redis://cache/0/"):
            self.assertEqual(parse_redis_url(text), source, text)
        self.assertEqual(str(source), "Redis at cache:6379")

    def test_whole(self) -> None:
        """
        All parts of a URL.
        """
        text = (
            "rediss://us%40er:p%2F:w@[::1]:1/7?prefix=a%3A&channel=c&ca=/etc/ca.pem&ttl=1.5"
            "&negative-ttl=0&cache-size=9&timeout=0.5&waiting=3"
        )
        source = RedisSource(
            hosts=(("::1", 1),),
            db=7,
            tls=True,
            username="us@er",
            password="p/:w",
            prefix="a:",
            channel="c",
            ca="/etc/ca.pem",
            ttl=1.5,
            negative_ttl=0,
            cache_size=9,
            timeout=0.5,
            waiting=3,
        )
        self.assertEqual(parse_redis_url(text), source)
        self.assertEqual(str(source), "Redis at [::1]:1")

    def test_password_alone(self) -> None:
        """
        Older servers know a password and no users.
        """
        source = parse_redis_url("redis://:secret@cache")
        self.assertEqual((source.username, source.password), ("", "secret"))

    def test_unix(self) -> None:
        """
        A path has its database behind the question mark.
        """
        source = parse_redis_url("redis+unix://:secret@/run/redis.sock?db=3")
        self.assertEqual((source.path, source.db), ("/run/redis.sock", 3))
        self.assertEqual(str(source), "Redis at /run/redis.sock")
        self.assertIn("three slashes", self.refusal("redis+unix://run/redis.sock"))
        self.assertIn("three slashes", self.refusal("redis+unix:///"))

    def test_sentinels(self) -> None:
        """
        Several Sentinels, then the service, then the database.
        """
        source = parse_redis_url("rediss-sentinel://a,b:2/main/5?prefix=x")
        self.assertEqual(source.hosts, (("a", 26379), ("b", 2)))
        self.assertEqual((source.service, source.db, source.tls), ("main", 5, True))
        self.assertEqual(str(source), "Redis main of the Sentinels a:26379,b:2")
        self.assertIn("service is missing", self.refusal("redis-sentinel://a,b"))

    def test_refused(self) -> None:
        """
        What is wrong is named, with what is accepted.
        """
        for text, part in (
            ("cache", "redis://"),
            ("http://cache", "accepted: redis://"),
            ("redis://", "accepted: NAME:PORT"),
            ("redis://a,b", "accepted: NAME:PORT"),
            ("redis://a:0", "from 1 to 65535"),
            ("redis://a:65536", "from 1 to 65535"),
            ("redis://a:b", "from 1 to 65535"),
            ("redis://[::1", "accepted: NAME:PORT"),
            ("redis://::1", "accepted: NAME:PORT"),
            ("redis://a/b", "'b' is no number"),
            ("redis://user@a", "without a password"),
            ("redis://a#b", "%23"),
            ("redis://a?prefix", "NAME=VALUE"),
            ("redis://a?colour=red", "does not know 'colour' behind the ?; accepted: prefix"),
            ("redis://a?db=1", "does not know 'db'"),
            ("redis://a?ca=/x", "does not know 'ca'"),
            ("redis://a?ttl=1&ttl=2", "has ttl twice"),
            ("redis://a?ttl=long", "ttl: 'long' is no time"),
            ("redis://a?cache-size=0", "cache-size: 0 is out of range"),
            ("redis://:%ff@a", "not UTF-8"),
            ("redis://a?prefix=%ff", "NAME=VALUE"),
        ):
            self.assertIn(part, self.refusal(text), text)

    def test_secret(self) -> None:
        """
        No password is shown, also none that ends where it should not.
        """
        for password in ("hidden", "hid/den", "hid?den", "hid#den", "hid:den", "1/den", "1?den"):
            text = f"redis://user:{password}@cache/x/y"
            self.assertNotIn("den", self.refusal(text), text)
        source = parse_redis_url("redis://user:hidden@cache")
        self.assertNotIn("hidden", f"{source} {source!r}")

    @given(_SIGNS)
    @example("redis://[]:1")
    @example("redis://a:٣")
    @example("redis://a:" + "9" * 5000)
    def test_any(self, text: str) -> None:
        """
        Any text is a source or refused.
        """
        for whole in (text, "redis://" + text, "redis-sentinel://" + text, "redis+unix://" + text):
            try:
                source = parse_redis_url(whole)
            except BadValue:
                continue
            self.assertTrue(source.hosts or source.path)
            self.assertTrue(all(host and 0 < port < 65536 for host, port in source.hosts))
