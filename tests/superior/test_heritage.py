"""
Tests for L{emperor.superior.heritage}.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from dataclasses import replace
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import (
    BorrowedSocket,
    ListenAddress,
    SharedSocket,
    TcpAddress,
    UnixAddress,
)
from emperor.config.settings import RouterSettings, Settings
from emperor.proxy.binding import CannotListen
from emperor.proxy.inherited import KEPT
from emperor.proxy.listeners import OpenRouter, open_routers
from emperor.superior.heritage import Heritage, wanted


def settings(*listen: ListenAddress, backlog: int = 10, kind: str = "http") -> Settings:
    """
    A configuration with one router.
    """
    return Settings(routers=(RouterSettings(kind=kind, listen=listen, backlog=backlog),))


class HeritageTests(SynchronousTestCase):
    """
    A program with a TCP and a UNIX socket, and what is left of them.
    """

    def setUp(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="emperor-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.tcp = self.free()
        self.unix = self.path("a")
        self.before = settings(self.tcp, self.unix)
        self.opened = open_routers(self.before.routers)
        self.heritage = self.inherit(self.opened, self.before)

    def inherit(self, opened: list[OpenRouter], before: Settings) -> Heritage:
        heritage = Heritage(opened, before)
        self.addCleanup(self.end)
        self.addCleanup(heritage.close)
        heritage.startService()
        return heritage

    def end(self) -> None:
        """
        The routers stop, and leave the files.
        """
        for router in self.opened:
            for row in router.rows:
                for each in row:
                    each.close()

    def free(self) -> TcpAddress:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            return TcpAddress("127.0.0.1", probe.getsockname()[1])

    def path(self, name: str) -> UnixAddress:
        return UnixAddress(os.fsencode(self.place / name))

    def accepts(self, address: ListenAddress) -> bool:
        """
        Whether a client can connect.
        """
        if isinstance(address, TcpAddress):
            with socket.socket() as client:
                return client.connect_ex((address.host, address.port)) == 0
        assert isinstance(address, UnixAddress)
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(address.path) == 0

    def names(self) -> dict[int, str]:
        return {each.number: each.name for each in self.heritage.passed()}

    def test_end_of_the_program(self) -> None:
        """
        Usually nothing listens any more when the routers do not.
        """
        self.heritage.stopService()
        self.end()
        self.assertFalse(self.accepts(self.tcp))
        self.assertEqual(self.heritage.passed(), [])

    def test_kept(self) -> None:
        """
        What is asked for as before stays open, and is numbered.
        """
        self.heritage.prepare(self.before)
        self.assertEqual(self.heritage.keep(), {self.tcp, self.unix})
        self.heritage.stopService()
        self.end()
        self.assertTrue(self.accepts(self.tcp))
        self.assertTrue(self.accepts(self.unix))
        self.assertEqual(self.names(), {3: KEPT, 4: KEPT})

    def test_abandoned(self) -> None:
        """
        If the program does not come back after all, nothing listens, and no file is
        left.
        """
        self.heritage.prepare(settings(self.tcp, self.unix, self.path("b")))
        self.heritage.keep()
        self.heritage.stopService()
        self.end()
        self.heritage.close()
        self.assertFalse(self.accepts(self.tcp))
        self.assertEqual(list(self.place.iterdir()), [])

    def test_left_out(self) -> None:
        """
        What the new configuration does not have, or has in another way, is closed.
        """
        self.heritage.prepare(settings(self.unix))
        self.assertEqual(self.heritage.keep(), {self.unix})
        self.end()
        self.assertFalse(self.accepts(self.tcp))

    def test_in_another_way(self) -> None:
        """
        A socket with another backlog is opened anew by the next program.
        """
        self.heritage.prepare(settings(self.tcp, self.unix, backlog=20))
        self.assertEqual(self.heritage.keep(), frozenset())

    def test_new(self) -> None:
        """
        What it has besides is open at once.
        """
        tcp, unix = self.free(), self.path("b")
        self.heritage.prepare(settings(self.tcp, tcp, unix))
        self.assertTrue(self.accepts(tcp))
        self.assertEqual(self.heritage.keep(), {self.tcp, tcp, unix})
        self.assertEqual(self.names(), {3: KEPT, 4: KEPT, 5: KEPT})

    def test_in_use(self) -> None:
        """
        What somebody else has refuses the configuration; what was opened before is
        closed, and ours stays.
        """
        with socket.create_server(("127.0.0.1", 0)) as taken:
            other = TcpAddress("127.0.0.1", taken.getsockname()[1])
            unix = self.path("b")
            self.assertRaises(CannotListen, self.heritage.prepare, settings(unix, other))
        self.assertFalse(self.accepts(unix))
        self.assertEqual(list(self.place.iterdir()), [self.place / "a"])
        self.assertTrue(self.accepts(self.tcp))

    def test_in_our_own_way(self) -> None:
        """
        A port that is ours, with another address, is opened by the next program.
        """
        everywhere = TcpAddress("", self.tcp.port)
        self.heritage.prepare(settings(everywhere))
        self.assertEqual(self.heritage.keep(), frozenset())

    def test_prepared_twice(self) -> None:
        """
        What was opened for a configuration that did not come is closed.
        """
        first, second = self.path("b"), self.path("c")
        self.heritage.prepare(settings(first))
        self.heritage.prepare(settings(second))
        self.assertEqual(self.heritage.keep(), {second})
        self.assertFalse((self.place / "b").exists())

    def test_shared(self) -> None:
        """
        A socket that several routers share is kept once, and is opened in the way
        of the first.
        """
        first = replace(self.before.routers[0], listen=(SharedSocket(0),))
        second = replace(first, kind="fastrouter", backlog=20)
        shared = Settings(routers=(first, second), shared_sockets=(self.free(),))
        self.opened += open_routers(shared.routers, shared.shared_sockets)
        self.heritage = self.inherit(self.opened[1:], shared)
        self.assertEqual([manner.backlog for manner in wanted(shared).values()], [10])
        self.heritage.prepare(shared)
        self.assertEqual(self.heritage.keep(), set(shared.shared_sockets))

    def test_borrowed(self) -> None:
        """
        What was passed to us is passed on: by its name, or as the same number; what
        a zerg server gave us it gives again.
        """
        origins = ("fd://4", "fd://web", "fd://0", "zerg /run/zerg")
        places = [BorrowedSocket(self.free(), origin) for origin in origins]
        rows = [[socket.create_server(("127.0.0.1", 0)) for _ in places]]
        router = RouterSettings(kind="http", listen=(*places, self.unix))
        rows[0].append(self.opened[0].rows[0][1])
        self.opened.append(OpenRouter(router, rows))
        self.heritage = self.inherit(self.opened[1:], settings(self.unix))
        self.heritage.prepare(settings(self.unix))
        self.assertEqual(self.heritage.keep(), {*places[:3], self.unix})
        self.assertEqual(self.names(), {0: "", 3: "web", 4: "", 5: KEPT})

    def test_nothing_open(self) -> None:
        """
        A program may have no socket at all.
        """
        empty = OpenRouter(RouterSettings(kind="instance", listen=()), [])
        heritage = Heritage([empty], Settings())
        heritage.prepare(Settings())
        self.assertEqual((heritage.keep(), heritage.passed()), (frozenset(), []))
