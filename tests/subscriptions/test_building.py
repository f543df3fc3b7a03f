"""
L{emperor.subscriptions.building} is tried with what it builds, in
L{tests.subscriptions.test_service}; here is what has to do with vassals.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any, cast
from unittest import SkipTest

from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import ANYBODY, Address, TcpAddress, UnixAddress
from emperor.config.launchsettings import Grant, LaunchSettings
from emperor.config.settings import EmperorSettings, HttpSettings, Settings
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
        self.keys: dict[VassalId, tuple[str, ...]] = {}

    def name_keys(self, id: VassalId, keys: tuple[str, ...]) -> None:
        self.keys[id] = keys

    def watch(self, watcher: Any) -> None:
        self.watchers.append(watcher)

    def door(self, id: VassalId) -> Address | None:
        return self.held

    def spec(self, id: VassalId) -> VassalSpec:
        is_instance = id.name == "instance"
        return VassalSpec(id, self.directory, 1, parent=self.parent, is_instance=is_instance)


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
        self.assertEqual(emperor.keys, {VassalId("m", "a.ini"): ("a.com",)})
        emperor.held = UnixAddress(b"/held.sock")
        for phase in (Phase.RELOADING, Phase.ACCEPTING):
            emperor.watchers[0](VassalStatus(VassalId("m", "a.ini"), phase, held=True))
        self.assertEqual(nodes(servers[0].registry), {"a.com": ["/held.sock"]})
        # A zerg of it is no other node.
        emperor.parent = VassalId("m", "a.ini")
        for phase in (Phase.STARTING, Phase.ACCEPTING, Phase.GONE):
            emperor.watchers[0](VassalStatus(VassalId("m", "a.ini:zerg"), phase))
        self.assertEqual(nodes(servers[0].registry), {"a.com": ["/held.sock"]})

    def test_owners(self) -> None:
        """
        In tyrant mode a vassal's own socket must be that of its file's user, and its
        door ours; else anybody's.
        """
        user = 12345
        if os.geteuid():
            raise SkipTest("a file is given to somebody by root alone")
        folder = FilePath(tempfile.mkdtemp())
        self.addCleanup(folder.remove)
        folder.chmod(0o755)
        file = folder.child("a.ini")
        file.setContent(b"[uwsgi]\nsocket = /a.sock\n[emperor]\ndomain = a.com\n")
        os.chown(file.path, user, user)
        for tyrant, held, owner in (
            (False, None, ANYBODY),
            (True, None, user),
            (True, UnixAddress(b"\0door"), os.geteuid()),
        ):
            clock, router = Clock(), HttpSettings(listen=(TcpAddress("", 80),))
            server, emperor = build_server(clock, router, []), FakeEmperor(folder.path)
            emperor.held = held
            launch = LaunchSettings(tyrant=tyrant, domains=(Grant(str(user), ("a.com",)),))
            build_domains(
                clock,
                Settings(routers=(router,), emperor=EmperorSettings(launch=launch)),
                [server],
                cast(Emperor, emperor),
                Surroundings.of_this_process(0),
            )
            for phase in (Phase.STARTING, Phase.ACCEPTING):
                emperor.watchers[0](VassalStatus(VassalId("m", "a.ini"), phase))
            (pool,) = server.registry.pools
            (member,) = pool.members.values()
            self.assertEqual(member.owner, owner)

    def test_instance(self) -> None:
        """
        The uWSGI of our own file is no site: what templates say is for vassals.
        """
        folder = FilePath(self.mktemp())
        folder.makedirs()
        template = folder.child("all.ini")
        template.setContent(b"[uwsgi]\nsocket = 127.0.0.1:3031\n[emperor]\ndomain = a.com\n")
        clock, router = Clock(), HttpSettings(listen=(TcpAddress("", 80),))
        server, emperor = build_server(clock, router, []), FakeEmperor(folder.path)
        build_domains(
            clock,
            Settings(routers=(router,), emperor=EmperorSettings(include_before=(template.path,))),
            [server],
            cast(Emperor, emperor),
            Surroundings.of_this_process(0),
        )
        for name, found in (("instance", {}), ("a.ini", {"a.com": ["127.0.0.1:3031"]})):
            for phase in (Phase.STARTING, Phase.ACCEPTING):
                emperor.watchers[0](VassalStatus(VassalId("m", name), phase))
            self.assertEqual(nodes(server.registry), found, name)
