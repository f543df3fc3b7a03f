"""
Tests for L{emperor.subscriptions.service} and L{emperor.subscriptions.building}.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import BorrowedSocket, ListenAddress, TcpAddress, UnixAddress
from emperor.config.settings import HttpSettings, Policy, SubscriptionSettings
from emperor.proxy.binding import CannotListen
from emperor.proxy.listeners import open_routers
from emperor.routing.gatekeeper import Cause
from emperor.subscriptions.building import build_server, build_servers
from emperor.subscriptions.rejections import Fault
from emperor.subscriptions.service import SubscriptionServer
from emperor.subscriptions.sockets import open_servers
from emperor.wire.hops import read_hops
from emperor.wire.signatures import digest, load_signer
from emperor.wire.subscription import Announcement, build_announcement, parse_announcement
from tests.announcing.fakes import FakeReactor
from tests.subscriptions.fakes import NODE, leaving, nodes, said
from tests.wire.announcements import announcement, private_key, private_pem, public_pem

HERE = TcpAddress("198.51.100.1", 80)


class MemoryPool:
    """
    Threads that do at once what they are given.
    """

    def callInThreadWithCallback(
        self, done: Callable[[bool, object], object], call: Callable[..., object], *args: Any
    ) -> None:
        done(True, call(*args))


class Reactor(FakeReactor):
    """
    One that knows what is to be read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[Any] = []
        self.threads = MemoryPool()

    def getThreadPool(self) -> MemoryPool:
        return self.threads

    def callFromThread(self, call: Callable[..., object], *args: Any) -> None:
        call(*args)

    def addReader(self, reader: Any) -> None:
        self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        self.readers.remove(reader)


class ServerCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Reactor()
        os.makedirs(folder := os.path.relpath(self.mktemp()))
        self.folder = folder
        self.address = UnixAddress(os.fsencode(os.path.join(folder, "s")))

    def build(
        self,
        *,
        listen: ListenAddress = HERE,
        **settings: Any,
    ) -> SubscriptionServer:
        subscriptions = SubscriptionSettings(servers=(self.address,), **settings)
        router = HttpSettings(listen=(listen,), subscriptions=subscriptions)
        [sockets] = open_servers([router])
        for each in sockets:
            self.addCleanup(each.close)
        return build_server(self.reactor, router, sockets)

    def start(self, **settings: Any) -> SubscriptionServer:
        server = self.build(**settings)
        server.startService()
        return server

    def stop(self, server: SubscriptionServer) -> Deferred[None]:
        return ensureDeferred(server.stopService())

    def send(self, said: Announcement | bytes) -> None:
        data = said if isinstance(said, bytes) else build_announcement(said)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(data, self.address.path)
        for reader in self.reactor.readers:
            reader.doRead()


