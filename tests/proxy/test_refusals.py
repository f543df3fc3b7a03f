"""
The router's own answers and the log of them.
"""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.task import Clock
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from emperor.proxy.refusals import LOGGED_PER_SECOND, Reason, Refusal, RefusalLog, render


class RenderTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """
        The answer names status, host and reason.
        """
        refusal = Refusal(Reason.UNKNOWN_HOST, "no site is configured", "a.example")
        body = b"404 Not Found\nHost: a.example\nReason: no site is configured.\n"
        expected = (
            b"HTTP/1.1 404 Not Found\r\n"
            b"Content-Type: text/plain; charset=utf-8\r\n"
            b"Content-Length: 61\r\n"
            b"X-Content-Type-Options: nosniff\r\n"
            b"Cache-Control: no-store\r\n"
            b"\r\n"
        )
        self.assertEqual(render(refusal, close=False), expected + body)
        closing = expected[:-2] + b"Connection: close\r\n\r\n"
        self.assertEqual(render(refusal, close=True, head_only=True), closing)

    def test_statuses(self) -> None:
        """
        Every reason has its status, and may have another one.
        """
        statuses = [400, 400, 404, 408, 413, 503, 502, 503, 504, 503, 502, 508, 503]
        self.assertEqual([Refusal(reason, "").code for reason in Reason], statuses)
        self.assertEqual(Refusal(Reason.BAD_REQUEST, "", status=431).code, 431)

    def test_retry_after(self) -> None:
        """
        503, and only that, says when to try again.
        """
        for reason in Reason:
            answer = render(Refusal(reason, ""), close=True)
            self.assertEqual(b"\r\nRetry-After: 2\r\n" in answer, b" 503 " in answer)

    def test_without_host(self) -> None:
        """
        A host that is not known is not named.
        """
        self.assertNotIn(b"Host", render(Refusal(Reason.BAD_REQUEST, "x"), close=True))

    def test_injection(self) -> None:
        """
        Nothing of the host gets into the head, and what cannot be encoded is escaped.
        """
        refusal = Refusal(Reason.BAD_HOST, "x", "a\r\nX: 1\r\n\r\n\udcff")
        head, _, body = render(refusal, close=True).partition(b"\r\n\r\n")
        self.assertNotIn(b"X: 1", head)
        self.assertIn(b"\\udcff", body)
        self.assertIn(b"Content-Length: %d\r\n" % len(body), head)


class RefusalLogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.refusals = RefusalLog(self.clock)
        self.events: list[dict[str, Any]] = []
        observer = cast(ILogObserver, self.events.append)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def refuse(self, count: int = 1) -> None:
        for _ in range(count):
            self.refusals.refused(Refusal(Reason.NODE_FAILED, "why", "a"), "http", "192.0.2.1")

    def test_one(self) -> None:
        """
        A refusal is logged with all that is known.
        """
        self.refuse()
        (event,) = self.events
        known = {key: event[key] for key in ("router", "peer", "code", "detail", "host")}
        expected = {"router": "http", "peer": "192.0.2.1", "code": 502, "detail": "why"}
        self.assertEqual(known, expected | {"host": "a"})

    def test_limit(self) -> None:
        """
        Only some are logged each second; all are counted, and the next second
        says how many were left out.
        """
        self.refuse(LOGGED_PER_SECOND + 5)
        self.assertEqual(len(self.events), LOGGED_PER_SECOND)
        self.assertEqual(self.refusals.counts[Reason.NODE_FAILED], LOGGED_PER_SECOND + 5)
        self.clock.advance(1)
        self.assertEqual(self.events[LOGGED_PER_SECOND]["count"], 5)
        self.refuse(2)
        self.assertEqual(len(self.events), LOGGED_PER_SECOND + 3)
        self.clock.advance(1)
        self.refuse()
        self.assertEqual(len(self.events), LOGGED_PER_SECOND + 4)
