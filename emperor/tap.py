"""
C{twistd emperor}: the only place that knows the reactor and joins objects.
"""

from __future__ import annotations

import os
import platform
import signal
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

from twisted.application.service import IService, MultiService, Service
from twisted.internet import reactor as _reactor  # noqa: TID251
from twisted.logger import Logger

from emperor.addresses import SharedSocket
from emperor.arguments import Arguments, methods
from emperor.commanding.service import CommandService, open_commands
from emperor.config.describe import describe
from emperor.config.errors import ConfigurationError
from emperor.config.loading import Loaded, load
from emperor.config.settings import EmperorSettings, Mapper, RouterSettings, Settings
from emperor.config.surroundings import Surroundings
from emperor.descriptors import Descriptors
from emperor.greeting import Greeting
from emperor.interfaces import INetwork, IVassalNews
from emperor.monitors.schemes import SCHEMES
from emperor.pidfile import CannotWrite, PidFile
from emperor.processname import ProcessName
from emperor.program import Program, Signals, calm_garbage_collector
from emperor.proxy.binding import CannotListen
from emperor.proxy.cheap import make_cheap_mode
from emperor.proxy.inherited import PassedSockets, has_returned, initial_environment
from emperor.proxy.keymappers import make_key_mappers
from emperor.proxy.listeners import OpenRouter, open_routers
from emperor.proxy.networks import make_network
from emperor.proxy.nodes import make_dialer
from emperor.proxy.processes import RouterProcesses
from emperor.proxy.refusals import RefusalLog
from emperor.proxy.router import Router
from emperor.proxy.service import RouterService
from emperor.proxy.subscribed import Subscribed
from emperor.proxy.tlsnodes import BadAuthorities
from emperor.readiness import check
from emperor.realm import build_emperor
from emperor.status.building import build_emperor_statistics, build_router_statistics
from emperor.status.server import OpenStats, close_stats, open_stats
from emperor.subscriptions.building import build_domains, build_servers
from emperor.subscriptions.service import SubscriptionServer
from emperor.subscriptions.sockets import close_servers
from emperor.superior.building import Origins, build_superior
from emperor.superior.execution import Command
from emperor.superior.gate import Gate
from emperor.superior.summons import take_summons
from emperor.vassals.emperor import Emperor
from emperor.vassals.hooks import Hooks
from emperor.vassals.keeping import Keeper
from emperor.vassals.memoirs import Memoirs
from emperor.vassals.news import Herald
from emperor.vassals.program import NoProgram
from emperor.wire.control import Configure

# Twisted's reactor provides more interfaces than one annotation can name.
reactor: Any = _reactor


class Options(Arguments):
    """
    The command line behind C{twistd emperor}; it gets a method for each option
    below.
    """

    synopsis = "[--config FILE] [--check] [options]"
    longdesc = (
        "Starts the vassals of uWSGI-style configuration files and routes HTTP and uwsgi "
        "requests to them by host.  Options of the command line come after those of the file."
    )
    optParameters = [
        ["config", "c", None, "The configuration: FILE or FILE:SECTION (ini, yaml, json, xml)."],
    ]
    optFlags = [
        ["check", None, "Print every setting with its origin, or all errors, and leave."],
    ]

    def postOptions(self) -> None:
        """
        Read the configuration while there is a terminal to complain to.
        """
        if self["config"] is None and not self.written:
            leave("which configuration? twistd emperor --config FILE")
        # First: whatever the configuration runs has nothing to do with it.
        self.summons = take_summons(os.environ)
        self.surroundings = Surroundings.of_this_process(reactor.seconds())
        self.loaded = self._load()
        if self.loaded.settings.emperor.lists_monitors:
            print("\n".join(SCHEMES))
            raise SystemExit(0)
        if self["check"]:
            refuse_idle(self)
            print("\n".join(describe(self.loaded)))
            raise SystemExit(0)

    def origins(self) -> Origins:
        """
        How the program was started.
        """
        return Origins(self.summons, Command(self.surroundings.cwd), self.loaded, self.load)

    def load(self) -> Loaded:
        """
        Read the configuration as it is now.

        @raise ConfigurationError: with every problem that could be found.
        """
        now = replace(self.surroundings, now=reactor.seconds())
        return load(self["config"], now, self.written)

    def _load(self) -> Loaded:
        try:
            return self.load()
        except ConfigurationError as error:
            leave("\n".join(str(problem) for problem in error.problems))


for _name, _method in methods():
    setattr(Options, _name, _method)


def leave(text: str) -> NoReturn:
    """
    Say on the terminal why there is nothing to start, with status 1.
    """
    raise SystemExit(text)


