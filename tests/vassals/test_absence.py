"""
Tests for L{emperor.vassals.absence}.
"""

import os
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import parse_address
from emperor.vassals.absence import FORMER_LIMIT, Whereabouts, reason
from emperor.vassals.spec import VassalId
from emperor.vassals.status import Phase, VassalStatus

A = VassalId("dir:///v", "a.ini")
B = VassalId("dir:///v", "b.ini")


class WhereaboutsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.whereabouts = Whereabouts()

    def settle(self, id: VassalId, *texts: str) -> None:
        self.whereabouts.settle(id, frozenset(map(parse_address, texts)))

    def listener(self, text: str) -> VassalId | None:
        return self.whereabouts.listener(parse_address(text))

    def test_known(self) -> None:
        """
        A vassal is found at each of its addresses, and only there.
        """
        self.settle(A, "/run/a.sock", "127.0.0.1:80")
        self.assertEqual([A, A], [self.listener("/run/a.sock"), self.listener("127.0.0.1:80")])
        self.assertIsNone(self.listener("127.0.0.2:80"))
        self.assertIsNone(self.listener("/run/b.sock"))

    def test_spellings(self) -> None:
        """
        A path is the same place however it is written.
        """
        self.settle(A, "/run/vassals/../a.sock")
        self.assertEqual(A, self.listener("/run/a.sock"))
        # Not self.mktemp(), which may be too long for a socket.
        with TemporaryDirectory() as place:
            os.symlink(place, f"{place}/link")
            self.settle(A, f"{place}/link/a.sock")
            self.assertEqual(A, self.listener(f"{place}/a.sock"))

    def test_every_host(self) -> None:
        """
        A vassal that listens on every interface listens on each of them.
        """
        for text in (":80", "0.0.0.0:80", "[::]:80"):
            self.settle(A, text)
            self.assertEqual([A, A], [self.listener("127.0.0.1:80"), self.listener(":80")])

    def test_moved(self) -> None:
        """
        What a vassal has left belongs to nobody, or to who came after it.
        """
        self.settle(A, "/run/a.sock")
        self.settle(B, "/run/a.sock")
        self.settle(A, "/run/b.sock")
        self.assertEqual([B, A], [self.listener("/run/a.sock"), self.listener("/run/b.sock")])
        self.whereabouts.leave(B)
        self.assertIsNone(self.listener("/run/a.sock"))

    def move(self, id: VassalId, *texts: str) -> None:
        self.whereabouts.move(id, frozenset(map(parse_address, texts)))

    def test_before_it_arrives(self) -> None:
        """
        A vassal whose configuration has changed is found where it was as well, until
        it accepts with the new one.
        """
        self.move(A, "/run/a.sock")
        self.move(A, "/run/b.sock", ":80")
        self.move(A)
        places = ("/run/a.sock", "/run/b.sock", ":80")
        self.assertEqual([A] * 3, list(map(self.listener, places)))
        self.move(A, "/run/c.sock", ":80")
        self.assertEqual(set(), self.whereabouts.leaving)
        gone = self.whereabouts.arrive(A)
        self.assertEqual(set(map(parse_address, places[:2])), gone)
        self.assertEqual([None, None, A], list(map(self.listener, places)))
        self.assertEqual(frozenset(), self.whereabouts.arrive(A))

    def test_nothing_known(self) -> None:
        """
        One that accepts, and nobody can tell where, may be where it was.
        """
        self.move(A, "/run/a.sock")
        self.move(A)
        self.assertEqual(frozenset(), self.whereabouts.arrive(A))
        self.assertEqual(A, self.listener("/run/a.sock"))

    def test_former_and_present(self) -> None:
        """
        Who has an address now comes before who had it, in whichever order they read
        their files.
        """
        self.move(A, "/run/a.sock")
        self.move(B, "/run/a.sock")
        self.move(A, "/run/b.sock")
        self.assertEqual(B, self.listener("/run/a.sock"))
        self.assertEqual(frozenset(), self.whereabouts.arrive(A))
        self.assertEqual(B, self.listener("/run/a.sock"))

    def test_former_and_leaving(self) -> None:
        """
        Where a vassal was nothing is to be sent while it stops; where the Emperor has
        its new socket, the old one is not closed for it.
        """
        self.move(A, "/run/a.sock")
        self.move(A, "/run/b.sock")
        both = set(map(parse_address, ("/run/a.sock", "/run/b.sock")))
        self.whereabouts.note(A, Phase.STOPPING)
        self.assertEqual(both, self.whereabouts.leaving)
        self.whereabouts.note(A, Phase.HELD_BACK, held=True)
        self.assertEqual({parse_address("/run/b.sock")}, self.whereabouts.leaving)
        self.whereabouts.leave(A)
        self.assertEqual(set(), self.whereabouts.leaving)

    def test_edited_for_ever(self) -> None:
        """
        A vassal that never accepts is known by the latest of its addresses only.
        """
        for number in range(FORMER_LIMIT + 10):
            self.move(A, f"/run/{number}.sock")
        self.assertEqual(FORMER_LIMIT + 1, len(self.whereabouts.places(A)))
        self.assertEqual(A, self.listener("/run/10.sock"))

    def test_two_at_one_address(self) -> None:
        """
        Of two vassals that claim one socket the last one counts; when it goes
        the socket still is the other's, and only then it is free.
        """
        self.settle(A, "/run/a.sock")
        self.settle(B, "/run/a.sock")
        self.assertEqual(frozenset(), self.whereabouts.leave(B))
        self.assertEqual(A, self.listener("/run/a.sock"))
        self.assertEqual({parse_address("/run/a.sock")}, self.whereabouts.leave(A))
        self.assertIsNone(self.listener("/run/a.sock"))

    def test_leaving(self) -> None:
        """
        The addresses of a vassal that was asked to leave are known in each
        spelling, until it starts again or is gone.
        """
        self.settle(A, "/run/../run/a.sock", ":80")
        self.whereabouts.note(A, Phase.STOPPING)
        expected = ("/run/../run/a.sock", "/run/a.sock", ":80", "127.0.0.1:80")
        self.assertEqual(set(map(parse_address, expected)), self.whereabouts.leaving)
        self.whereabouts.note(A, Phase.QUEUED)
        self.assertEqual(set(), self.whereabouts.leaving)
        self.whereabouts.note(A, Phase.REPLACED)
        self.whereabouts.leave(A)
        self.assertEqual(set(), self.whereabouts.leaving)

    def test_leaving_with_a_successor(self) -> None:
        """
        Where another vassal takes over, requests wait until that one is ready,
        and no longer.
        """
        self.settle(A, "/run/a.sock")
        self.whereabouts.note(A, Phase.STOPPING)
        self.settle(B, "/run/a.sock")
        self.whereabouts.note(B, Phase.STARTING)
        self.assertEqual({parse_address("/run/a.sock")}, self.whereabouts.leaving)
        self.whereabouts.note(B, Phase.READY)
        self.assertEqual(set(), self.whereabouts.leaving)

    def test_the_emperor_has_the_socket(self) -> None:
        """
        Requests for a vassal whose socket is the Emperor's may wait there, unless
        it is not coming.
        """
        self.settle(A, "/run/a.sock")
        everything = set(Phase) - {Phase.GONE}
        refused = set()
        for phase in everything:
            self.whereabouts.note(A, phase, held=True)
            if self.whereabouts.leaving:
                refused.add(phase)
        self.assertEqual({Phase.STOPPING, Phase.HELD_BACK, Phase.EXILED}, refused)

    def test_the_vassal_has_the_socket(self) -> None:
        """
        Where the vassal has it, whoever is about to go takes nothing more.
        """
        self.settle(A, "/run/a.sock")
        refused = set()
        for phase in set(Phase) - {Phase.GONE}:
            self.whereabouts.note(A, phase)
            if self.whereabouts.leaving:
                refused.add(phase)
        self.assertEqual({Phase.STOPPING, Phase.REPLACED, Phase.RETIRING}, refused)

    def test_taken_ports(self) -> None:
        """
        A TCP port is taken as long as another vassal that goes has it, on that
        host or on every one.  A UNIX socket's file can be replaced.
        """
        wanted = [":9000", "127.0.0.1:9000", "/run/a.sock"]
        for has, taken in {
            ":9000": wanted[:2],
            "127.0.0.1:9000": wanted[:2],
            "127.0.0.2:9000": wanted[:1],
            ":9001": [],
            "/run/a.sock": [],
        }.items():
            self.settle(A, has)
            self.whereabouts.note(A, Phase.STOPPING)
            self.assertEqual(
                taken,
                [
                    each
                    for each in wanted
                    if self.whereabouts.is_taken(B, [parse_address("/x"), parse_address(each)])
                ],
                has,
            )

    def test_until_when_a_port_is_taken(self) -> None:
        """
        It is free when the other one is gone, or stays, or was never about to go;
        a vassal's own port does not count.
        """
        port = parse_address(":9000")
        self.settle(A, ":9000")
        was_going = False
        for phase in Phase:
            free = self.whereabouts.note(A, phase)
            going = phase in {Phase.STOPPING, Phase.REPLACED, Phase.RETIRING, Phase.ORPHANED}
            self.assertEqual(going, self.whereabouts.is_taken(B, [port]), phase)
            self.assertEqual(going, self.whereabouts.is_somebody_going)
            self.assertFalse(self.whereabouts.is_taken(A, [port]))
            self.assertEqual(was_going and not going, free)
            was_going = going
        self.whereabouts.note(A, Phase.STOPPING)
        self.whereabouts.leave(A)
        self.assertFalse(self.whereabouts.is_taken(B, [port]))
        self.assertFalse(self.whereabouts.is_somebody_going)


class ReasonTests(SynchronousTestCase):
    def test_each_phase(self) -> None:
        """
        There is a sentence for every phase in which a vassal does not accept.
        """
        sentences = {phase: reason(VassalStatus(A, phase), 0) for phase in Phase}
        self.assertEqual("vassal a.ini is starting", sentences[Phase.STARTING])
        self.assertEqual("vassal a.ini is reloading", sentences[Phase.RELOADING])
        self.assertEqual("vassal a.ini is stopping", sentences[Phase.STOPPING])
        self.assertEqual(
            {Phase.GONE, Phase.ACCEPTING, Phase.RENEWING},
            {phase for phase, sentence in sentences.items() if sentence is None},
        )

    def test_held_back(self) -> None:
        """
        The time until the next try is told in whole seconds, never too few.
        """
        status = VassalStatus(A, Phase.HELD_BACK, retry_at=107)
        self.assertEqual("vassal a.ini died and is held back for 7 s", reason(status, 100.5))
        self.assertEqual("vassal a.ini is restarting", reason(status, 107))
