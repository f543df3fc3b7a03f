"""
Tests for L{emperor.commanding.obeying}.
"""

from __future__ import annotations

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.commanding.obeying import TEXT_LIMIT, Obedience
from emperor.vassals.status import Phase
from emperor.wire.commands import CommandReply, VassalCommand, Verb
from tests.commanding.realm import MONITORS, Realm


class ObedienceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.realm = Realm()
        self.obedience = Obedience(self.realm.reactor, self.realm.emperor)

    def tell(self, verb: Verb, vassal: str = "", **more: object) -> CommandReply:
        reply = self.obedience.obey(VassalCommand(verb, vassal, **more))  # type: ignore[arg-type]
        self.realm.reactor.advance(0)
        return reply

    def test_stop_and_spawn(self) -> None:
        """
        A vassal is stopped, and started again.
        """
        self.assertEqual(
            self.tell(Verb.STOP, "a.ini"), CommandReply(True, "stop a.ini of dir:///v")
        )
        self.assertEqual(self.realm.phases(), [Phase.STOPPING, Phase.ACCEPTING, Phase.ACCEPTING])
        self.realm.reactor.processes[0].ends()
        self.assertEqual(self.realm.phases()[0], Phase.ASLEEP)
        self.assertTrue(self.tell(Verb.SPAWN, "a.ini").done)
        self.assertEqual(self.realm.phases()[0], Phase.STARTING)

    def test_respawn(self) -> None:
        """
        A vassal reloads.
        """
        self.tell(Verb.RESPAWN, "a.ini")
        self.assertEqual(self.realm.phases()[0], Phase.RELOADING)

    def test_of_every_monitor(self) -> None:
        """
        Of several vassals with the name all are meant, unless the monitor is named,
        with or without its scheme.
        """
        self.assertEqual(
            self.tell(Verb.RESPAWN, "b.ini").message, "respawn b.ini of dir:///v, dir:///w"
        )
        self.assertEqual(self.realm.phases()[1:], [Phase.RELOADING] * 2)
        self.assertTrue(self.tell(Verb.STOP, "b.ini", monitor=MONITORS[1]).done)
        self.assertEqual(self.realm.phases()[1:], [Phase.RELOADING, Phase.STOPPING])
        self.assertTrue(self.tell(Verb.STOP, "b.ini", monitor="/v").done)
        self.assertEqual(self.realm.phases()[1:], [Phase.STOPPING, Phase.STOPPING])

    def test_unknown(self) -> None:
        """
        A vassal that is not there is told.
        """
        self.assertEqual(
            self.tell(Verb.SPAWN, "c\n").message,
            "there is no vassal c\\n; accepted: its name as the log and the statistics show it",
        )
        reply = self.tell(Verb.STOP, "a.ini", monitor="/w")
        self.assertFalse(reply.done)
        self.assertIn("no vassal a.ini of the monitor /w;", reply.message)

    def test_for_a_request(self) -> None:
        """
        What a router asks for starts nothing that was stopped or is held back.
        """
        self.realm.reactor.processes[0].ends(1)
        self.tell(Verb.SPAWN, "a.ini", by_request=True)
        self.assertEqual(self.realm.phases()[0], Phase.HELD_BACK)
        self.tell(Verb.STOP, "a.ini")
        self.tell(Verb.SPAWN, "a.ini", by_request=True)
        self.assertEqual(self.realm.phases()[0], Phase.ASLEEP)
        self.tell(Verb.SPAWN, "a.ini")
        self.assertEqual(self.realm.phases()[0], Phase.STARTING)

    def test_log(self) -> None:
        """
        A message is logged: as a line, and not more than a line's length.
        """
        with capturedLogs() as events:
            self.tell(Verb.LOG, text="deployed\n2.1")
            self.tell(Verb.LOG, text="x" * 5000)
        self.assertEqual(formatEvent(events[0]), "deployed\\n2.1")
        self.assertEqual(len(formatEvent(events[1]) or ""), TEXT_LIMIT + 1)

    def test_rescan(self) -> None:
        """
        The monitors look once in a turn of the reactor, however many ask for it.
        """
        for _ in range(5):
            self.obedience.obey(VassalCommand(Verb.RESCAN))
        self.realm.reactor.advance(0)
        self.assertEqual([monitor.rescans for monitor in self.realm.monitors], [1, 1])
        self.obedience.obey(VassalCommand(Verb.RESCAN))
        self.obedience.stop()
        self.realm.reactor.advance(0)
        self.assertEqual([monitor.rescans for monitor in self.realm.monitors], [1, 1])

    def test_at_the_end(self) -> None:
        """
        Nothing is started when the program stops.
        """
        self.realm.emperor.stopService()
        self.assertEqual(self.tell(Verb.SPAWN, "a.ini"), CommandReply(False, "the program stops"))
