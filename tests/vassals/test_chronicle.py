"""
Tests for L{emperor.vassals.chronicle}.
"""

from dataclasses import replace

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.vassals.chronicle import Chronicle
from emperor.vassals.spec import VassalId
from emperor.vassals.status import Phase, Rest, VassalStatus

ID = VassalId("dir:///v", "a.ini")


class ChronicleTests(SynchronousTestCase):
    def sentences(self, *statuses: VassalStatus) -> list[str | None]:
        """
        What the log says of these, one after the other.
        """
        chronicle = Chronicle(Clock())
        with capturedLogs() as events:
            for status in statuses:
                chronicle.record(status)
        return [formatEvent(event) for event in events]

    def test_life(self) -> None:
        """
        From the start until a vassal accepts the time is told, and again after
        a reload.
        """
        self.assertEqual(
            [
                "Vassal a.ini starts (pid 7)",
                "Vassal a.ini accepts requests (pid 7, 1.25 s)",
                "Vassal a.ini reloads (pid 7)",
                "Vassal a.ini accepts requests (pid 7, 0.5 s)",
                "Vassal a.ini is gone",
            ],
            self.sentences(
                VassalStatus(ID, Phase.QUEUED, since=0),
                VassalStatus(ID, Phase.STARTING, since=1, pid=7),
                VassalStatus(ID, Phase.ACCEPTING, since=2.25, pid=7),
                VassalStatus(ID, Phase.RELOADING, since=5, pid=7),
                VassalStatus(ID, Phase.ACCEPTING, since=5.5, pid=7),
                VassalStatus(ID, Phase.GONE, since=9),
            ),
        )

    def test_death(self) -> None:
        """
        A death is told with its cause and the time of the next try.
        """
        self.assertEqual(
            ["Vassal a.ini died: exit code 22; next try in 4.5 s"],
            self.sentences(VassalStatus(ID, Phase.HELD_BACK, retry_at=4.5, ending="exit code 22")),
        )

    def test_no_start(self) -> None:
        """
        A start that was refused is only a death: there was no process.
        """
        self.assertEqual(
            ["Vassal a.ini died: no such file; next try in 4.5 s"],
            self.sentences(
                VassalStatus(ID, Phase.STARTING, since=1),
                VassalStatus(ID, Phase.HELD_BACK, since=1, retry_at=4.5, ending="no such file"),
            ),
        )
        serving = VassalStatus(ID, Phase.ACCEPTING, since=1, pid=7)
        self.assertEqual(
            [], self.sentences(serving, replace(serving, phase=Phase.RENEWING), serving)[1:]
        )

    def test_death_of_a_zerg(self) -> None:
        """
        A zerg that has died does not try again.
        """
        for phase in (Phase.HELD_BACK, Phase.EXILED):
            self.assertEqual(
                ["Vassal a.ini died: exit code 22"],
                self.sentences(
                    VassalStatus(ID, phase, retry_at=4.5, ending="exit code 22", zerg=True)
                ),
            )

    def test_trouble(self) -> None:
        """
        What is wrong is said once, with what the vassal said last; that it is
        told again without a new phase is no news.
        """
        starts = VassalStatus(ID, Phase.STARTING, since=1, pid=7)
        late = replace(starts, trouble="it is\nlate", said=("one", "t\x1bwo"), failed_reloads=2)
        self.assertEqual(
            [
                "Vassal a.ini starts (pid 7)",
                "Vassal a.ini: it is\\nlate (2 failed reloads); it said last: \n    one"
                "\n    t\\x1bwo",
            ],
            self.sentences(starts, late, replace(late, loyal_at=5)),
        )

    def test_renewal(self) -> None:
        """
        A vassal that is renewed beside itself is told from the beginning to the
        end.
        """
        self.assertEqual(
            [
                "Vassal a.ini (pid 7) is renewed: its next generation starts (pid 8)",
                "Vassal a.ini reloads (pid 8)",
                "Vassal a.ini accepts requests (pid 8, 2 s)",
            ],
            self.sentences(
                VassalStatus(ID, Phase.RENEWING, since=1, pid=7, successor=8),
                VassalStatus(ID, Phase.RELOADING, since=3, pid=8),
                VassalStatus(ID, Phase.ACCEPTING, since=3, pid=8),
            ),
        )

    def test_failed_renewal(self) -> None:
        """
        A vassal that serves on has not begun to serve again.
        """
        serves = VassalStatus(ID, Phase.ACCEPTING, since=1, pid=7)
        self.assertEqual(
            [
                "Vassal a.ini accepts requests (pid 7, 0 s)",
                "Vassal a.ini (pid 7) is renewed: its next generation starts (pid 8)",
                "Vassal a.ini: no (1 failed reloads); it said last: nothing",
            ],
            self.sentences(
                serves,
                replace(serves, phase=Phase.RENEWING, since=3, successor=8),
                replace(serves, trouble="no", failed_reloads=1),
            ),
        )

    def test_sleep(self) -> None:
        """
        It is told what will wake a vassal.
        """
        demand, idle = self.sentences(
            VassalStatus(ID, Phase.ASLEEP, held=True),
            VassalStatus(ID, Phase.ASLEEP, since=1),
        )
        self.assertEqual("Vassal a.ini sleeps until somebody connects", demand)
        self.assertIn("until a router has a request for it or its file changes", idle or "")

    def test_rest(self) -> None:
        """
        It is told what a vassal that does not start by itself waits for.
        """
        waits, stopped = self.sentences(
            VassalStatus(ID, Phase.ASLEEP, rest=Rest.COMMAND),
            VassalStatus(ID, Phase.ASLEEP, since=1, rest=Rest.STOPPED),
        )
        self.assertEqual("Vassal a.ini waits for a command, or for a request", waits)
        self.assertEqual("Vassal a.ini is stopped until a command starts it", stopped)

    def test_odd_name(self) -> None:
        """
        A name cannot write lines of its own.
        """
        odd = VassalStatus(VassalId("dir:///v", "a\nb\x1b.ini"), Phase.GONE)
        self.assertEqual(["Vassal a\\nb\\x1b.ini is gone"], self.sentences(odd))