class ServerTests(ServerCase):
    """
    One server, from its start to its end.
    """

    def test_life(self) -> None:
        """
        It says where it listens, takes subscriptions, forgets who is silent,
        and leaves nothing behind.
        """
        server = self.build(keep_last=0)
        self.assertEqual(said(server.startService), [f"http takes subscriptions on {self.address}"])
        self.assertEqual(server.name, "http subscriptions")
        self.send(announcement())
        self.assertEqual(nodes(server.registry), {"foo.com": [NODE]})
        self.reactor.pump([1] * 18)
        self.assertEqual(nodes(server.registry), {})
        self.successResultOf(self.stop(server))
        self.assertEqual(self.reactor.readers, [])
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(os.listdir(self.folder), [])

    def test_stopped(self) -> None:
        """
        Nodes are not forgotten while requests end.
        """
        server = self.start()
        self.send(announcement())
        self.successResultOf(self.stop(server))
        self.reactor.pump([10] * 10)
        self.assertEqual(nodes(server.registry), {"foo.com": [NODE]})

    def test_announced_here(self) -> None:
        """
        Others in the program may announce as well, and processes are told.
        """
        server = self.start()
        told: list[Any] = []
        server.news.watch(told.append)
        server.ledger.announce(announcement())
        self.reactor.advance(0)
        self.assertEqual(told[0].nodes[0].announcement, announcement())

    def test_state(self) -> None:
        """
        The next one knows what this one knew, from before its start.
        """
        path = os.path.join(self.folder, "state")
        server = self.start(state=path)
        self.send(announcement())
        self.successResultOf(self.stop(server))
        self.reactor.advance(5)
        self.assertEqual(nodes(self.build(state=path).registry), {"foo.com": [NODE]})

    def test_state_in_between(self) -> None:
        """
        Also if this one is killed.
        """
        path = os.path.join(self.folder, "state")
        self.start(state=path)
        self.send(announcement())
        self.reactor.pump([1] * 8)
        self.assertTrue(os.path.exists(path))

    def test_resubscribe(self) -> None:
        """
        What comes is passed on with its own address, and taken back at the end.
        """
        self.reactor.families.append("198.51.100.2")
        borrowed = BorrowedSocket(TcpAddress("198.51.100.1", 80), "fd://3")
        server = self.start(
            listen=borrowed,
            resubscribe=("192.0.2.9:7000",),
            resubscribe_bind=TcpAddress("198.51.100.2", 0),
        )
        self.send(announcement())
        self.reactor.advance(1)
        [(where, data)] = self.reactor.sent
        found = parse_announcement(data).announcement
        self.assertEqual(where, ("192.0.2.9", 7000))
        self.assertEqual((found.address, found.protocol), ("198.51.100.1:80", "http"))
        self.assertEqual([port.kind for port in self.reactor.ports], ["198.51.100.2"])
        self.send(data)
        self.assertEqual(len(read_hops(data)), 1)
        self.assertEqual(server.rejections.counts, {Fault.RETURNED: 1})
        self.successResultOf(self.stop(server))
        self.assertTrue(parse_announcement(self.reactor.sent[-1][1]).announcement.leaving)

    def test_policy(self) -> None:
        """
        The policy of the settings is the gate's, with the keys of each kind in
        their own directory.
        """
        with open(os.path.join(self.folder, "foo.com.pem"), "wb") as file:
            file.write(public_pem(private_key("ec")))
        server = self.start(policy=Policy.SIGNED, sign_digest="SHA384", sign_directory=self.folder)
        sign = load_signer(private_pem(private_key("ec")), digest("SHA384"))
        now = announcement(sent=int(self.reactor.seconds()))
        self.send(announcement())
        self.assertEqual(server.rejections.counts, {Cause.UNSIGNED: 1})
        self.send(build_announcement(now, sign=sign))
        self.assertEqual(nodes(server.registry), {"foo.com": [NODE]})
        self.send(leaving())
        self.assertEqual(nodes(server.registry), {"foo.com": [NODE]})

    def test_v2_policy(self) -> None:
        """
        A signature of the first kind is no seal.
        """
        server = self.start(policy=Policy.V2, v2_directory=self.folder)
        self.send(announcement())
        self.assertEqual(server.rejections.counts, {Cause.UNSIGNED: 1})

    def test_credentials(self) -> None:
        """
        Who owns the file of a key may announce it.
        """
        open(os.path.join(self.folder, "foo.com"), "w").close()
        server = self.start(credentials_directories=(self.folder,))
        self.send(announcement())
        self.send(announcement(key="bar.com"))
        self.assertEqual(nodes(server.registry), {"foo.com": [NODE]})
        self.assertEqual(server.rejections.counts, {Cause.CREDENTIALS: 1})

    def test_broken_parts(self) -> None:
        """
        A part that fails does not keep the others, at any time.
        """
        calls: list[str] = []

        def broken() -> None:
            calls.append("broken")
            raise ZeroDivisionError

        server = self.start()
        server._each_second = [broken, lambda: calls.append("next")]
        server._at_end = [broken, lambda: calls.append("end")]
        self.reactor.pump([1, 1])
        self.successResultOf(self.stop(server))
        self.assertEqual(calls, ["broken", "next"] * 2 + ["broken", "end"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 3)


class BuildTests(ServerCase):
    """
    Those of all routers.
    """

    def test_all_or_none(self) -> None:
        """
        A server that cannot be opened closes the routers that are open.
        """
        listen = UnixAddress(os.fsencode(os.path.join(self.folder, "r")))
        router = HttpSettings(
            listen=(listen,), subscriptions=SubscriptionSettings(servers=(self.address,))
        )
        opened = open_routers([router])
        [server] = build_servers(self.reactor, opened)
        server.startService()
        self.assertRaises(CannotListen, build_servers, self.reactor, opened)
        self.assertFalse(os.path.exists(listen.path))
        self.assertEqual(opened[0].rows[0][0].fileno(), -1)
        self.assertTrue(os.path.exists(self.address.path))
        self.successResultOf(self.stop(server))
