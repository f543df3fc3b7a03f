"""
From settings to the Emperor with its monitors.
"""

from __future__ import annotations

import os
from functools import partial
from socket import socket
from typing import Any

from emperor.addresses import Address
from emperor.config.attributes import Attributes, attributes
from emperor.config.doorways import Doorway, attribute
from emperor.config.errors import Problem
from emperor.config.settings import Settings
from emperor.config.surroundings import Surroundings
from emperor.config.vassalfile import (
    instance_addresses,
    is_blank,
    is_cheap,
    is_proxy,
    listening,
)
from emperor.interfaces import IMonitor
from emperor.monitors.instance import InstanceMonitor
from emperor.monitors.schemes import make_monitor
from emperor.proxy.binding import open_listener
from emperor.proxy.listeners import OpenRouter
from emperor.stale import leave_socket
from emperor.vassals.asking import ask
from emperor.vassals.blanks import knowing_by_file, needing_a_file
from emperor.vassals.doors import HeldDoor
from emperor.vassals.emperor import Emperor
from emperor.vassals.hooks import Hooks
from emperor.vassals.instance import instance_spec
from emperor.vassals.keeping import Keeper
from emperor.vassals.launcher import Launcher
from emperor.vassals.memoirs import Memoirs
from emperor.vassals.ondemand import Doorways
from emperor.vassals.spec import VassalSpec
from emperor.vassals.waitinghooks import WaitingHooks


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

    def addresses(spec: VassalSpec) -> frozenset[Address]:
        if spec.is_zerg:  # What it serves is its parent's.
            return frozenset()
        if spec.arguments:
            return instance_addresses(settings.instance, spec.directory, instance.settings.listen)
        return listening(spec.id.name, spec.directory, shared, surroundings)

    def blank(spec: VassalSpec) -> bool:
        return is_blank(spec.id.name, spec.directory, shared, surroundings)

    def written(spec: VassalSpec) -> tuple[Doorway | None, tuple[Problem, ...]]:
        return attribute(spec.id.name, spec.directory, shared, surroundings)

    def cheap(spec: VassalSpec) -> bool:
        return is_cheap(spec.id.name, spec.directory, shared, surroundings)

    def listen(doorway: Doorway) -> socket:
        return open_listener(
            doorway.address, mode=doorway.mode, backlog=shared.door_backlog, owner=doorway.owner
        )

    def read(spec: VassalSpec) -> Attributes:
        found = attributes(spec.file, spec.directory, shared, surroundings)
        memoirs.has_read(spec, found)
        return found

    def proxy(spec: VassalSpec) -> bool:
        return not spec.arguments and is_proxy(spec.word, spec.directory, shared, surroundings)

    launcher = Launcher(
        reactor,
        shared,
        os.environ,
        keeper,
        read=read,
        hooks=hooks,
        is_proxy=proxy,
        told=memoirs.has_started,
    )
    doorways = Doorways(shared, written, cheap, partial(ask, reactor))
    # A vassal's file that is not ours must not make us remove somebody's socket.
    remove: dict[str, Any] = {"remove_socket": leave_socket} if shared.launch.tyrant else {}
    emperor = Emperor(
        reactor,
        _monitors(reactor, settings, surroundings, instance),
        needing_a_file(launcher.launch, blank),
        settings=shared,
        listening=addresses,
        find_door=knowing_by_file(doorways.find, blank),
        open_door=lambda doorway: HeldDoor(reactor, doorway, listen),
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
