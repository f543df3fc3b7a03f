"""
Tests for L{emperor.status.snapshot}.
"""

from __future__ import annotations

import os
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor import __version__
from emperor.addresses import UnixAddress
from emperor.config.settings import SubscriptionSettings
from emperor.interfaces import IRouterState
from emperor.status.snapshot import ProcessState, ProgramState, take
from emperor.wire.control import Counts
from tests.status.shown import SETTINGS, ShownRouter


class TakeTests(SynchronousTestCase):
    def test_program(self) -> None:
        """
        Who and where the program is, and what the router has done.
        """
        router = ShownRouter(SETTINGS)
        verifyObject(IRouterState, router)
        router.shown = Counts(3)
        state = take(router)
        who = ProgramState(__version__, os.getpid(), os.getuid(), os.getgid(), os.getcwd())
        self.assertEqual(who, state.program)
        self.assertEqual("fastrouter", state.kind)
        self.assertEqual(
            (Counts(3), (ProcessState(7, Counts(3)),)), (state.counts, state.processes)
        )

    def test_sockets(self) -> None:
        """
        Where it listens, then where nodes subscribe.
        """
        servers = SubscriptionSettings(servers=(UnixAddress(b"/s"),))
        state = take(ShownRouter(replace(SETTINGS, subscriptions=servers)))
        self.assertEqual(("127.0.0.1:3031", "/s"), state.sockets)
        self.assertTrue(state.has_pools)

    def test_pools(self) -> None:
        """
        Pools are also there if only vassals are in them.
        """
        router = ShownRouter(SETTINGS)
        self.assertFalse(take(router).has_pools)
        router.announce("a.test")
        self.assertTrue(take(router).has_pools)

    def test_cheap(self) -> None:
        """
        A cheap router sleeps while it has no pool.
        """
        router = ShownRouter(replace(SETTINGS, cheap=True))
        self.assertTrue(take(router).sleeping)
        router.announce("a.test")
        self.assertFalse(take(router).sleeping)

    def test_no_directory(self) -> None:
        """
        A working directory that was removed is none.
        """

        def gone() -> str:
            raise FileNotFoundError

        self.patch(os, "getcwd", gone)
        self.assertEqual("", take(ShownRouter(SETTINGS)).program.cwd)
