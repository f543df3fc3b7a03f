"""
Tests for L{emperor.vassals.blanks}.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress
from emperor.config.doorways import Doorway
from emperor.testing.vassals import MemoryDoor, make_spec
from emperor.vassals.blanks import knowing_by_file, needing_a_file
from emperor.vassals.core import NoProcess
from emperor.vassals.doors import NO_DOOR, Door, Unclear
from emperor.vassals.launcher import Launched, LaunchFailed
from emperor.vassals.process import Listener
from emperor.vassals.spec import VassalSpec

HELD = Doorway(TcpAddress("", 9000))


class Nobody:
    """
    Who listens to a process that there is not.
    """

    def __getattr__(self, name: str) -> object:
        raise AssertionError(name)


def launch(spec: VassalSpec, listener: Listener, door: Door) -> Launched:
    """
    Start nothing.
    """
    return NoProcess()


class BlankTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.blank = True

    def is_blank(self, spec: VassalSpec) -> bool:
        return self.blank

    def test_find(self) -> None:
        """
        An empty file does not say that there is no door; one of our own
        configuration has no file, and a zerg has its parent's.
        """
        find = knowing_by_file(lambda spec: HELD, self.is_blank)
        error = self.assertRaises(Unclear, find, make_spec())
        self.assertEqual("there is nothing for uWSGI in its file", str(error))
        self.assertEqual(HELD, find(replace(make_spec(), is_instance=True)))
        self.assertEqual(HELD, find(replace(make_spec(), parent=make_spec().id)))
        self.blank = False
        self.assertEqual(HELD, find(make_spec()))

    def test_launch(self) -> None:
        """
        With an empty file and a socket of the Emperor's nothing is started.
        """
        start = needing_a_file(launch, self.is_blank)
        door = MemoryDoor(HELD)
        self.assertRaises(LaunchFailed, start, make_spec(), Nobody(), door)
        start(make_spec(), Nobody(), NO_DOOR)  # type: ignore[arg-type]
        self.blank = False
        start(make_spec(), Nobody(), door)  # type: ignore[arg-type]
