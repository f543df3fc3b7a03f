"""
Tests for L{emperor.vassals.waitinghooks}.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.launchsettings import LaunchSettings
from emperor.testing.vassals import make_spec
from emperor.vassals.hooks import Occasion
from emperor.vassals.status import Phase, Rest, VassalStatus
from emperor.vassals.waitinghooks import WaitingHooks
from emperor.wire.hooks import Command

DEMAND = Command("hook-as-on-demand-vassal", ("/bin/demand",))
CONFIG = Command("hook-as-on-config-vassal", ("/bin/config",))


class Runner:
    """
    Notes what would be run.
    """

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.occasion: Occasion | None = None

    def run(self, commands: Sequence[Command], occasion: Occasion) -> None:
        self.ran += [command.name for command in commands]
        self.occasion = occasion


class WaitingHooksTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.spec = make_spec("a.ini", directory="/v")
        self.start()

    def start(self, tyrant: bool = False) -> None:
        self.runner = Runner()
        launch = LaunchSettings(on_demand=(DEMAND,), on_config=(CONFIG,), tyrant=tyrant)
        self.hooks = WaitingHooks(launch, self.runner, lambda id: self.spec)

    def live(self, *moments: tuple[Phase, float], rest: Rest = Rest.NONE) -> list[str]:
        """
        @return: what was run.
        """
        self.runner.ran.clear()
        for phase, since in moments:
            self.hooks.saw(VassalStatus(self.spec.id, phase, since=since, rest=rest))
        return self.runner.ran

    def test_begins_to_wait(self) -> None:
        """
        Each time it begins to wait, whatever for.
        """
        asleep = (Phase.ASLEEP, 1.0)
        self.assertEqual(self.live(asleep), [DEMAND.name])
        self.assertEqual(self.live(asleep), [])
        self.assertEqual(self.live((Phase.STARTING, 2), (Phase.ASLEEP, 3)), [DEMAND.name])
        self.assertEqual(self.live((Phase.GONE, 4)), [])
        self.assertEqual(self.live((Phase.ASLEEP, 5), rest=Rest.COMMAND), [DEMAND.name])

    def test_changed_file(self) -> None:
        """
        When it lies down again without having been up, its file has changed.
        """
        self.live((Phase.ASLEEP, 1))
        self.assertEqual(self.live((Phase.ASLEEP, 2)), [CONFIG.name])

    def test_stopped(self) -> None:
        """
        One that was stopped does not wait.
        """
        stopped = [(Phase.ASLEEP, 1.0), (Phase.ASLEEP, 2.0)]
        self.assertEqual(self.live(*stopped, rest=Rest.STOPPED), [])

    def test_what_it_finds(self) -> None:
        """
        The command is told which vassal it is, and whose.
        """
        self.live((Phase.ASLEEP, 1))
        assert self.runner.occasion is not None
        found = self.runner.occasion.variables()
        self.assertEqual(found["UWSGI_HOOK_CONTEXT"], "a.ini")
        self.assertEqual(found["UWSGI_VASSAL_UID"], str(os.geteuid()))

    def test_tyrant(self) -> None:
        """
        With emperor-tyrant it is the owner of the file; where that cannot be found
        the command is run all the same.
        """
        self.start(tyrant=True)
        path = self.mktemp()
        with open(path, "w"):
            pass
        if os.geteuid() == 0:
            os.chown(path, 1234, 1234)
        self.spec = make_spec(os.path.abspath(path))
        self.live((Phase.ASLEEP, 1))
        assert self.runner.occasion is not None
        expected = 1234 if os.geteuid() == 0 else os.geteuid()
        self.assertEqual(self.runner.occasion.uid, expected)
        self.spec = make_spec("/no/such/file.ini")
        self.assertEqual(self.live((Phase.ASLEEP, 2)), [DEMAND.name])
        self.assertEqual(self.runner.occasion.uid, os.geteuid())

    def test_none(self) -> None:
        """
        Where there are no commands nothing is looked up.
        """
        hooks = WaitingHooks(LaunchSettings(), self.runner, lambda id: self.fail("looked up"))
        hooks.saw(VassalStatus(self.spec.id, Phase.ASLEEP))
        self.assertEqual(self.runner.ran, [])
