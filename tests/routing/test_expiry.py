"""
When nodes fall silent, and when they are taken out.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.routing.outcomes import Expiry
from emperor.routing.roster import RegistrySettings
from emperor.routing.subscriptions import Registry
from tests.routing.nodes import announcement


class ExpiryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.registry = self.registry_of()

    def registry_of(self, **settings: Any) -> Registry:
        return Registry(RegistrySettings(**settings), lambda: 0)

    def say(self, name: str, now: float, **values: Any) -> None:
        self.registry.announce(announcement(f"/{name}" if name else "", **values), now)

    def serving(self, now: float = 0) -> set[str]:
        """
        Who gets requests.
        """
        pool = self.registry.lookup("a")
        if pool is None:
            return set()
        return {str(node.address)[1:] for _ in range(9) if (node := pool.pick(now, ()))}

    def test_tolerance(self) -> None:
        """
        A node is heard of for the tolerance, to the second.
        """
        self.registry = self.registry_of(keep_last=0)
        self.say("x", 100)
        self.assertEqual(self.registry.expire(117), [])
        self.assertEqual(self.registry.expire(117.5), [Expiry("a", "/x", 17.5)])
        self.assertTrue(self.registry.is_empty)
        self.assertEqual(self.registry.expire(200), [])

    def test_refreshed(self) -> None:
        """
        A node that announces itself stays.
        """
        for now in range(0, 100, 10):
            self.say("x", now)
            self.assertEqual(self.registry.expire(now), [])
        self.assertEqual(self.serving(), {"x"})

    def test_one_silent(self) -> None:
        """
        A silent node gets no requests while another one is heard of, and is
        taken out in the end.
        """
        self.say("x", 0)
        self.say("y", 10)
        self.registry.expire(18)
        self.assertEqual(self.serving(), {"y"})
        self.say("y", 20)
        self.say("y", 30)
        self.say("y", 40)
        self.assertEqual(self.registry.expire(48), [])
        self.assertEqual(self.registry.expire(48.5), [Expiry("a", "/x", 48.5)])
        self.assertEqual(self.serving(), {"y"})

    def test_all_silent(self) -> None:
        """
        If all are silent, all of them serve for a while; then the pool is gone.
        """
        self.say("x", 0)
        self.say("y", 8)
        self.registry.expire(18)
        self.registry.expire(26)
        self.assertEqual(self.serving(), {"x", "y"})
        self.registry.expire(50)
        self.assertEqual(self.serving(), {"y"})
        self.assertEqual(len(self.registry.expire(57)), 1)
        self.assertTrue(self.registry.is_empty)

    def test_heard_again(self) -> None:
        """
        One that is heard of again serves, and those that are still silent do
        not.
        """
        self.say("x", 0)
        self.say("y", 0)
        self.registry.expire(18)
        self.say("x", 19)
        self.assertEqual(self.serving(), {"x"})
        self.say("y", 20)
        self.assertEqual(self.serving(), {"x", "y"})

    def test_silent_again(self) -> None:
        """
        One that was heard of again has the tolerance from then on, and no more.
        """
        self.say("x", 0)
        self.registry.expire(18)
        self.say("x", 19)
        self.say("y", 30)
        self.registry.expire(36.5)
        self.assertEqual(self.serving(), {"y"})

    def test_stopped_clock(self) -> None:
        """
        If this process did not run for long, nodes have their time from then.
        """
        self.say("x", 0)
        self.assertEqual(self.registry.expire(1000), [])
        self.assertEqual(self.serving(), {"x"})
        self.assertEqual(len(self.registry.expire(1031)), 1)

    def test_sleepers(self) -> None:
        """
        A sleeping vassal has a tolerance of its own.
        """
        self.registry = self.registry_of(tolerance_inactive=5)
        self.say("", 0, vassal="v")
        self.say("x", 0)
        self.assertEqual(self.registry.expire(5), [])
        self.assertEqual(self.registry.expire(5.5), [Expiry("a", "v", 5.5)])
        self.assertFalse(self.registry.is_empty)
        self.say("", 6, vassal="v")
        self.say("", 8, vassal="w")
        self.assertEqual(len(self.registry.expire(11.5)), 1)
        self.assertEqual(len(self.registry.expire(13.5)), 1)

    @given(st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 40)), max_size=30))
    def test_model(self, steps: list[tuple[str, int]]) -> None:
        """
        Nodes come, fall silent and go as in a plain model that looks at each.
        """
        self.setUp()
        now = 0
        heard: dict[str, int] = {}
        silent_since: dict[str, int] = {}
        for name, wait in steps:
            now += wait
            expected = set()
            for node, last in list(heard.items()):
                if node in silent_since and now - silent_since[node] > 30:
                    del heard[node], silent_since[node]
                    expected.add("/" + node)
                elif node not in silent_since and now - last > 17:
                    silent_since[node] = now
            gone = self.registry.expire(now)
            self.assertEqual({expiry.node for expiry in gone}, expected)
            fresh = set(heard) - set(silent_since)
            self.assertEqual(self.serving(), fresh or set(heard))
            self.say(name, now)
            heard[name] = now
            silent_since.pop(name, None)
