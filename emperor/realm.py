"""
From settings to the Emperor with its monitors.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from socket import socket
from typing import Any

from twisted.internet.interfaces import IReactorTime

from emperor.addresses import Address, ListenAddress
from emperor.config.attributes import Attributes, attributes
from emperor.config.doorways import Doorway, attribute
from emperor.config.errors import Problem
from emperor.config.settings import EmperorSettings, Settings
from emperor.config.surroundings import Surroundings
from emperor.config.vassalfile import (
    Config,
    instance_addresses,
    is_blank,
    is_cheap,
    overview,
)
from emperor.interfaces import IMonitor
from emperor.monitors.instance import InstanceMonitor
from emperor.monitors.schemes import make_monitor
from emperor.proxy.binding import open_listener
from emperor.proxy.listeners import OpenRouter
from emperor.stale import leave_socket
from emperor.vassals.asking import ask
from emperor.vassals.blanks import knowing_by_file, needing_a_file
from emperor.vassals.doorkeeper import Doorkeeper
from emperor.vassals.emperor import Emperor
from emperor.vassals.glance import Glance
from emperor.vassals.hooks import Hooks
from emperor.vassals.instance import instance_spec
from emperor.vassals.keeping import Keeper
from emperor.vassals.launcher import Launcher
from emperor.vassals.memoirs import Memoirs
from emperor.vassals.ondemand import Doorways
from emperor.vassals.origins import readable, reader_of
from emperor.vassals.spec import VassalSpec
from emperor.vassals.tyrant import owner_of
from emperor.vassals.waitinghooks import WaitingHooks


class _Looks:
    """
    What the vassals' configurations say, as far as it can be seen from outside.
    """

    def __init__(
        self,
        clock: IReactorTime,
        settings: Settings,
        surroundings: Surroundings,
        shared: Iterable[ListenAddress],
    ) -> None:
        """
        @param shared: the sockets that the uWSGI of our file shares.
        """
        self._settings = settings
        self._surroundings = surroundings
        self._shared = tuple(shared)
        self._overviews = Glance(clock, lambda spec: overview(*self._place(spec, spec.word)))

    def addresses(self, spec: VassalSpec) -> frozenset[Address]:
        """
        Where a vassal listens.
        """
        if spec.is_zerg:  # What it serves is its parent's.
            return frozenset()
        if spec.is_instance:
            return instance_addresses(self._settings.instance, spec.directory, self._shared)
        return self._overviews.at(spec).listening

    def door(self, spec: VassalSpec) -> tuple[Doorway | None, tuple[Problem, ...]]:
        """
        Where the Emperor is to listen for it, and what is wrong with that.
        """
        return attribute(*self._place(spec, spec.file))

    def is_cheap(self, spec: VassalSpec) -> bool:
        """
        Whether it starts without workers.
        """
        return is_cheap(*self._place(spec, spec.file))

    def is_blank(self, spec: VassalSpec) -> bool:
        """
        Whether there is nothing for uWSGI in it.
        """
        return is_blank(*self._place(spec, spec.file))

    def is_proxy(self, spec: VassalSpec) -> bool:
        """
        Whether it hands its pipe on.
        """
        return not spec.is_instance and self._overviews.at(spec).is_proxy

    def attributes(self, spec: VassalSpec) -> Attributes:
        """
        What it says to the Emperor.
        """
        return attributes(*self._place(spec, spec.file))

    def _place(
        self, spec: VassalSpec, name: str
    ) -> tuple[str, str, EmperorSettings, Surroundings, Config]:
        shared = self._settings.emperor
        there = replace(self._surroundings, reads_as=reader_of(spec, shared.launch))
        return name, spec.directory, shared, there, readable(spec, shared.launch)


def build_emperor(
    reactor: Any,
    settings: Settings,
    surroundings: Surroundings,
    *,
    instance: OpenRouter,
    keeper: Keeper,
    hooks: Hooks,
    memoirs: Memoirs,
) -> Emperor:
    """
    The Emperor with its monitors.

    @param reactor: runs it.
    @param instance: the sockets that the uWSGI of our file shares.
    @param keeper: of the vassals' processes.
    @param hooks: runs the Emperor's commands.
    @param memoirs: is told of all vassals.
    """
    shared = settings.emperor

    looks = _Looks(reactor, settings, surroundings, instance.settings.listen)

    def listen(doorway: Doorway) -> socket:
        return open_listener(
            doorway.address, mode=doorway.mode, backlog=shared.door_backlog, owner=doorway.owner
        )

    def permit(file: str) -> None:
        if shared.launch.tyrant:  # As the launcher does, who says why not.
            owner_of(file, nofollow=shared.launch.tyrant_nofollow)

    def read(spec: VassalSpec) -> Attributes:
        found = looks.attributes(spec)
        memoirs.has_read(spec, found)
        return found

    launcher = Launcher(
        reactor,
        shared,
        dict(os.environ),
        keeper,
        read=read,
        hooks=hooks,
        is_proxy=looks.is_proxy,
        told=memoirs.has_started,
    )
    doorways = Doorways(shared, looks.door, looks.is_cheap, partial(ask, reactor))
    # A vassal's file that is not ours must not make us remove somebody's socket.
    remove: dict[str, Any] = {"remove_socket": leave_socket} if shared.launch.tyrant else {}
    emperor = Emperor(
        reactor,
        _monitors(reactor, settings, surroundings, instance),
        needing_a_file(launcher.launch, looks.is_blank),
        settings=shared,
        listening=looks.addresses,
        find_door=knowing_by_file(doorways.find, looks.is_blank),
        open_door=Doorkeeper(reactor, listen, permit).open,
        **remove,
    )
    emperor.watch(WaitingHooks(shared.launch, hooks, emperor.spec).saw)
    emperor.watch(memoirs.saw)
    return emperor


def _monitors(
    reactor: Any, settings: Settings, surroundings: Surroundings, instance: OpenRouter
) -> list[IMonitor]:
    """
    Who says what is wanted: those of the options, and our own file.
    """
    shared = settings.emperor
    monitors = [make_monitor(text, reactor, shared) for text in shared.monitors]
    if settings.instance.options:
        sockets = [listener for row in instance.rows for listener in row]
        spec = instance_spec(settings.instance, surroundings.cwd, sockets)
        monitors.append(InstanceMonitor(spec))
    return monitors
