"""
Tests for L{emperor.subscriptions.grants}.
"""

from __future__ import annotations

import os
import pwd

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.attributes import Attributes, Domain
from emperor.config.launchsettings import Grant
from emperor.routing.lookups import candidates
from emperor.subscriptions.grants import MOST_NAMED, Grants, name_of, uid_of

BLOG, SHOP = 1001, 1002
USERS = {"blog": BLOG, "shop": SHOP}

HOSTS = st.text("ab.:1/", max_size=12)


def uid(user: str) -> int | None:
    """
    A small machine's users.
    """
    return int(user) if user.isdecimal() else USERS.get(user)


def name(uid: int) -> str:
    """
    Their names.
    """
    return {number: name for name, number in USERS.items()}.get(uid, str(uid))


def grants(*rows: tuple[str, str]) -> Grants:
    """
    From users and their patterns.
    """
    return Grants([Grant(user, tuple(text.split(","))) for user, text in rows], uid, name)


class HasTests(SynchronousTestCase):
    def test_host(self) -> None:
        """
        A host is given in every spelling, with every port and path.
        """
        found = grants(("blog", "blog.test,other.test"), ("1002", "shop.test"))
        for key in ("blog.test", "BLOG.test.", "blog.test:8080", "blog.test/a/b", "other.test"):
            self.assertTrue(found.has(BLOG, key), key)
            self.assertFalse(found.has(SHOP, key), key)
        self.assertTrue(found.has(SHOP, "shop.test"))
        for key in ("xblog.test", "a.blog.test", ".blog.test", ".test", "test", "/blog.test", "."):
            self.assertFalse(found.has(BLOG, key), key)

    def test_below(self) -> None:
        """
        A domain is given with all hosts below it, and not itself.
        """
        found = grants(("blog", "*.blog.test"))
        for key in ("a.blog.test", "a.b.blog.test:80", ".blog.test", ".a.blog.test"):
            self.assertTrue(found.has(BLOG, key), key)
        for key in ("blog.test", "ablog.test", "a.blog.test.shop.test", ".test"):
            self.assertFalse(found.has(BLOG, key), key)

    def test_all(self) -> None:
        """
        One user may have all, and another one some of them too.
        """
        found = grants(("blog", "*"), ("shop", "shop.test"))
        for key in ("shop.test", ".test", "localhost", "[::1]:80"):
            self.assertTrue(found.has(BLOG, key), key)
        self.assertTrue(found.has(SHOP, "shop.test"))
        self.assertFalse(found.has(BLOG, ""))

    def test_unknown_user(self) -> None:
        """
        Who is not there has nothing.
        """
        self.assertFalse(grants(("nobody", "*")).has(BLOG, "blog.test"))

    @given(HOSTS, HOSTS)
    def test_nobody_gets_another_host(self, key: str, host: str) -> None:
        """
        Whatever key a user may announce for his host, it gets him the requests of
        no other one.
        """
        found = grants(("blog", "b.a"))
        if found.has(BLOG, key):
            reached = key in set(candidates(host.partition("/")[0], b"", dotsplit=True))
            self.assertTrue(not reached or found.has(BLOG, host), (key, host))


class PermitTests(SynchronousTestCase):
    def permit(self, *keys: str) -> tuple[list[str], tuple[str, ...]]:
        attributes = Attributes(tuple(map(Domain, keys)))
        found, told = grants(("blog", "blog.test")).permit(attributes, BLOG)
        return [domain.key for domain in found.domains], told

    def test_own(self) -> None:
        """
        Of what is a user's nothing is said.
        """
        self.assertEqual((["blog.test"], ()), self.permit("blog.test"))

    def test_others(self) -> None:
        """
        His other domains count, and the line that gives him the refused ones is
        told.
        """
        kept, (told,) = self.permit("Shop.test:80", "blog.test", ".below.test")
        self.assertEqual(["blog.test"], kept)
        self.assertEqual(
            "it is not announced for Shop.test:80, .below.test, which nobody gave to its user "
            "blog; if they are his, add: vassal-domains = blog:shop.test,*.below.test",
            told,
        )

    def test_many(self) -> None:
        """
        The sentence stays short.
        """
        _, (told,) = self.permit(*(f"{number}.test" for number in range(MOST_NAMED + 2)))
        self.assertIn("9.test and 2 more, which", told)
        self.assertNotIn("10.test", told)


class UserTests(SynchronousTestCase):
    def test_system(self) -> None:
        """
        Users are the system's, by name or number.
        """
        uid, name = os.getuid(), pwd.getpwuid(os.getuid()).pw_name
        self.assertEqual((uid, uid, name), (uid_of(name), uid_of(str(uid)), name_of(uid)))
        self.assertIsNone(uid_of("there is no such user"))
        self.assertEqual("3999999999", name_of(3999999999))
