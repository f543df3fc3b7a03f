"""
Tests for L{emperor.proxy.cheap} and L{emperor.proxy.subscribed}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import HttpSettings
from emperor.interfaces import IPort
from emperor.proxy.cheap import CheapMode, make_cheap_mode
from emperor.routing.roster import RegistrySettings
from emperor.routing.subscriptions import Registry
from tests.proxy.dialogue import LISTEN
from tests.wire.announcements import announcement


class Port:
    """
    A port that can rest.
    """

    accepts = True

    def stopReading(self) -> None:
        self.accepts = False

    def startReading(self) -> None:
        self.accepts = True


class CheapTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.registry = Registry(RegistrySettings(tolerance=5, keep_last=0))
        self.ports = [Port(), Port()]
        self.cheap = CheapMode("http", self.registry)

    def start(self) -> None:
        self.cheap.start(cast(list[IPort], self.ports))

    def announce(self, *, leaving: bool = False) -> None:
        self.registry.announce(announcement(leaving=leaving), 0)

    def accepts(self) -> bool:
        [accepts] = {port.accepts for port in self.ports}
        return accepts

    def log(self, do: Callable[[], object]) -> list[str]:
        with capturedLogs() as logs:
            do()
        return [formatEvent(event) for event in logs]

    def test_life(self) -> None:
        """
        It accepts from the first node on until the last one has gone, and says
        so each time.
        """
        self.assertEqual(self.log(self.start), ["http is in cheap mode until somebody subscribes"])
        self.assertFalse(self.accepts())
        for _ in range(2):
            self.assertEqual(self.log(self.announce), ["http leaves cheap mode"])
            self.assertTrue(self.accepts())
            self.assertEqual(
                self.log(lambda: self.announce(leaving=True)),
                ["http enters cheap mode: nobody is subscribed any more"],
            )
            self.assertFalse(self.accepts())

    def test_expired(self) -> None:
        """
        A node that was not heard of is gone as well.
        """
        self.start()
        self.announce()
        self.registry.expire(6)
        self.assertFalse(self.accepts())

    def test_known(self) -> None:
        """
        With a node from before the start it accepts at once.
        """
        self.announce()
        self.assertEqual(self.log(self.start), [])
        self.assertTrue(self.accepts())

    def test_stopped(self) -> None:
        """
        A router that stops is left alone, as is one that has not begun.
        """
        self.announce()
        self.start()
        self.cheap.stop()
        self.announce(leaving=True)
        self.assertTrue(self.accepts())

    def test_option(self) -> None:
        """
        Nobody who did not ask for it gets it.
        """
        settings = HttpSettings(listen=LISTEN)
        self.assertIsNone(make_cheap_mode(settings, self.registry))
        cheap = make_cheap_mode(HttpSettings(listen=LISTEN, cheap=True), self.registry)
        self.assertIsInstance(cheap, CheapMode)
