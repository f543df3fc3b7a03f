"""
Tests for L{emperor.vassals.directory}.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import UnixAddress
from emperor.interfaces import IVassalDirectory
from emperor.vassals.directory import Directory
from emperor.vassals.spec import VassalId
from emperor.vassals.status import Phase, Rest, VassalStatus

PLACE = UnixAddress(b"/a.sock")
ONE = VassalId("dir:///v", "a.ini")
TWO = VassalId("dir:///w", "a.ini")


class Shelf(Directory):
    """
    Vassals that a test puts there.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.vassals: dict[VassalId, VassalStatus] = {}
        self.started: list[VassalId] = []

    def _known(self, id: VassalId) -> VassalStatus | None:
        return self.vassals.get(id)

    def _start_sleeper(self, id: VassalId) -> None:
        self.started.append(id)

    def put(self, id: VassalId, phase: Phase, rest: Rest = Rest.NONE, woken: bool = False) -> None:
        self._whereabouts.settle(id, frozenset({PLACE}))
        self._whereabouts.note(id, phase)
        self.vassals[id] = VassalStatus(id, phase, rest=rest, woken=woken)


class DirectoryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.shelf = Shelf(Clock())

    def test_interface(self) -> None:
        """
        It is what routers ask.
        """
        verifyObject(IVassalDirectory, self.shelf)

    def test_nobody(self) -> None:
        """
        Of nobody there is nothing to say.
        """
        self.assertFalse(self.shelf.rouse(PLACE))
        self.assertFalse(self.shelf.rouse_named("a.ini"))
        self.assertIsNone(self.shelf.reason_for_absence(PLACE))
        self.assertIsNone(self.shelf.reason_named("a.ini"))
        self.assertFalse(self.shelf.is_stopped("a.ini"))

    def test_every_phase(self) -> None:
        """
        Who sleeps is started and waited for; who was woken is waited for while he
        comes, and nobody else is.
        """
        sleeping = {Phase.ASLEEP, Phase.RETIRING}
        coming = {Phase.QUEUED, Phase.STARTING, Phase.READY, Phase.REPLACED, *sleeping}
        for phase in Phase:
            for woken in (False, True):
                self.shelf.started.clear()
                self.shelf.put(ONE, phase, woken=woken)
                waits = phase in sleeping or (woken and phase in coming)
                self.assertEqual(self.shelf.rouse(PLACE), waits, (phase, woken))
                self.assertEqual(self.shelf.started, [ONE] if phase in sleeping else [])

    def test_all_of_a_name(self) -> None:
        """
        All vassals of a name are started.
        """
        self.shelf.put(ONE, Phase.ASLEEP)
        self.shelf.put(TWO, Phase.ASLEEP, Rest.COMMAND)
        self.assertTrue(self.shelf.rouse_named("a.ini"))
        self.assertEqual(self.shelf.started, [ONE, TWO])

    def test_stopped(self) -> None:
        """
        Who was stopped is not started; a name is stopped when all of it are.
        """
        self.shelf.put(ONE, Phase.ASLEEP, Rest.STOPPED)
        self.assertTrue(self.shelf.is_stopped("a.ini"))
        self.assertFalse(self.shelf.rouse(PLACE))
        self.assertEqual(self.shelf.reason_named("a.ini"), "vassal a.ini was stopped by a command")
        self.shelf.put(TWO, Phase.ACCEPTING)
        self.assertFalse(self.shelf.is_stopped("a.ini"))

    def test_keys(self) -> None:
        """
        Who names a key and does not accept is the reason why nobody answers for it.
        """
        changed: list[VassalId] = []
        self.shelf.watch_keys(changed.append)
        self.assertIsNone(self.shelf.reason_for_keys(["a.com"]))
        for _ in range(2):
            self.shelf.name_keys(ONE, ["a.com"])
        self.assertEqual(([ONE], ("a.com",)), (changed, self.shelf.keys(ONE)))
        self.assertIsNone(self.shelf.reason_for_keys(["a.com"]))  # It is not there.
        self.shelf.put(ONE, Phase.EXILED)
        reason = str(self.shelf.reason_for_keys(["x.a.com", "a.com"]))
        self.assertIn("vassal a.ini asked not to be started again", reason)
        self.assertIsNone(self.shelf.reason_for_keys(["b.com"]))
        self.shelf.put(ONE, Phase.ACCEPTING)
        self.assertIsNone(self.shelf.reason_for_keys(["a.com"]))

    def test_reason(self) -> None:
        """
        Of several the first one that does not accept gives the reason.
        """
        self.shelf.put(ONE, Phase.ACCEPTING)
        self.assertEqual(self.shelf.reason_named("a.ini"), "")
        self.shelf.put(TWO, Phase.STARTING)
        self.assertEqual(self.shelf.reason_named("a.ini"), "vassal a.ini is starting")