def refuse_idle(options: Options) -> None:
    """
    Leave if the configuration asks for nothing.
    """
    settings = options.loaded.settings
    if settings.is_idle:
        nothing = f"{told(options)}: nothing to do: it has no emperor, http or fastrouter"
        leave("\n".join([nothing, *settings.notes]))


def told(options: Options) -> str:
    """
    Where the configuration comes from.
    """
    return options["config"] or "command line"


def makeService(options: Options) -> IService:
    """
    The program that a configuration describes.

    @raise SystemExit: it cannot start; the text says what to do.
    """
    settings = options.loaded.settings
    log = Logger("emperor.config")
    refuse_idle(options)
    try:
        program = build_program(settings, options.surroundings, options.origins())
    except (CannotListen, CannotWrite, NoProgram, BadAuthorities) as error:
        leave(f"{told(options)}: {error}")
    except ConfigurationError as error:
        leave("\n".join(f"{told(options)}: {problem}" for problem in error.problems))
    for note in settings.notes:
        log.info("{note}", note=note)
    calm_garbage_collector()
    Descriptors().raise_ours()
    return program


def build_program(settings: Settings, surroundings: Surroundings, origins: Origins) -> Program:
    """
    All services, in the order in which they start.

    @raise CannotListen: an address is in use or forbidden.
    @raise BadAuthorities: C{node_ca} has no certificates.
    @raise ConfigurationError: a mapper cannot be used.
    @raise NoProgram: there is no uWSGI for the vassals.
    @raise CannotWrite: the file of the program's number cannot be written.
    """
    check(settings, reactor)
    program = Program()
    named = build_name(settings.emperor)
    commands = open_commands(settings.emperor.commands)
    try:
        opened, instance, servers, stats = open_everything(settings)
    except CannotListen:
        close_servers(commands, settings.emperor.commands.sockets)
        raise
    keeper = Keeper(reactor, os.environ, Descriptors().give)
    hooks = Hooks(reactor, keeper, os.environ, settings.emperor.launch.hook_timeout)
    memoirs = Memoirs()
    emperor = build_emperor(
        reactor,
        settings,
        surroundings,
        instance=instance,
        keeper=keeper,
        hooks=hooks,
        memoirs=memoirs,
    )
    greeting = Greeting(
        [each.settings for each in opened],
        emperor.accepts,
        reactor,
        lambda: bool(program.running),
    )
    emperor.watch(greeting.saw)
    network = make_network(reactor, settings.transport)
    routers = build_routers(opened, servers, settings, network, emperor)
    together = build_front(routers, servers, settings, surroundings, emperor)
    keepers = [keeper, hooks] if has_vassals(settings) else []
    # Statistics start before what they show, and so they end after it.
    of_emperor, *of_routers = stats
    above = build_emperor_statistics(
        reactor, network, emperor, of_emperor, settings=settings.emperor, memoirs=memoirs
    )
    shown = build_router_statistics(reactor, network, routers, of_routers)
    signals = build_signals(emperor, routers)
    first = (signals, network, *above, *keepers, emperor)
    commander = CommandService(reactor, emperor, settings.emperor.commands, commands)
    services: list[IService] = [*named, *first, commander, *shown, together]
    if origins.summons:
        superior, heritage = build_superior(
            reactor,
            origins,
            [*opened, instance],
            routers,
            signals,
            check=partial(check, reactor=reactor),
            refresh=emperor.reload_all,
        )
        services = [superior, *services, heritage]
    for service in services:
        service.setServiceParent(program)
    return program


def has_vassals(settings: Settings) -> bool:
    """
    Whether the Emperor has anything to run.
    """
    return bool(settings.emperor.monitors or settings.instance.options)


def build_routers(
    opened: Sequence[OpenRouter],
    servers: Sequence[SubscriptionServer],
    settings: Settings,
    network: INetwork,
    emperor: Emperor,
) -> list[RouterService | RouterProcesses]:
    """
    All routers, each in this process or in processes of its own.
    """
    herald = Herald(reactor, emperor)
    return [
        build_router(each, settings, network=network, emperor=emperor, server=server)
        if each.settings.processes == 1
        else build_processes(each, settings, herald, server)
        for each, server in zip(opened, servers, strict=True)
    ]


def build_front(
    routers: Sequence[RouterService | RouterProcesses],
    servers: Sequence[SubscriptionServer],
    settings: Settings,
    surroundings: Surroundings,
    emperor: Emperor,
) -> MultiService:
    """
    What stops first, and all of it at the same time: the routers, and what brings
    nodes into their pools.
    """
    together, serving = MultiService(), MultiService()
    if has_vassals(settings) and has_returned(initial_environment(), os.getpid()):
        serving = gate = Gate(reactor)
        emperor.watch(gate.saw)
    for router in routers:
        router.setServiceParent(serving)
    for part in (serving, *servers):
        part.setServiceParent(together)
    if servers:
        domains = build_domains(reactor, settings, servers, emperor, surroundings)
        domains.setServiceParent(together)
    return together


