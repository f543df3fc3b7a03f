"""
Tests for L{emperor.superior.renewal}.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import ILogObserver, LogEvent, LogLevel
from twisted.logger import globalLogPublisher as publisher
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.builder import build
from emperor.config.errors import ConfigurationError, Problem
from emperor.config.loading import Loaded
from emperor.config.pairs import Pair
from emperor.config.settings import Origin, Settings
from emperor.proxy.binding import CannotListen
from emperor.superior.renewal import Renewal, fingerprint
from emperor.superior.service import Outcome


def loaded(port: int, line: int = 1) -> Loaded:
    """
    A configuration with one router.
    """
    pairs = (
        Pair("http", f"127.0.0.1:{port}", Origin("f.ini", line)),
        Pair("http-to", "/run/a", Origin("f.ini", line)),
    )
    return Loaded(build(pairs, set()), pairs)


class RenewalTests(SynchronousTestCase):
    """
    What a reload comes to.
    """

    def setUp(self) -> None:
        self.now: Loaded | Exception = loaded(80)
        self.trouble: Exception | None = None
        self.threads: list[Callable[[], object]] = []
        self.calls: list[str] = []
        self.outcomes: list[Outcome] = []
        self.lines: list[str] = []
        self.renewal = Renewal(
            loaded(80),
            load=self._load,
            prepare=self._prepare,
            in_thread=self._in_thread,
            refresh=partial(self.calls.append, "refresh"),
            renew=partial(self.calls.append, "renew"),
            abandon=partial(self.calls.append, "abandon"),
        )
        observer = cast(ILogObserver, self._log)
        publisher.addObserver(observer)
        self.addCleanup(publisher.removeObserver, observer)

    def _log(self, event: LogEvent) -> None:
        if event.get("log_level") is LogLevel.error:
            self.lines.append(str(event.get("problem", event["log_format"])))

    def _load(self) -> Loaded:
        if isinstance(self.now, Exception):
            raise self.now
        return self.now

    def _prepare(self, settings: Settings) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.calls.append("prepare")

    def _in_thread(self, call: Callable[[], bool]) -> Deferred[bool]:
        result: Deferred[bool] = Deferred()
        self.threads.append(lambda: maybeDeferred(call).chainDeferred(result))
        return result

    def reload(self) -> None:
        self.renewal.reload(self.outcomes.append)

    def read(self) -> None:
        """
        The thread has done it.
        """
        self.threads.pop(0)()

    def check(self, outcomes: list[Outcome], calls: list[str]) -> None:
        self.assertEqual((self.outcomes, self.calls), (outcomes, calls))

    def test_fingerprint(self) -> None:
        """
        Where something is written makes no difference, what is written does.
        """
        self.assertEqual(fingerprint(loaded(80)), fingerprint(loaded(80, 7)))
        self.assertNotEqual(fingerprint(loaded(80)), fingerprint(loaded(81)))

    def test_same(self) -> None:
        """
        The same configuration: all vassals reload, as often as it is asked for.
        """
        self.now = loaded(80, line=3)
        for times in (1, 2):
            self.reload()
            self.read()
            self.check([Outcome.SAME] * times, ["refresh"] * times)

    def test_another(self) -> None:
        """
        Another one that can be had: the program is renewed, and hears no more
        reloads.
        """
        self.now = loaded(81)
        self.reload()
        self.check([], [])
        self.read()
        self.check([Outcome.RENEWED], ["prepare", "renew"])
        self.reload()
        self.assertEqual(self.threads, [])

    def test_errors(self) -> None:
        """
        All errors are told, and nothing changes; the next one may be good.
        """
        problems = [Problem(text, Origin("f.ini", 2)) for text in ("one", "two")]
        self.now = ConfigurationError(problems)
        self.reload()
        self.read()
        self.check([Outcome.REFUSED], [])
        self.assertEqual(self.lines[:2], ["f.ini:2: one", "f.ini:2: two"])
        self.now = loaded(81)
        self.reload()
        self.read()
        self.check([Outcome.REFUSED, Outcome.RENEWED], ["prepare", "renew"])

    def test_cannot_be_had(self) -> None:
        """
        One that is right and cannot be had, too.
        """
        self.now, self.trouble = loaded(81), CannotListen("cannot listen on 127.0.0.1:81: no")
        self.reload()
        self.read()
        self.check([Outcome.REFUSED], [])
        self.assertEqual(self.lines[0], "cannot listen on 127.0.0.1:81: no")

    def test_surprise(self) -> None:
        """
        So is what nobody has thought of.
        """
        self.now = ZeroDivisionError("what")
        self.reload()
        self.read()
        self.check([Outcome.REFUSED], [])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_asked_meanwhile(self) -> None:
        """
        Orders that come while it is read are one more reading, whatever the first
        one found: it may be older than they are.
        """
        self.now = ConfigurationError([Problem("half", Origin("f.ini", 1))])
        for _ in range(3):
            self.reload()
        self.read()
        self.check([], [])
        self.now = loaded(80)
        self.read()
        self.check([Outcome.SAME], ["refresh"])
        self.assertEqual(self.threads, [])

    def test_end(self) -> None:
        """
        A program that ends reloads nothing.
        """
        self.assertFalse(self.renewal.end())
        self.reload()
        self.assertEqual(self.threads, [])
        self.check([], [])

    def test_end_while_it_is_read(self) -> None:
        """
        What was prepared meanwhile is given up.
        """
        self.now = loaded(81)
        self.reload()
        self.assertFalse(self.renewal.end())
        self.read()
        self.check([], ["prepare", "abandon"])

    def test_end_while_it_leaves(self) -> None:
        """
        The first order to stop keeps it from coming back; the second is one more
        order to stop.
        """
        self.now = loaded(81)
        self.reload()
        self.read()
        self.assertTrue(self.renewal.end())
        self.check([Outcome.RENEWED], ["prepare", "renew", "abandon"])
        self.assertFalse(self.renewal.end())
