"""
Tests for L{emperor.subscriptions.resubscribing}.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress
from emperor.announcing.sending import Sender
from emperor.announcing.servers import parse_server
from emperor.subscriptions.ledger import Ledger
from emperor.subscriptions.places import Places
from emperor.subscriptions.resubscribing import BATCH, LEAVING_TIMEOUT, PAUSE, Resubscriber
from emperor.wire.hops import HOPS_LIMIT, make_mark, read_hops
from emperor.wire.subscription import Announcement, parse_announcement
from tests.announcing.fakes import FakeReactor
from tests.subscriptions.fakes import OTHER, leaving, make_ledger, nodes, said
from tests.wire.announcements import announcement

FRONT = ("192.0.2.9", 7000)
HERE = TcpAddress("198.51.100.1", 3031)
MARK, ELSE = make_mark(), make_mark()


def ours(**changes: Any) -> Announcement:
    """
    What is said of the pool C{foo.com}.
    """
    return announcement(address="198.51.100.1:3031", **changes)


class ResubscriberCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.ledger = make_ledger(self.reactor)
        self.resubscriber = self.make(self.ledger, ["192.0.2.9:7000"])

    def make(
        self,
        ledger: Ledger,
        servers: Sequence[str],
        *,
        listen: TcpAddress = HERE,
        mark: str = MARK,
        protocol: str = "uwsgi",
    ) -> Resubscriber:
        resubscriber = Resubscriber(
            self.reactor,
            [parse_server(each) for each in servers],
            ledger.registry,
            sender=Sender(self.reactor),
            places=Places([listen]),
            mark=mark,
            protocol=protocol,
        )
        ledger.follow(resubscriber)
        return resubscriber

    def take(self) -> list[tuple[Announcement, tuple[str, ...]]]:
        """
        What was passed on since the last time, and its marks.
        """
        self.reactor.advance(PAUSE)
        sent, self.reactor.sent = self.reactor.sent, []
        return [(parse_announcement(data).announcement, read_hops(data)) for _, data in sent]


class PassingTests(ResubscriberCase):
    """
    What is passed on.
    """

    def test_pool(self) -> None:
        """
        A pool is one node, with the router's address and what a router in front
        has to know; what comes in a moment is said once.
        """
        self.ledger.announce(
            announcement(
                key="Foo.com",
                modifier1=5,
                modifier2=1,
                weight=9,
                cores=4,
                notify="/n",
                sni_key="/k",
            )
        )
        for port in range(1, 9):
            self.ledger.announce(
                announcement(address=f"127.0.0.1:{port}", modifier1=5, modifier2=1, sni_key="/k")
            )
        self.assertEqual(self.take(), [(ours(modifier1=5, modifier2=1, sni_key="/k"), (MARK,))])
        self.assertEqual(self.take(), [])

    def test_again(self) -> None:
        """
        Who says that he is there keeps us there as well.
        """
        for _ in range(3):
            self.ledger.announce(announcement())
            self.assertEqual(self.take(), [(ours(), (MARK,))])

    def test_protocol(self) -> None:
        """
        A router that speaks HTTP says so.
        """
        ledger = make_ledger(self.reactor)
        self.make(ledger, ["192.0.2.9:7000"], protocol="http")
        ledger.announce(announcement())
        self.assertEqual(self.take(), [(ours(protocol="http"), (MARK,))])

    def test_refused(self) -> None:
        """
        What is not heeded here is not passed on.
        """
        self.ledger.announce(announcement(address="x:y"))
        self.ledger.announce(leaving())
        self.ledger.announce(announcement(address="", vassal="asleep"))
        self.assertEqual(self.take(), [])

    def test_last_one_leaves(self) -> None:
        """
        We leave when the last node has left, and not before.
        """
        self.ledger.announce(announcement())
        self.ledger.announce(announcement(address=OTHER))
        self.take()
        self.ledger.announce(leaving())
        self.assertEqual(self.take(), [])
        self.ledger.announce(leaving(address=OTHER))
        self.assertEqual(self.take(), [(ours(leaving=True), (MARK,))])
        self.assertEqual(self.take(), [])

    def test_last_one_expires(self) -> None:
        """
        Or was not heard of any more, or has fallen asleep.
        """
        self.ledger.announce(announcement())
        self.take()
        self.reactor.advance(11)
        self.ledger.expire()
        self.assertEqual(self.take(), [(ours(leaving=True), (MARK,))])
        self.ledger.announce(announcement(vassal="a"))
        self.take()
        self.ledger.announce(announcement(vassal="a", clear=True))
        self.assertEqual(self.take(), [(ours(leaving=True), (MARK,))])

    def test_comes_back(self) -> None:
        """
        One that comes back at once has not left.
        """
        self.ledger.announce(announcement())
        self.take()
        self.ledger.announce(leaving())
        self.ledger.announce(announcement())
        self.assertEqual(self.take(), [(ours(), (MARK,))])

    def test_many(self) -> None:
        """
        Thousands of pools are told in pieces.
        """
        for number in range(BATCH + 5):
            self.ledger.announce(announcement(key=f"{number}.com"))
        self.assertEqual(len(self.take()), BATCH)
        self.assertEqual(len(self.take()), 5)

    def test_too_long(self) -> None:
        """
        A pool of which nothing can be said does not keep the others.
        """
        self.ledger.announce(announcement(key="a.com", sni_key="x" * 3980))
        self.ledger.announce(announcement())
        lines = said(lambda: self.assertEqual(self.take(), [(ours(), (MARK,))]))
        self.assertIn("a.com cannot be passed on: over 4096 bytes", lines[0])


class ServerTests(ResubscriberCase):
    """
    Where to.
    """

    def test_every_interface(self) -> None:
        """
        Who listens everywhere is known by the address on the way to the server,
        which may have a name, or be on this machine.
        """
        ledger = make_ledger(self.reactor)
        self.make(ledger, ["front.test:7000", "/run/s"], listen=TcpAddress("", 3031))
        self.reactor.answers["front.test"] = ["127.0.0.1"]
        ledger.announce(announcement())
        self.reactor.advance(PAUSE)
        self.assertEqual(
            [
                (where, parse_announcement(data).announcement.address)
                for where, data in self.reactor.sent
            ],
            [(("127.0.0.1", 7000), "127.0.0.1:3031"), ("/run/s", "127.0.0.1:3031")],
        )

    def test_trouble(self) -> None:
        """
        A server that cannot be told does not keep the others; it is said once,
        and once that it is over.
        """
        ledger = make_ledger(self.reactor)
        self.make(ledger, ["/run/gone", "192.0.2.9:7000"])
        self.reactor.broken.add("/run/gone")

        def announce() -> None:
            ledger.announce(announcement())
            self.assertEqual(self.take()[-1], (ours(), (MARK,)))

        self.assertEqual(
            said(announce),
            ["Cannot pass subscriptions on to /run/gone: No such file or directory"],
        )
        self.assertEqual(said(announce), [])
        self.reactor.broken.clear()
        self.assertEqual(said(announce), ["Passing subscriptions on to /run/gone again"])

    def test_no_way(self) -> None:
        """
        So it is where this machine has no way to a server.
        """
        ledger = make_ledger(self.reactor)
        self.make(ledger, ["192.0.2.9:7000"], listen=TcpAddress("", 3031))
        self.patch(Places, "towards", self.no_way)
        ledger.announce(announcement())
        lines = said(lambda: self.assertEqual(self.take(), []))
        self.assertIn("Cannot pass subscriptions on to 192.0.2.9:7000: Network is unr", lines[0])

    def no_way(self, places: Places, host: str = "") -> None:
        raise OSError(101, "Network is unreachable")

    def test_slow_names(self) -> None:
        """
        While a name is being resolved nothing is asked a second time; then what
        came meanwhile follows.
        """
        ledger = make_ledger(self.reactor)
        self.make(ledger, ["front.test:7000"])
        ledger.announce(announcement())
        self.reactor.advance(PAUSE)
        ledger.announce(announcement(key="b.com"))
        self.reactor.advance(PAUSE)
        self.assertEqual(len(self.reactor.questions), 1)
        self.reactor.answers["front.test"] = ["192.0.2.9"]
        self.reactor.questions[0].answer("192.0.2.9")
        self.assertEqual([each.key for each, _ in self.take()], ["foo.com", "b.com"])

    def test_stop(self) -> None:
        """
        At the end we take leave of every pool, and nothing is left.
        """
        for key in ("foo.com", "b.com"):
            self.ledger.announce(announcement(key=key))
        self.take()
        self.ledger.announce(announcement())
        self.successResultOf(self.resubscriber.stop())
        self.ledger.announce(announcement(key="c.com"))
        self.assertEqual(
            [(each.key, each.leaving) for each, _ in self.take()],
            [("foo.com", True), ("b.com", True)],
        )
        self.assertEqual(self.reactor.ports, [])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stop_without_names(self) -> None:
        """
        Nobody is waited for for long.
        """
        ledger = make_ledger(self.reactor)
        resubscriber = self.make(ledger, ["front.test:7000"])
        ledger.announce(announcement())
        stopping = resubscriber.stop()
        self.assertNoResult(stopping)
        self.reactor.advance(LEAVING_TIMEOUT)
        self.successResultOf(stopping)


class LoopTests(ResubscriberCase):
    """
    Routers that pass theirs on to each other.
    """

    def test_marks(self) -> None:
        """
        What came through others bears their marks; what came through too many
        goes no further.
        """
        self.ledger.announce(announcement(), (ELSE,))
        self.assertEqual(self.take(), [(ours(), (ELSE, MARK))])
        self.ledger.announce(announcement(), tuple(make_mark() for _ in range(HOPS_LIMIT)))
        self.assertEqual(self.take(), [])

    def test_fewest(self) -> None:
        """
        Of several words the one counts that most will heed.
        """
        self.ledger.announce(announcement(), (ELSE,))
        self.ledger.announce(announcement(address=OTHER))
        self.ledger.announce(announcement(), (ELSE,))
        self.assertEqual(self.take(), [(ours(), (MARK,))])

    def test_only_behind_others(self) -> None:
        """
        When the last node of our own has gone we leave, and come back with the
        marks of those that are left, who would not find themselves behind us.
        """
        self.ledger.announce(announcement(address="[::1]:1"))
        self.ledger.announce(announcement(address=OTHER), (ELSE,))
        self.take()
        self.ledger.announce(leaving(address="[0:0::1]:1"))
        self.assertEqual(self.take(), [(ours(leaving=True), (MARK,)), (ours(), (ELSE, MARK))])
        self.ledger.announce(leaving(address=OTHER))
        self.assertEqual(self.take(), [(ours(leaving=True), (MARK,))])

    def test_two(self) -> None:
        """
        Two of them do not keep each other's pools, nor each other busy.
        """
        ledgers = {FRONT: self.ledger, ("192.0.2.8", 7000): make_ledger(self.reactor)}
        back = ledgers["192.0.2.8", 7000]
        self.ledger._followers.clear()
        self.make(self.ledger, ["192.0.2.8:7000"], listen=TcpAddress("192.0.2.9", 80))
        self.make(back, ["192.0.2.9:7000"], listen=TcpAddress("192.0.2.8", 80), mark=ELSE)
        marks = {FRONT: MARK, ("192.0.2.8", 7000): ELSE}

        def deliver() -> int:
            self.reactor.advance(PAUSE)
            sent, self.reactor.sent = self.reactor.sent, []
            for where, data in sent:
                hops = read_hops(data)
                if marks[where] not in hops:
                    ledgers[where].announce(parse_announcement(data).announcement, hops)
            return len(sent)

        self.ledger.announce(announcement())
        back.announce(announcement(address=OTHER))
        self.assertEqual([deliver() for _ in range(4)], [2, 2, 0, 0])
        self.assertEqual(nodes(self.ledger.registry)["foo.com"], ["127.0.0.1:3031", "192.0.2.8:80"])
        back.announce(leaving(address=OTHER))
        self.ledger.announce(leaving())
        while deliver():
            pass
        self.assertEqual((nodes(self.ledger.registry), nodes(back.registry)), ({}, {}))
