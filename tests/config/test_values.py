"""
L{emperor.config.values}
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import BadAddress, NamedAddress, SharedSocket, TcpAddress, UnixAddress
from emperor.config import values
from emperor.config.values import BadValue
from tests.config.fixtures import BOUNDED


class ValueTests(SynchronousTestCase):
    """
    Texts read as values.
    """

    def accepts(self, parse: Callable[[str], Any], **texts: Any) -> None:
        """
        Each text is read as its value.
        """
        for text, value in texts.items():
            self.assertEqual(parse(text), value, text)

    def refuses(self, parse: Callable[[str], Any], *texts: str) -> None:
        """
        Each text is refused.
        """
        for text in texts:
            self.assertRaises(BadValue, parse, text)

    def test_flag(self) -> None:
        """
        Four words are off, everything else is on.
        """
        self.accepts(values.flag, false=False, Off=False, NO=False, **{"0": False})
        self.accepts(values.flag, true=True, yes=True, **{"": True, "1": True, "x": True})

    def test_number(self) -> None:
        """
        Whole numbers in their range.
        """
        self.accepts(values.number, **{"0": 0, "42": 42})
        self.refuses(values.number, "", "-1", "1.5", "x", "٣", "9" * 5000, "99999999999")
        self.assertRaises(BadValue, values.number, "256", highest=255)
        self.assertRaises(BadValue, values.number, "0", lowest=1)

    def test_processes(self) -> None:
        """
        A number of processes, or one for each processor we may use.
        """
        self.accepts(values.processes, **{"1": 1, "64": 64})
        self.refuses(values.processes, "0", "65", "x", "")
        self.patch(os, "sched_getaffinity", lambda pid: {0, 2, 5})
        self.accepts(values.processes, auto=3)

    def test_times(self) -> None:
        """
        Seconds may have decimals; only some may be none.
        """
        self.accepts(values.seconds, **{"3": 3, "0.5": 0.5})
        self.refuses(values.seconds, "0", "-1", "inf", "nan", "1e3", "", "9" * 400)
        self.accepts(values.grace, **{"0": 0, "30": 30})
        self.accepts(values.milliseconds, **{"0": 0, "1500": 1.5})
        self.refuses(values.milliseconds, "1.5", "9" * 11)

    def test_size(self) -> None:
        """
        Bytes with a unit.
        """
        self.accepts(values.size, **{"4096": 4096, "64k": 65536, "1G": 2**30, "128M": 2**27})
        self.refuses(values.size, "", "1T", "K", "-1", "1.5M")

    def test_mode(self) -> None:
        """
        Octal digits; nothing or 1 is everybody.
        """
        self.accepts(values.mode, **{"": 0o666, "1": 0o666, "660": 0o660, "0600": 0o600})
        self.refuses(values.mode, "8", "999", "66", "rw", "66666")

    def test_monitor(self) -> None:
        """
        A place for vassals is a path or has a known scheme; the error for
        another names those, and no secret.
        """
        for text in ("/etc/v", "v/*.ini", "dir:///etc/v", "GLOB://*.ini"):
            self.assertEqual(values.monitor(text), text)
        for text in ("", "dir://"):
            self.assertRaises(BadValue, values.monitor, text)
        error = self.assertRaises(BadValue, values.monitor, "pg://password=x")
        self.assertEqual(
            str(error),
            "pg:// is not supported by this version; accepted: dir://, glob:// or a path",
        )

    def test_addresses_that_are_none(self) -> None:
        """
        A bare port and a reference that leads nowhere are no socket's path.
        """
        for text in ("8080", "%(a)", "/run/$(NO).sock"):
            for parse in (values.address, values.node, values.listen):
                self.assertRaises(BadValue, parse, text)

    def test_words(self) -> None:
        """
        A host without its port and any other word are no path, and what is
        accepted is said; a path may be relative.
        """
        for text in ("127.0.0.1", "x", "localhost", "stats.txt"):
            error = self.assertRaises(BadValue, values.address, text)
            self.assertIn("accepted: :port, ip:port, [v6]:port, /path or @abstract", str(error))
        for text in ("./x", "run/x", "x.sock", "x.socket", "/x"):
            self.accepts(values.address, **{text: UnixAddress(text.encode())})

    def test_transport(self) -> None:
        """
        There are two kinds of transports.
        """
        for text in ("epoll", "twisted"):
            self.assertEqual(values.transport(text), text)
        self.assertRaises(BadValue, values.transport, "uvloop")

    def test_keepalive(self) -> None:
        """
        On is the time-out; a number of seconds is itself.
        """
        for text, seconds in {"": 60, "1": 60, "true": 60, "0": 0, "off": 0, "5": 5}.items():
            self.assertEqual(values.keepalive(text, 60), seconds, text)
        self.assertRaises(BadValue, values.keepalive, "often", 60)

    def test_texts(self) -> None:
        """
        Texts with a shape.
        """
        self.accepts(values.assignment, **{"a=b=c": ("a", "b=c"), "a=": ("a", "")})
        self.refuses(values.assignment, "a", "=b", "")
        self.accepts(values.words, x="x")
        self.refuses(values.words, "")
        self.accepts(values.address, **{":80": TcpAddress("", 80)})
        self.accepts(values.node, **{"app:80": NamedAddress("app", 80)})
        self.accepts(values.listen, **{"=0": SharedSocket(0)})

    def test_places(self) -> None:
        """
        A client's host is put into a fixed place, never the whole of one.
        """
        self.accepts(values.base, **{"/run/": "/run/", "@app.": "@app."})
        self.refuses(values.base, "", "app")
        error = self.assertRaises(BadValue, values.pattern, "/run/a.ini")
        self.assertIn("in a file %%s is written for it", str(error))
        self.accepts(values.pattern, **{"/run/%s.sock": "/run/%s.sock", "@%s": "@%s"})
        self.refuses(values.pattern, "%s", "/run/x.sock", "")

    @settings(deadline=BOUNDED)
    @given(st.text())
    def test_anything(self, text: str) -> None:
        """
        No text ends in another error.
        """
        for parse in (
            values.number,
            values.seconds,
            values.milliseconds,
            values.size,
            values.mode,
            values.address,
            values.node,
            values.listen,
            values.assignment,
            values.pattern,
        ):
            with contextlib.suppress(BadValue, BadAddress):
                parse(text)
