"""
Announcements in, pools out.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import NamedAddress, UnixAddress
from emperor.routing.members import Member
from emperor.routing.outcomes import Outcome, Result
from emperor.routing.roster import RegistrySettings
from emperor.routing.snapshots import BadSnapshot
from emperor.routing.subscribed import SubscribedPool
from emperor.routing.subscriptions import FORGOTTEN, RESTORED, Registry
from emperor.wire.subscription import Announcement
from tests.routing.nodes import announcement, taken


class Case(SynchronousTestCase):
    """
    A registry and short ways to talk to it.
    """

    def setUp(self) -> None:
        self.registry = self.registry_of()

    def registry_of(self, **settings: Any) -> Registry:
        return Registry(RegistrySettings(**settings), lambda: 0)

    def say(self, address: str = "/x", now: float = 0, **values: Any) -> Outcome:
        return self.registry.announce(announcement(address, **values), now)

    def leave(self, address: str = "/x", **values: Any) -> Outcome:
        return self.say(address, leaving=True, **values)

    def pool(self, key: str = "a") -> SubscribedPool:
        pool = self.registry.lookup(key)
        assert pool is not None
        return pool

    def nodes(self, key: str = "a") -> list[str]:
        """
        The addresses in a pool.
        """
        return [str(address) for address in self.pool(key).members]


class AnnounceTests(Case):
    def test_life(self) -> None:
        """
        Each announcement has its result.
        """
        self.assertEqual(self.say("/x", key="A."), Outcome(Result.NEW_POOL, "a"))
        self.assertEqual(self.say("/y"), Outcome(Result.NEW_NODE, "a"))
        self.assertEqual(self.say("/x"), Outcome(Result.REFRESHED, "a"))
        self.assertEqual(self.nodes(), ["/x", "/y"])
        self.assertEqual(self.leave("/x"), Outcome(Result.LEFT, "a"))
        self.assertEqual(self.leave("/x"), Outcome(Result.UNKNOWN, "a"))
        self.assertEqual(self.nodes(), ["/y"])
        self.assertEqual(self.leave("/y"), Outcome(Result.LEFT, "a"))
        self.assertEqual(self.leave("/y"), Outcome(Result.UNKNOWN, "a"))
        self.assertIsNone(self.registry.lookup("a"))

    def test_find(self) -> None:
        """
        A pool can be had without a request.
        """
        self.say("/x", key="a")
        found = self.registry.find("a")
        assert found is not None
        self.assertEqual((found.key, found.hits), ("a", 0))
        self.assertIsNone(self.registry.find("b"))

    def test_one_node(self) -> None:
        """
        Two spellings of an address are one node; two pools may share it.
        """
        self.say("[::1]:80")
        self.assertIs(self.say("[0:0::1]:080").result, Result.REFRESHED)
        self.assertIs(self.say("[::1]:80", key="b").result, Result.NEW_POOL)
        self.leave("[::1]:80")
        self.assertEqual(self.nodes("b"), ["[::1]:80"])

    def test_refresh(self) -> None:
        """
        A refresh brings the node's values up to date, and those of the pool.
        """
        self.say("/x", 0)
        node = self.pool().pick(0, ())
        assert node is not None
        latest = announcement(
            "/x",
            modifier1=5,
            modifier2=6,
            weight=7,
            backup=1,
            cores=8,
            load=9,
            algorithm="lrc",
            notify="/n",
        )
        self.registry.announce(latest, 9)
        self.assertIs(self.pool().pick(9, ()), node)
        self.assertEqual((node.modifier1, node.modifier2, node.weight), (5, 6, 7))
        self.assertEqual((node.backup, node.announcement), (1, latest))
        self.assertEqual(self.pool().algorithm.name, "lrc")

    def test_backup(self) -> None:
        """
        A node that becomes a backup gets no requests while another one serves.
        """
        self.say("/x")
        self.say("/y")
        self.say("/y", backup=1)
        picked = {str(node.address) for _ in range(4) if (node := self.pool().pick(0, ()))}
        self.assertEqual(picked, {"/x"})

    def test_left_and_back(self) -> None:
        """
        A node in quarantine stays there whatever it announces; one that left and
        comes again begins anew.
        """
        self.say("/x")
        self.say("/y")
        pool = self.pool()
        node = next(iter(pool.members.values()))
        pool.failed(node, 0)
        self.say("/x", 0.1)
        self.assertEqual(node.health.failures, 1)
        self.leave("/x")
        self.say("/x", 0.2)
        self.assertEqual([m.health.failures for m in pool.members.values()], [0, 0])

    def test_refused(self) -> None:
        """
        What cannot be a node is refused with the reason, and changes nothing.
        """
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"key": ""}, "1 to 255"),
            ({"key": "a" * 256}, "1 to 255"),
            ({"address": ""}, "no address"),
            ({"address": "not an address"}, "accepted: :port, ip:port"),
            ({"address": "127.0.0.1"}, "accepted: :port, ip:port"),
            ({"address": "run/a.sock"}, "accepted: :port, ip:port"),
            ({"address": "1.2.3.4:0"}, "port 0"),
            ({"address": "app.test:0"}, "port 0"),
            ({"address": "tls://app.test:0"}, "port 0"),
            ({"address": "1.2.3.4:99999"}, "no port"),
            ({"address": "/" + "x" * 200}, "at most 107"),
        ]
        for values, reason in wrong:
            for leaving in (False, True):
                outcome = self.say(**{"leaving": leaving, **values})
                self.assertIs(outcome.result, Result.REFUSED)
                self.assertIn(reason, outcome.reason)
        self.assertTrue(self.registry.is_empty)

    def test_hops(self) -> None:
        """
        The latest announcement tells the way, and the place behind the direct
        ones; both are known after a restart.
        """
        way = ("b" * 16,)
        self.registry.announce(announcement("/x"), 0, way)
        self.say("/y")
        [pool] = self.registry.pools
        self.assertEqual([member.hops for member in pool.members.values()], [way, ()])
        picked = {str(member.address) for _ in range(4) if (member := pool.pick(0, ()))}
        self.assertEqual(picked, {"/y"})
        restarted = Registry(RegistrySettings())
        restarted.restore(taken(self.registry.snapshot(1)), 1)
        [pool] = restarted.pools
        self.assertEqual([member.hops for member in pool.members.values()], [way, ()])
        restarted.announce(announcement("/x"), 2)
        picked = {str(member.address) for _ in range(4) if (member := pool.pick(2, ()))}
        self.assertEqual(picked, {"/x", "/y"})

    def test_names(self) -> None:
        """
        A node may have a name, which is looked up when it is dialed.
        """
        self.say("App.test:3031")
        [found] = self.registry.pools
        self.assertEqual(list(found.members), [NamedAddress("app.test", 3031)])
        self.say("app.test:3031", leaving=True)
        self.assertTrue(self.registry.is_empty)

    def test_protocol(self) -> None:
        """
        A node that does not speak uwsgi is refused: it would not understand a
        request.  One that is known may leave in any language.
        """
        for values in ({}, {"vassal": "v", "clear": True}, {"vassal": "v", "address": ""}):
            outcome = self.registry.announce(announcement(protocol="http", **values), 0)
            self.assertIs(outcome.result, Result.REFUSED)
            self.assertIn("speaks http; accepted: uwsgi", outcome.reason)
        self.assertTrue(self.registry.is_empty)
        self.say("/x")
        self.assertIs(self.leave("/x", protocol="http").result, Result.LEFT)

    def test_greet(self) -> None:
        """
        Who greets hears of each node that is new in a pool, and finds it there.
        """
        heard: list[tuple[str, int]] = []
        self.registry.greet(lambda pool: heard.append((pool.key, len(pool.members))))
        self.say("", vassal="v")
        self.say("/x", vassal="v")
        self.say("/x", vassal="v")
        self.say("/y")
        self.say("/y", key="b")
        self.leave("/y")
        self.say("/y", protocol="http")
        self.assertEqual(heard, [("a", 1), ("a", 2), ("b", 1)])

    def test_checked(self) -> None:
        """
        The pools of a registry whose nodes are checked leave it to the checks when
        a node is well again.
        """
        for checked, back in ((False, True), (True, False)):
            self.registry = self.registry_of(checked=checked)
            self.say("/x")
            (node,) = self.pool().members.values()
            self.pool().failed(node, 0)
            self.assertEqual(node.health.may_serve(100), back)

    def test_full(self) -> None:
        """
        When there is no room, new nodes are refused and known ones stay.
        """
        self.registry = self.registry_of(nodes_limit=2)
        self.say("/x")
        self.say("/y")
        for values in ({}, {"key": "b"}, {"address": "", "vassal": "v"}):
            outcome = self.registry.announce(announcement(**{"address": "/z", **values}), 0)
            self.assertIs(outcome.result, Result.REFUSED)
            self.assertIn("2 nodes", outcome.reason)
        self.assertIs(self.say("/x").result, Result.REFRESHED)
        self.leave("/x")
        self.assertIs(self.say("/z").result, Result.NEW_NODE)
        self.assertEqual(len(self.registry.pools), 1)

    def test_unknown_algorithm(self) -> None:
        """
        A node that asks for what there is not is taken, with a remark.
        """
        outcome = self.say(algorithm="fastest")
        self.assertIs(outcome.result, Result.NEW_POOL)
        self.assertIn("wrr is used", outcome.reason)
        self.assertEqual(self.say(algorithm="fastest").reason, "")

    def test_watch(self) -> None:
        """
        Watchers hear when the first pool is there and when the last is gone.
        """
        heard: list[bool] = []
        self.registry.watch(heard.append)
        self.say("/x")
        self.say("/x", key="b")
        self.leave("/x")
        self.leave("/x", key="b")
        self.say("", vassal="v")
        self.registry.expire(100)
        self.assertEqual(heard, [False, True, False, True])


class PutTests(Case):
    """
    What another registry knows.
    """

    def put(self, address: str, **values: Any) -> None:
        self.registry.put(announcement(address), 100, **values)

    def test_new(self) -> None:
        """
        A node has here as much time left as it has there.
        """
        self.put("/x", age=3, left=5, silent=False)
        self.assertEqual(self.pool().members[UnixAddress(b"/x")].last_check, 97)
        self.registry.expire(105)
        self.assertEqual(self.nodes(), ["/x"])
        self.registry.expire(106)
        self.assertTrue(self.pool().members[UnixAddress(b"/x")].silent)

    def test_silent(self) -> None:
        """
        One that is silent there is silent here, and one that speaks again speaks.
        """
        self.put("/x", age=20, left=5, silent=True)
        self.put("/y", age=2, left=15, silent=False)
        for _ in range(3):
            self.assertEqual(str(self.picked().address), "/y")
        self.put("/x", age=1, left=16, silent=False)
        self.put("/y", age=20, left=5, silent=True)
        self.assertEqual(str(self.picked().address), "/x")

    def picked(self) -> Member:
        member = self.pool().pick(100, ())
        assert member is not None
        return member

    def test_refused(self) -> None:
        """
        What can be none is none here either.
        """
        self.put("x:y", age=0, left=5, silent=False)
        self.assertTrue(self.registry.is_empty)

    def test_serves(self) -> None:
        """
        A pool serves while there is a node that is awake.
        """
        self.assertFalse(self.registry.serves("a"))
        self.say("", vassal="v")
        self.assertFalse(self.registry.serves("a"))
        self.say("/x")
        self.assertTrue(self.registry.serves("a"))


class VassalTests(Case):
    def test_asleep(self) -> None:
        """
        A vassal without an address can be woken, and gets no requests.
        """
        self.assertIs(self.say("", vassal="v").result, Result.SLEEPS)
        self.assertIs(self.say("", vassal="v").result, Result.SLEEPS)
        self.assertIsNone(self.pool().pick(0, ()))
        self.assertEqual(list(self.pool().sleepers), ["v"])
        self.assertIs(self.leave("", vassal="w").result, Result.UNKNOWN)
        self.assertIs(self.leave("", vassal="v").result, Result.LEFT)
        self.assertTrue(self.registry.is_empty)

    def test_awake(self) -> None:
        """
        When it announces its address it is a node, and sleeps no more.
        """
        self.registry = self.registry_of(nodes_limit=1)
        self.say("", vassal="v")
        self.assertIs(self.say("/x", vassal="v").result, Result.NEW_NODE)
        self.assertEqual((self.nodes(), self.pool().sleepers), (["/x"], {}))
        self.assertIs(self.say("", vassal="v").result, Result.REFRESHED)
        self.assertEqual(self.pool().sleepers, {})

    def test_counted_once(self) -> None:
        """
        However often it wakes and sleeps, it takes the room of one node.
        """
        self.registry = self.registry_of(nodes_limit=2)
        for _ in range(3):
            self.say("", vassal="v")
            self.say("/x", vassal="v")
            self.say("/x", vassal="v", clear=True)
        self.assertIs(self.say("/y").result, Result.NEW_NODE)
        self.assertIs(self.say("/z").result, Result.REFUSED)

    def test_lies_down(self) -> None:
        """
        When it clears its address it sleeps; nobody sees an empty pool.
        """
        heard: list[bool] = []
        self.registry.watch(heard.append)
        self.say("/x", vassal="v")
        self.say("/y", vassal="w")
        self.assertIs(self.say("/x", vassal="v", clear=True).result, Result.SLEEPS)
        self.assertEqual((self.nodes(), list(self.pool().sleepers)), (["/y"], ["v"]))
        self.assertIs(self.say("", vassal="w", clear=True).result, Result.SLEEPS)
        self.assertEqual(list(self.pool().sleepers), ["v", "w"])
        self.assertEqual(heard, [False])
        for vassal in "vw":
            self.leave("", vassal=vassal)
        self.assertTrue(self.registry.is_empty)


class SnapshotTests(Case):
    def restored(self, now: float, age: float = 0, at: float = 0) -> None:
        """
        Another registry, with what this one knew.
        """
        snapshot = taken(self.registry.snapshot(at))
        self.registry = self.registry_of()
        self.restored_count = self.registry.restore(snapshot, now, age)

    def test_copy(self) -> None:
        """
        A registry that is restored at once is the same.
        """
        self.say("/x", 0, weight=3, algorithm="lrc")
        self.say("/y", 3, backup=1)
        self.say("", 3, vassal="v")
        before = taken(self.registry.snapshot(5))
        self.restored(1005, at=5)
        self.assertEqual(taken(self.registry.snapshot(1005)), before)
        self.assertEqual(self.pool().algorithm.name, "lrc")
        self.assertEqual(self.restored_count, 3)

    def test_age(self) -> None:
        """
        A node has the time left that it had.
        """
        self.say("/x", 0)
        self.restored(1000, age=2, at=1)
        self.registry.expire(1014)
        self.assertFalse(next(iter(self.pool().members.values())).silent)
        self.registry.expire(1014.5)
        self.assertTrue(next(iter(self.pool().members.values())).silent)

    def test_grace(self) -> None:
        """
        One whose time is over, or nearly, has a little to be heard of again.
        """
        for age in (16, 100, FORGOTTEN):
            self.setUp()
            self.say("/x", 0)
            self.restored(1000, age=age)
            self.registry.expire(1000 + RESTORED)
            (node,) = self.pool().members.values()
            self.assertFalse(node.silent)
            self.registry.expire(1000 + RESTORED + 0.5)
            self.assertTrue(node.silent)
            self.assertEqual(node.last_check, 1000 - age)

    def test_forgotten(self) -> None:
        """
        One that was not heard of for an hour may be somebody else by now.
        """
        self.say("/x", 0)
        self.restored(1000, age=FORGOTTEN + 1)
        self.assertTrue(self.registry.is_empty)

    def test_silent(self) -> None:
        """
        One that was silent is silent still.
        """
        self.say("/y", 0)
        self.say("/x", 0)
        self.say("/y", 10)
        self.registry.expire(18)
        self.restored(1000, at=18)
        picked = {str(node.address) for _ in range(4) if (node := self.pool().pick(0, ()))}
        self.assertEqual(picked, {"/y"})

    def test_known(self) -> None:
        """
        What was heard here is newer than what a snapshot says.
        """
        self.say("/x", 0, weight=1)
        self.say("", 0, vassal="v")
        snapshot = taken(self.registry.snapshot(10))
        self.registry = self.registry_of()
        self.say("/x", 1000, weight=2)
        self.say("/z", 1000, vassal="v")
        self.assertEqual(self.registry.restore(snapshot, 1001), 0)
        self.assertEqual([node.weight for node in self.pool().members.values()], [2, 1])
        self.assertEqual(self.pool().sleepers, {})

    def test_limits(self) -> None:
        """
        A snapshot cannot bring more than there is room for.
        """
        self.say("/x")
        self.say("/y")
        self.say("/z", key="b")
        snapshot = taken(self.registry.snapshot(0))
        self.registry = self.registry_of(nodes_limit=1)
        self.assertEqual(self.registry.restore(snapshot, 0), 1)

    def test_broken(self) -> None:
        """
        A broken one brings nothing.
        """
        self.say("/x")
        snapshot: Any = taken(self.registry.snapshot(0))
        snapshot["nodes"].append({})
        self.registry = self.registry_of()
        self.assertRaises(BadSnapshot, self.registry.restore, snapshot, 0)
        self.assertTrue(self.registry.is_empty)

    def test_bad_node(self) -> None:
        """
        A node that could not have subscribed does not come by a snapshot.
        """
        for said in ({"key": "", "address": "/x"}, {"key": "a", "address": "/x:\0"}):
            node = {"age": 0, "silent": False, "announcement": {"leaving": False, **said}}
            snapshot = {"version": 1, "nodes": [node]}
            self.assertEqual(self.registry.restore(snapshot, 0), 0)
        self.assertTrue(self.registry.is_empty)


ANNOUNCEMENTS = st.builds(
    Announcement,
    leaving=st.booleans(),
    key=st.sampled_from(["a", "A", "b", "b:80", "", "c/x"]),
    address=st.sampled_from(["/x", "/y", "127.0.0.1:1", "", "nonsense:nonsense"]),
    weight=st.integers(0, 3),
    backup=st.integers(0, 1),
    algorithm=st.sampled_from(["", "lrc", "chash", "fastest"]),
    vassal=st.sampled_from(["", "", "v", "w"]),
    clear=st.booleans(),
)


class PropertyTests(Case):
    @given(st.lists(ANNOUNCEMENTS, max_size=30))
    def test_model(self, said: list[Announcement]) -> None:
        """
        The pools are those of a plain model: sets of nodes and sleepers.
        """
        self.setUp()
        model: set[tuple[str, str]] = set()
        owners: dict[tuple[str, str], str] = {}
        for each in said:
            result = self.registry.announce(each, 0).result
            key, vassal = each.key.lower(), each.vassal
            node = (key, each.address or f"asleep {vassal}")
            awake = {one for one in owners if one[0] == key and owners[one] == vassal}
            if not key or each.address.startswith("nonsense") or not (each.address or vassal):
                expected = Result.REFUSED
            elif each.leaving:
                expected = Result.LEFT if node in model else Result.UNKNOWN
                model.discard(node)
                owners.pop(node, None)
            elif vassal and each.clear:
                for one in awake | ({node} & set(owners)):
                    model.discard(one)
                    owners.pop(one)
                model.add((key, f"asleep {vassal}"))
                expected = Result.SLEEPS
            elif not each.address:
                expected = Result.REFRESHED if awake else Result.SLEEPS
                if not awake:
                    model.add(node)
            else:
                keys = {one[0] for one in model}
                expected = Result.NEW_NODE if key in keys else Result.NEW_POOL
                if node in model:
                    expected = Result.REFRESHED
                else:
                    model.discard((key, f"asleep {vassal}"))
                model.add(node)
                owners[node] = vassal
            self.assertIs(result, expected)
            self.assertEqual(self.contents(), model)
            self.assertEqual(self.registry.is_empty, not model)

    def contents(self) -> set[tuple[str, str]]:
        return {
            (pool.key, name)
            for pool in self.registry.pools
            for name in (
                *map(str, pool.members),
                *(f"asleep {vassal}" for vassal in pool.sleepers),
            )
        }

    @given(st.lists(ANNOUNCEMENTS | st.integers(0, 20), max_size=30))
    def test_replay(self, steps: list[Announcement | int]) -> None:
        """
        A copy that starts from a snapshot and is told what was not refused is
        the same at every moment.
        """
        self.setUp()
        copy = self.registry_of()
        now = 0.0
        for step in steps:
            if isinstance(step, int):
                now += step
                self.assertEqual(self.registry.expire(now), copy.expire(now))
            elif self.registry.announce(step, now).result is not Result.REFUSED:
                copy.announce(step, now)
            self.assertEqual(taken(self.registry.snapshot(now)), taken(copy.snapshot(now)))
        late = self.registry_of()
        late.restore(taken(self.registry.snapshot(now)), now)
        self.assertEqual(taken(late.snapshot(now)), taken(self.registry.snapshot(now)))

    @given(st.lists(ANNOUNCEMENTS, max_size=40), st.integers(1, 4), st.integers(1, 4))
    def test_bounded(self, said: list[Announcement], nodes: int, each: int) -> None:
        """
        Whatever is announced, the limits hold, and all of it expires.
        """
        self.registry = self.registry_of(nodes_limit=nodes, pool_nodes_limit=each, pools_limit=2)
        for one in said:
            self.registry.announce(one, 0)
            sizes = [pool.size for pool in self.registry.pools]
            self.assertLessEqual(sum(sizes), nodes)
            self.assertLessEqual(max(sizes, default=0), each)
            self.assertLessEqual(len(sizes), 2)
            self.assertNotIn(0, sizes)
        self.registry.expire(18)
        self.registry.expire(18 + 31)
        self.assertTrue(self.registry.is_empty)
        self.assertIsNot(self.say("/new").result, Result.REFUSED)