def build_name(settings: EmperorSettings) -> list[Service]:
    """
    By what the program's process is known.

    @raise CannotWrite: the file of its number cannot be written.
    """
    found: list[Service] = []
    if settings.pidfile:
        found.append(PidFile(settings.pidfile))
    if settings.process_name:
        found.append(ProcessName(settings.process_name))
    return found


def open_everything(
    settings: Settings,
) -> tuple[list[OpenRouter], OpenRouter, list[SubscriptionServer], list[OpenStats]]:
    """
    All sockets of all routers, or none.

    @return: as L{open_sockets}, then the subscription servers and the statistics:
        the Emperor's, then each router's.
    @raise CannotListen: an address is in use or forbidden.
    """
    stats = open_stats([settings.emperor.stats, *(each.stats for each in settings.routers)])
    try:
        opened, instance = open_sockets(settings)
        return opened, instance, build_servers(reactor, opened), stats
    except CannotListen:
        close_stats(stats)
        raise


def open_sockets(settings: Settings) -> tuple[list[OpenRouter], OpenRouter]:
    """
    The listening sockets, those that were passed to us among them: the routers',
    and those that the uWSGI of our file shares, as if it were one more.

    @raise CannotListen: an address is in use or forbidden.
    """
    passed = PassedSockets.of_environment(initial_environment(), os.getpid())
    shared = tuple(SharedSocket(number) for number in settings.instance.shared)
    borrower = RouterSettings(kind="instance", listen=shared)
    *opened, instance = open_routers((*settings.routers, borrower), settings.shared_sockets, passed)
    for name in passed.idle():
        Logger("emperor").warn("{socket} was passed, but nothing listens on it", socket=name)
    passed.close()
    return opened, instance


def build_router(
    router: OpenRouter,
    settings: Settings,
    *,
    network: INetwork,
    emperor: Emperor,
    server: SubscriptionServer,
) -> RouterService:
    """
    One router in this process, which asks the Emperor about nodes that do not
    accept.
    """
    key_mappers = make_key_mappers(router.settings, reactor)
    mappers = dict(key_mappers.mappers)
    dialer = make_dialer(reactor, network, router.settings)
    subscribed = Subscribed(reactor, router.settings, server.registry, dialer, emperor)
    if is_subscribable(router.settings, settings.emperor):
        mappers[Mapper.SUBSCRIPTION] = subscribed.mapper
    decisions = Router(
        router.settings,
        clock=reactor,
        dialer=dialer,
        vassals=emperor,
        refusals=RefusalLog(reactor),
        mappers=mappers,
        mark=server.mark,
    )
    service = RouterService(
        reactor,
        network,
        decisions,
        router.rows[0],
        hostname=platform.node(),
        grace=settings.shutdown_grace,
        cheap=make_cheap_mode(router.settings, server.registry),
        subscribed=lambda: server.registry.pools,
        rejected=server.rejections.by_reason,
    )
    for companion in (key_mappers, *subscribed.companions):
        service.accompany(companion)
    return service


def build_processes(
    router: OpenRouter,
    settings: Settings,
    news: IVassalNews,
    server: SubscriptionServer,
) -> RouterProcesses:
    """
    One router in processes of its own.
    """
    grace, transport = settings.shutdown_grace, settings.transport
    subscribable = is_subscribable(router.settings, settings.emperor)
    order = Configure(router.settings, platform.node(), grace, transport, subscribable, server.mark)
    return RouterProcesses(
        reactor,
        order,
        router.rows,
        news,
        os.environ,
        subscriptions=server.news,
        registry=server.registry,
        rejected=server.rejections.by_reason,
    )


def is_subscribable(router: RouterSettings, emperor: EmperorSettings) -> bool:
    """
    Whether nodes may come into a router's pools: by subscription, or because
    vassals name their domains.
    """
    return bool(router.subscriptions.servers or emperor.monitors)


def build_signals(emperor: Emperor, routers: Sequence[RouterService | RouterProcesses]) -> Signals:
    """
    What each signal does, as in uWSGI where uWSGI has it.
    """

    def log_state() -> None:
        emperor.log_state()
        for router in routers:
            router.log_state()

    actions = {
        signal.SIGHUP: emperor.reload_all,
        signal.SIGUSR1: log_state,
        signal.SIGURG: emperor.pardon_all,
        signal.SIGWINCH: emperor.rescan,
    }

    def hurry() -> None:
        for router in routers:
            router.cut()

    return Signals(reactor, actions, hurry)
