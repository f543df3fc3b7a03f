"""
Tests for L{emperor.subscriptions.domains}.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress, UnixAddress
from emperor.config.attributes import Attributes, Domain
from emperor.config.errors import Problem
from emperor.config.settings import Origin
from emperor.subscriptions.domains import Domains, Holdings, make_holdings
from emperor.vassals.spec import VassalId
from emperor.vassals.status import SHORT_WAIT, Phase, Rest, VassalStatus
from tests.subscriptions.fakes import Recorder, make_ledger, nodes, said
from tests.wire.announcements import announcement

ID = VassalId("dir:///v", "a.ini")
ELSE = VassalId("dir:///v", "b.ini")
SOCKET = UnixAddress(b"/a.sock")


def holdings(*keys: str, address: str = "/a.sock", problems: tuple[str, ...] = ()) -> Holdings:
    """
    A vassal in these pools.
    """
    return Holdings(
        tuple(announcement(key=key, address=address, vassal="a.ini") for key in keys), problems
    )


class HoldingsTests(SynchronousTestCase):
    """
    From a vassal's file to announcements.
    """

    def test_domains(self) -> None:
        """
        Each domain is a pool, with what the file says of it; the first socket
        is the node.
        """
        attributes = Attributes(
            (Domain("a.com", 5, 1, 2, 3, "lrc"), Domain("b.com")),
            (Problem("domain: 'x' is none", Origin("a.ini", 7)),),
        )
        found = make_holdings("a.ini", attributes, [SOCKET, UnixAddress(b"/b.sock")])
        node = {"address": "/a.sock", "vassal": "a.ini"}
        self.assertEqual(
            found.announcements,
            (
                announcement(
                    key="a.com",
                    modifier1=5,
                    modifier2=1,
                    weight=2,
                    backup=3,
                    algorithm="lrc",
                    **node,
                ),
                announcement(key="b.com", **node),
            ),
        )
        self.assertEqual(found.problems, ("a.ini:7: domain: 'x' is none",))

    def test_every_interface(self) -> None:
        """
        A vassal that listens everywhere is reached on this machine.
        """
        attributes = Attributes((Domain("a.com"),))
        for address, expected in (
            (TcpAddress("", 80), "127.0.0.1:80"),
            (TcpAddress("0.0.0.0", 80), "127.0.0.1:80"),
            (TcpAddress("::", 80), "[::1]:80"),
            (TcpAddress("192.0.2.1", 80), "192.0.2.1:80"),
            (UnixAddress(b"\0a\0"), "@a"),
        ):
            [found] = make_holdings("a.ini", attributes, [address]).announcements
            self.assertEqual(found.address, expected)

    def test_no_socket(self) -> None:
        """
        A domain needs a socket that can be told; without a domain nothing does.
        """
        found = make_holdings("a.ini", Attributes((Domain("a.com"),)), [])
        self.assertEqual(found.announcements, ())
        self.assertIn("names no socket that can be told", found.problems[0])
        self.assertEqual(make_holdings("a.ini", Attributes(), []), Holdings())


class DomainsTests(SynchronousTestCase):
    """
    A vassal's life in its pools.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.ledgers = [make_ledger(self.clock), make_ledger(self.clock)]
        self.registry = self.ledgers[0].registry
        self.recorder = Recorder()
        self.ledgers[0].follow(self.recorder)
        self.files = {ID: holdings("a.com", "b.com"), ELSE: Holdings()}
        self.named: dict[VassalId, tuple[str, ...]] = {}
        self.domains = Domains(
            self.clock, self.ledgers, self.files.__getitem__, 10, self.named.__setitem__
        )

    def live(self, *phases: Phase, id: VassalId = ID, held: bool = False) -> dict[str, list[str]]:
        """
        Go through these phases.

        @return: who is in which pool then.
        """
        for phase in phases:
            self.domains.saw(VassalStatus(id, phase, held=held))
        self.assertEqual(nodes(self.ledgers[1].registry), nodes(self.registry))
        return nodes(self.registry)

    def test_life(self) -> None:
        """
        It is in its pools from when it accepts until it is asked to leave.
        """
        there = {"a.com": ["/a.sock"], "b.com": ["/a.sock"]}
        self.assertEqual(self.live(Phase.QUEUED, Phase.STARTING, Phase.READY), {})
        self.assertEqual(self.live(Phase.ACCEPTING), there)
        self.assertEqual(self.live(Phase.RELOADING, Phase.ACCEPTING), there)
        self.assertEqual(self.live(Phase.STOPPING), {})
        self.assertEqual(self.live(Phase.GONE), {})

    def test_every_end(self) -> None:
        """
        Whatever happens to it, it is out when it does not serve.
        """
        staying = {Phase.ACCEPTING, Phase.RELOADING, Phase.READY, Phase.RENEWING}
        drowsy = {Phase.RETIRING, Phase.ASLEEP}
        for phase in set(Phase) - staying - drowsy:
            self.assertTrue(self.live(Phase.STARTING, Phase.ACCEPTING))
            self.assertEqual(self.live(phase), {}, phase)

    def sleepers(self) -> dict[str, list[str]]:
        """
        Who sleeps in which pool; all routers know the same.
        """
        first, second = (
            {pool.key: list(pool.sleepers) for pool in ledger.registry.pools}
            for ledger in self.ledgers
        )
        self.assertEqual(first, second)
        return first

    def test_names(self) -> None:
        """
        It names its domains whether it serves or not: from when it waits for its
        start, and what it named before a change until it accepts with that.
        """
        self.live(Phase.QUEUED)
        self.assertEqual({}, self.named)
        self.clock.advance(0)
        self.assertEqual(("a.com", "b.com"), self.named[ID])
        self.live(Phase.STARTING, Phase.HELD_BACK)
        self.files[ID] = Holdings()
        for phase in (Phase.QUEUED, Phase.STARTING, Phase.HELD_BACK, Phase.REPLACED):
            self.live(phase)
            self.clock.advance(0)
            self.assertEqual(("a.com", "b.com"), self.named[ID], phase)
        self.files[ID] = holdings("c.com")
        self.live(Phase.STARTING)
        self.assertEqual(("c.com", "a.com", "b.com"), self.named[ID])
        self.live(Phase.ACCEPTING)
        self.assertEqual(("c.com",), self.named[ID])
        self.live(Phase.GONE)
        self.assertEqual((), self.named[ID])

    def test_names_of_one_that_is_not_started(self) -> None:
        """
        One that is held back at once names its domains as well; so does the next
        generation, when it takes over.
        """
        self.live(Phase.HELD_BACK)
        self.clock.advance(0)
        self.assertEqual(("a.com", "b.com"), self.named[ID])
        self.live(Phase.STARTING, Phase.ACCEPTING, held=True)
        self.files[ID] = holdings("c.com")
        self.live(Phase.RENEWING, held=True)
        self.assertEqual(("a.com", "b.com"), self.named[ID])
        self.live(Phase.RELOADING, Phase.ACCEPTING, held=True)
        self.assertEqual(("c.com",), self.named[ID])

    def test_sleeps(self) -> None:
        """
        One that opens its socket itself is a sleeper of its pools from when it
        leaves to sleep until it accepts again, also if that takes several starts.
        """
        asleep = {"a.com": ["a.ini"], "b.com": ["a.ini"]}
        nobody: dict[str, list[str]] = {"a.com": [], "b.com": []}
        there = {"a.com": ["/a.sock"], "b.com": ["/a.sock"]}
        self.live(Phase.STARTING, Phase.ACCEPTING)
        self.assertEqual(self.sleepers(), nobody)
        for phase in (
            Phase.RETIRING,
            Phase.ASLEEP,
            Phase.QUEUED,
            Phase.STARTING,
            Phase.HELD_BACK,
            Phase.QUEUED,
            Phase.STARTING,
            Phase.READY,
        ):
            self.assertEqual(self.live(phase), nobody, phase)
            self.assertEqual(self.sleepers(), asleep, phase)
        self.assertEqual(self.live(Phase.ACCEPTING), there)
        self.assertEqual(self.sleepers(), nobody)
        self.live(Phase.RETIRING, Phase.ASLEEP, Phase.GONE)
        self.assertEqual(self.sleepers(), {})

    def test_waits_for_a_command(self) -> None:
        """
        One that has never run is a sleeper too, and follows its file.
        """
        self.rest(Rest.COMMAND)
        self.assertEqual(self.sleepers(), {"a.com": ["a.ini"], "b.com": ["a.ini"]})
        self.files[ID] = holdings("c.com")
        self.rest(Rest.COMMAND)
        self.assertEqual(self.sleepers(), {"c.com": ["a.ini"]})

    def test_stopped(self) -> None:
        """
        One that a command stops is a sleeper, so that requests are told of it, from
        when it is asked to leave until it accepts again or is removed.
        """
        asleep = {"a.com": ["a.ini"], "b.com": ["a.ini"]}
        for held in (False, True):
            self.live(Phase.STARTING, Phase.ACCEPTING, held=held)
            self.domains.saw(VassalStatus(ID, Phase.STOPPING, rest=Rest.STOPPED, held=held))
            self.assertEqual(self.sleepers(), asleep)
            self.rest(Rest.STOPPED)
            self.assertEqual(self.sleepers(), asleep)
            self.live(Phase.QUEUED, Phase.STARTING, held=held)
            self.assertEqual(self.sleepers(), asleep)
            there = {"a.com": ["/a.sock"], "b.com": ["/a.sock"]}
            self.assertEqual(self.live(Phase.ACCEPTING, held=held), there)
            self.rest(Rest.STOPPED)
            self.assertEqual(self.live(Phase.GONE), {})

    def rest(self, rest: Rest) -> None:
        self.domains.saw(VassalStatus(ID, Phase.ASLEEP, rest=rest))

    def test_two_of_one_domain(self) -> None:
        """
        Of two nodes of a domain one sleeps: the other one serves.
        """
        self.files[ELSE] = Holdings((announcement(key="a.com", address="/b.sock", vassal="b.ini"),))
        for id in (ID, ELSE):
            self.live(Phase.STARTING, Phase.ACCEPTING, id=id)
        found = self.live(Phase.RETIRING, Phase.ASLEEP)
        self.assertEqual(found["a.com"], ["/b.sock"])
        self.assertEqual(self.sleepers()["a.com"], ["a.ini"])

    def test_sleepers_do_not_expire(self) -> None:
        """
        It is announced again as long as it sleeps.
        """
        self.domains.startService()
        self.live(Phase.STARTING, Phase.ACCEPTING, Phase.RETIRING, Phase.ASLEEP)
        for _ in range(60):
            self.clock.advance(1)
            for ledger in self.ledgers:
                ledger.expire()
        self.assertEqual(self.sleepers(), {"a.com": ["a.ini"], "b.com": ["a.ini"]})
        self.domains.stopService()

    def test_the_emperor_has_the_socket(self) -> None:
        """
        A vassal whose socket is the Emperor's is there while it sleeps, and stays
        whatever happens, unless it is not coming.
        """
        there = {"a.com": ["/a.sock"], "b.com": ["/a.sock"]}
        for phase in Phase:
            self.assertEqual(self.live(Phase.GONE), {})
            self.assertEqual(self.live(Phase.ASLEEP, held=True), there)
            closed = {Phase.STOPPING, Phase.HELD_BACK, Phase.EXILED, Phase.GONE}
            self.assertEqual(self.live(phase, held=True), {} if phase in closed else there, phase)
        self.assertEqual(self.live(Phase.GONE, Phase.STARTING, held=True), {})
        self.assertEqual(self.live(Phase.READY, held=True), there)

    def test_returning(self) -> None:
        """
        One that has served, died and comes back in a moment stays in its pools:
        requests wait at the Emperor's socket.
        """
        self.live(Phase.STARTING, Phase.ACCEPTING, held=True)
        for wait, is_there in ((SHORT_WAIT, True), (SHORT_WAIT + 1, False)):
            status = VassalStatus(
                ID, Phase.HELD_BACK, since=100, accepted_at=50, retry_at=100 + wait, held=True
            )
            self.domains.saw(status)
            self.assertEqual(bool(nodes(self.registry)), is_there)
            stopped = replace(status, rest=Rest.STOPPED)
            self.domains.saw(stopped)
            self.assertEqual(nodes(self.registry), {"a.com": [], "b.com": []})
            self.assertEqual(self.sleepers(), {"a.com": ["a.ini"], "b.com": ["a.ini"]})

    def test_failed_renewal(self) -> None:
        """
        The file of a next generation that never came counts nowhere.
        """
        self.live(Phase.STARTING, Phase.ACCEPTING, held=True)
        before = {"a.com": ["/a.sock"], "b.com": ["/a.sock"]}
        self.files[ID] = holdings("c.com")
        self.assertEqual(self.live(Phase.RENEWING, Phase.ACCEPTING, held=True), before)
        after = {"c.com": ["/a.sock"]}
        renewed = self.live(Phase.RENEWING, Phase.RELOADING, Phase.ACCEPTING, held=True)
        self.assertEqual(renewed, after)

    def test_broken_after_its_start(self) -> None:
        """
        The file counts as it was when the next generation was started, though it be
        broken when that accepts.
        """
        self.live(Phase.STARTING, Phase.ACCEPTING, held=True)
        self.files[ID] = holdings("c.com")
        self.live(Phase.RENEWING, held=True)
        self.files[ID] = Holdings()
        renewed = self.live(Phase.RELOADING, Phase.ACCEPTING, held=True)
        self.assertEqual(renewed, {"c.com": ["/a.sock"]})
        self.assertEqual(self.live(Phase.RELOADING, Phase.ACCEPTING, held=True), {})

    def test_changed_file(self) -> None:
        """
        A reload reads the file; it counts when the vassal accepts again, and
        not before.
        """
        self.live(Phase.STARTING, Phase.ACCEPTING)
        self.files[ID] = holdings("b.com", "c.com")
        before = {"a.com": ["/a.sock"], "b.com": ["/a.sock"]}
        self.assertEqual(self.live(Phase.ACCEPTING), before)
        self.assertEqual(self.live(Phase.RELOADING), before)
        after = {"b.com": ["/a.sock"], "c.com": ["/a.sock"]}
        self.assertEqual(self.live(Phase.ACCEPTING), after)

    def test_never_empty(self) -> None:
        """
        A vassal that moves to another socket is there before it is gone here.
        """
        self.live(Phase.STARTING, Phase.ACCEPTING)
        self.recorder.arrivals.clear()
        self.files[ID] = holdings("a.com", address="/new.sock")
        self.live(Phase.RELOADING, Phase.ACCEPTING)
        said = [
            (each.announcement.address, each.announcement.leaving)
            for each in self.recorder.arrivals
            if each.announcement.key == "a.com"
        ]
        self.assertEqual(said, [("/new.sock", False), ("/a.sock", True)])

    def test_shared_socket(self) -> None:
        """
        Two vassals that share a socket are one node, while one of them is there.
        """
        self.files[ELSE] = self.files[ID] = holdings("a.com")
        for id in (ID, ELSE):
            self.live(Phase.STARTING, Phase.ACCEPTING, id=id)
        self.assertEqual(self.live(Phase.STOPPING), {"a.com": ["/a.sock"]})
        self.assertEqual(self.live(Phase.ACCEPTING), {"a.com": ["/a.sock"]})
        self.live(Phase.STOPPING)
        self.assertEqual(self.live(Phase.STOPPING, id=ELSE), {})

    def test_does_not_expire(self) -> None:
        """
        It is announced again within the tolerance, as long as it serves.
        """
        self.domains.startService()
        self.live(Phase.STARTING, Phase.ACCEPTING)
        for _ in range(60):
            self.clock.advance(1)
            for ledger in self.ledgers:
                ledger.expire()
        self.assertEqual(self.recorder.expiries, [])
        # Two pools, every four seconds.
        self.assertLess(len(self.recorder.arrivals), 2 * 60 / 3)
        self.domains.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_short_tolerance(self) -> None:
        """
        However short that is.
        """
        ledger = make_ledger(self.clock, tolerance=1)
        domains = Domains(self.clock, [ledger], lambda id: self.files[id], 1)
        domains.startService()
        for phase in (Phase.STARTING, Phase.ACCEPTING):
            domains.saw(VassalStatus(ID, phase))
        for _ in range(50):
            self.clock.advance(0.2)
            ledger.expire()
            self.assertFalse(ledger.registry.is_empty)
        domains.stopService()

    def test_problems(self) -> None:
        """
        What is wrong in a file is said once for each change of it.
        """
        self.files[ID] = holdings("a.com", problems=("a.ini:7: x\n",))
        start = (Phase.STARTING, Phase.HELD_BACK)
        self.assertEqual(said(lambda: self.live(*start)), ["Vassal a.ini: a.ini:7: x\\n"])
        self.assertEqual(said(lambda: self.live(*start)), [])
        self.files[ID] = holdings("a.com", problems=("a.ini:8: y",))
        self.assertEqual(said(lambda: self.live(*start)), ["Vassal a.ini: a.ini:8: y"])
        self.live(Phase.GONE)
        self.assertEqual(said(lambda: self.live(*start)), ["Vassal a.ini: a.ini:8: y"])

    def test_refused(self) -> None:
        """
        A domain that can be none is said, with the vassal that asks for it.
        """
        self.files[ID] = holdings(".", "a.com")
        lines = said(lambda: self.live(Phase.STARTING, Phase.ACCEPTING))
        self.assertEqual(
            lines[0], "Vassal a.ini is in no pool .: the key is empty; accepted: 1 to 255 bytes"
        )
        self.assertEqual(nodes(self.registry), {"a.com": ["/a.sock"]})

    def test_unreadable(self) -> None:
        """
        A file that breaks our reader keeps nobody from running.
        """
        del self.files[ID]
        self.assertEqual(self.live(Phase.STARTING, Phase.ACCEPTING), {})
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
