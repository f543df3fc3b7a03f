"""
L{emperor.subscriptions.building} is tried with what it builds, in
L{tests.subscriptions.test_service}; here is what has to do with vassals.
"""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import Address, TcpAddress, UnixAddress
from emperor.config.settings import HttpSettings, Settings
from emperor.config.surroundings import Surroundings
from emperor.subscriptions.building import build_domains, build_server
from emperor.vassals.emperor import Emperor
from emperor.vassals.spec import VassalId, VassalSpec
from emperor.vassals.status import Phase, VassalStatus
from tests.subscriptions.fakes import nodes


class FakeEmperor:
    """
    Knows one vassal.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.watchers: list[Any] = []
        self.held: Address | None = None
        self.parent: VassalId | None = None

    def watch(self, watcher: Any) -> None:
        self.watchers.append(watcher)

    def door(self, id: VassalId) -> Address | None:
        return self.held

    def spec(self, id: VassalId) -> VassalSpec:
        return VassalSpec(id, self.directory, 1, parent=self.parent)


class DomainsTests(SynchronousTestCase):
    def test_file(self) -> None:
        """
        A vassal's file is read where it is, for its domains and its socket, and
        counts in every router.
        """
        folder = FilePath(self.mktemp())
        folder.makedirs()
        folder.child("a.ini").setContent(
            b"[uwsgi]\nsocket = 127.0.0.1:3031\n[emperor]\ndomain = %n.com,weight=2\n"
        )
        clock = Clock()
        routers = tuple(HttpSettings(listen=(TcpAddress("", port),)) for port in (80, 81))
        servers = [build_server(clock, router, []) for router in routers]
        emperor = FakeEmperor(folder.path)
        build_domains(
            clock,
            Settings(routers=routers),
            servers,
            cast(Emperor, emperor),
            Surroundings.of_this_process(0),
        )
        for phase in (Phase.STARTING, Phase.ACCEPTING):
            emperor.watchers[0](VassalStatus(VassalId("m", "a.ini"), phase))
        for server in servers:
            self.assertEqual(nodes(server.registry), {"a.com": ["127.0.0.1:3031"]})
        emperor.held = UnixAddress(b"/held.sock")
        for phase in (Phase.RELOADING, Phase.ACCEPTING):
            emperor.watchers[0](VassalStatus(VassalId("m", "a.ini"), phase, held=True))
        self.assertEqual(nodes(servers[0].registry), {"a.com": ["/held.sock"]})
        # A zerg of it is no other node.
        emperor.parent = VassalId("m", "a.ini")
        for phase in (Phase.STARTING, Phase.ACCEPTING, Phase.GONE):
            emperor.watchers[0](VassalStatus(VassalId("m", "a.ini:zerg"), phase))
        self.assertEqual(nodes(servers[0].registry), {"a.com": ["/held.sock"]})
