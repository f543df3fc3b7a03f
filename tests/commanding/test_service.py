"""
Tests for L{emperor.commanding.service}.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import cast

from twisted.internet.interfaces import IReadDescriptor
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import SocketAddress, TcpAddress, UnixAddress
from emperor.commanding.service import (
    LOGGED_PER_SECOND,
    CommandService,
    ICommandReactor,
    open_commands,
)
from emperor.config.commandsettings import CommandSettings
from emperor.proxy.binding import CannotListen
from emperor.vassals.status import Phase
from emperor.wire.commands import (
    CommandReply,
    VassalCommand,
    Verb,
    build_command,
    parse_reply,
    spawn,
)
from tests.commanding.realm import Realm
from tests.proxy.polling import PollingClock


class CommandServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="emperor-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.path = self.place / "command"
        self.realm = Realm()
        self.reactor = PollingClock()

    def serve(self, *addresses: SocketAddress, trusted: tuple[str, ...] = ()) -> None:
        settings = CommandSettings(sockets=addresses, trusted=trusted, mode=0o620)
        self.sockets = open_commands(settings)
        reactor = cast(ICommandReactor, self.reactor)
        self.service = CommandService(reactor, self.realm.emperor, settings, self.sockets)
        self.service.startService()
        self.addCleanup(self.stop)

    def stop(self) -> None:
        if self.service.running:
            self.service.stopService()

    def serve_unix(self) -> None:
        self.serve(UnixAddress(os.fsencode(self.path)))

    def client(self, named: bool = True) -> socket.socket:
        """
        Somebody who sends; one without a name gets no answer.
        """
        server = self.sockets[0]
        client = socket.socket(server.family, socket.SOCK_DGRAM)
        self.addCleanup(client.close)
        if server.family == socket.AF_UNIX and named:
            client.bind("")
        client.connect(server.getsockname())
        client.setblocking(False)
        return client

    def send(self, client: socket.socket, *datagrams: bytes) -> list[str]:
        """
        @return: the log.
        """
        with capturedLogs() as events:
            for datagram in datagrams:
                client.send(datagram)
            for reader in list(self.reactor.readers):
                cast(IReadDescriptor, reader).doRead()
            self.reactor.advance(0)
        return [formatEvent(event) or "" for event in events]

    def test_unix(self) -> None:
        """
        Who may write to the socket may command; the log names him.
        """
        self.serve_unix()
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o620)
        lines = self.send(self.client(), build_command(VassalCommand(Verb.RESPAWN, "a.ini")))
        self.realm.reactor.advance(0)
        self.assertEqual(self.realm.phases()[0], Phase.RELOADING)
        me = f"process {os.getpid()} of user {os.getuid()}"
        self.assertIn(f"Command from {me}: respawn a.ini of dir:///v", lines)
        self.service.stopService()
        self.assertFalse(self.path.exists())

    def test_reply(self) -> None:
        """
        Only who asks for an answer gets one, a mistake included.
        """
        for address in (UnixAddress(os.fsencode(self.path)), TcpAddress("127.0.0.1", 0)):
            self.serve(address, trusted=("127.0.0.0/8",))
            client = self.client()
            self.send(client, build_command(VassalCommand(Verb.RESCAN)))
            self.assertRaises(BlockingIOError, client.recv, 4096)
            self.send(client, build_command(VassalCommand(Verb.RESCAN, wants_reply=True)))
            self.assertEqual(
                parse_reply(client.recv(4096)), CommandReply(True, "every monitor looks")
            )
            self.send(client, b"\0\0\0\0\3\0cmd\1\0x\5\0reply\0\0")
            self.assertIn("cmd is 'x'", parse_reply(client.recv(4096)).message)
            self.service.stopService()

    def test_no_name(self) -> None:
        """
        One who wants an answer and has no address gets none.
        """
        self.serve_unix()
        command = VassalCommand(Verb.STOP, "a.ini", wants_reply=True)
        self.send(self.client(named=False), build_command(command))
        self.assertEqual(self.realm.phases()[0], Phase.STOPPING)

    def test_not_trusted(self) -> None:
        """
        Over UDP only those who are trusted are believed, and only they hear
        anything back.
        """
        self.serve(TcpAddress("127.0.0.1", 0), trusted=("192.0.2.0/24",))
        client = self.client()
        command = VassalCommand(Verb.STOP, "a.ini", wants_reply=True)
        [line] = self.send(client, build_command(command))
        self.assertIn("not one of emperor-command-trusted", line)
        self.assertIn("127.0.0.1:", line)
        self.assertRaises(BlockingIOError, client.recv, 4096)
        self.assertEqual(self.realm.phases()[0], Phase.ACCEPTING)

    def test_flood(self) -> None:
        """
        However many mistakes come, the log has few lines.
        """
        self.serve_unix()
        client = self.client()
        lines: list[str] = []
        for _ in range(20):
            lines += self.send(client, *[b"garbage"] * 5)
        self.assertEqual(len(lines), LOGGED_PER_SECOND)
        self.assertIn("is not obeyed: a length at byte", lines[0])
        with capturedLogs() as events:
            self.reactor.advance(1)
        self.assertEqual([formatEvent(each) for each in events], ["90 more commands"])

    def test_flood_of_messages(self) -> None:
        """
        Nor has it more messages.
        """
        self.serve_unix()
        command = build_command(VassalCommand(Verb.LOG, text="hello"))
        client = self.client()
        lines = [line for _ in range(8) for line in self.send(client, *[command] * 5)]
        self.assertEqual(lines, ["hello"] * LOGGED_PER_SECOND)

    def test_for_a_request(self) -> None:
        """
        What routers ask for is no line; what they ask for in vain is one.
        """
        self.serve_unix()
        self.assertEqual(self.send(self.client(), spawn("a.ini")), [])
        [line] = self.send(self.client(), spawn("c.ini"))
        self.assertIn("there is no vassal c.ini", line)

    def test_all_or_none(self) -> None:
        """
        Where one address cannot be had, none is left open.
        """
        first = UnixAddress(os.fsencode(self.path))
        second = UnixAddress(os.fsencode(self.place / "no" / "such"))
        error = self.assertRaises(
            CannotListen, open_commands, CommandSettings(sockets=(first, second))
        )
        self.assertIn("for commands: No such file", str(error))
        self.assertFalse(self.path.exists())
