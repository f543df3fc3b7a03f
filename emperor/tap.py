"""
C{twistd emperor}: the only place that knows the reactor and joins objects.
"""

from __future__ import annotations

import os
import platform
import signal
from collections.abc import Callable, Sequence
from socket import socket
from typing import Any, NoReturn

from twisted.application.service import IService, MultiService
from twisted.internet import reactor as _reactor  # noqa: TID251
from twisted.logger import Logger
from twisted.python import usage

from emperor.addresses import Address
from emperor.config.describe import describe
from emperor.config.errors import ConfigurationError
from emperor.config.loading import COMMAND_LINE, Loaded, load
from emperor.config.options import OPTIONS, Kind, Option
from emperor.config.pairs import Pair
from emperor.config.settings import EmperorSettings, RouterSettings, Settings
from emperor.config.surroundings import Surroundings
from emperor.config.vassalfile import listening
from emperor.greeting import Greeting
from emperor.interfaces import INetwork, IVassalNews
from emperor.monitors.schemes import make_monitor
from emperor.program import Program, Signals, calm_garbage_collector
from emperor.proxy.listeners import CannotListen, open_routers
from emperor.proxy.networks import make_network
from emperor.proxy.processes import RouterProcesses
from emperor.proxy.refusals import RefusalLog
from emperor.proxy.router import Router
from emperor.proxy.service import RouterService
from emperor.status.server import StatsService, close_stats, open_stats
from emperor.vassals.emperor import Emperor
from emperor.vassals.launcher import Launcher
from emperor.vassals.news import Herald
from emperor.vassals.program import NoProgram, find_program
from emperor.vassals.spec import VassalSpec
from emperor.wire.control import Configure

# Twisted's reactor provides more interfaces than one annotation can name.
reactor: Any = _reactor


class Options(usage.Options):
    """
    The command line behind C{twistd emperor}; it gets a method for each option
    of the table below.
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

    def __init__(self) -> None:
        self.written: list[Pair] = []
        super().__init__()

    def postOptions(self) -> None:
        """
        Read the configuration while there is a terminal to complain to.
        """
        if self["config"] is None and not self.written:
            leave("which configuration? twistd emperor --config FILE")
        self.surroundings = Surroundings.of_this_process(reactor.seconds())
        self.loaded = self._load()
        if self["check"]:
            print("\n".join(describe(self.loaded)))
            raise SystemExit(0)

    def _load(self) -> Loaded:
        try:
            return load(self["config"], self.surroundings, self.written)
        except ConfigurationError as error:
            leave("\n".join(str(problem) for problem in error.problems))


def _opt(option: Option) -> Callable[..., None]:
    """
    The method by which L{usage.Options} hears of one option of the table.
    """

    def take(self: Options, value: str) -> None:
        self.written.append(Pair(option.name, value, COMMAND_LINE))

    def take_flag(self: Options) -> None:
        self.written.append(Pair(option.name, "", COMMAND_LINE))

    method = take_flag if option.kind is Kind.FLAG else take
    method.__doc__ = option.help + (f" [default: {option.default}]" if option.default else "")
    return method


for _option in OPTIONS:
    for _name in _option.names:
        setattr(Options, f"opt_{_name.replace('-', '_')}", _opt(_option))


def leave(text: str) -> NoReturn:
    """
    Say on the terminal why there is nothing to start, with status 1.
    """
    raise SystemExit(text)


def makeService(options: Options) -> IService:
    """
    The program that a configuration describes.

    @raise SystemExit: it cannot start; the text says what to do.
    """
    settings = options.loaded.settings
    log = Logger("emperor.config")
    told = options["config"] or "command line"
    if not (settings.emperor.monitors or settings.routers):
        nothing = f"{told}: nothing to do: it has no emperor, http or fastrouter"
        leave("\n".join([nothing, *settings.notes]))
    try:
        program = build_program(settings, options.surroundings)
    except (CannotListen, NoProgram) as error:
        leave(f"{told}: {error}")
    for note in settings.notes:
        log.info("{note}", note=note)
    calm_garbage_collector()
    return program


def build_program(settings: Settings, surroundings: Surroundings) -> Program:
    """
    All services, in the order in which they start.

    @raise CannotListen: an address is in use or forbidden.
    @raise NoProgram: there is no uWSGI for the vassals.
    """
    emperor = build_emperor(settings.emperor, surroundings)
    program = Program()
    greeting = Greeting(settings.routers, emperor.accepts, reactor, lambda: bool(program.running))
    emperor.watch(greeting.saw)
    network = make_network(reactor, settings.transport)
    herald = Herald(reactor, emperor)
    stats = open_stats(settings.routers)
    try:
        sockets = open_routers(settings.routers)
    except CannotListen:
        close_stats(stats)
        raise
    routers = [
        build_router(router, rows[0], settings, network=network, emperor=emperor)
        if router.processes == 1
        else build_processes(router, rows, settings, herald)
        for router, rows in zip(settings.routers, sockets, strict=True)
    ]
    together = MultiService()
    for router in routers:
        router.setServiceParent(together)
    # The statistics start before the routers, and so they end after them.
    shown = [
        StatsService(reactor, network, router, opened)
        for router, opened in zip(routers, stats, strict=True)
        if opened.sockets
    ]
    for service in (build_signals(emperor, routers), network, emperor, *shown, together):
        service.setServiceParent(program)
    return program


def build_emperor(settings: EmperorSettings, surroundings: Surroundings) -> Emperor:
    """
    The Emperor with its monitors.

    @raise NoProgram: there are monitors and no uWSGI for their vassals.
    """
    monitors = [make_monitor(text, reactor, settings) for text in settings.monitors]
    if monitors:
        find_program(settings.binary)

    def addresses(spec: VassalSpec) -> frozenset[Address]:
        return listening(spec.id.name, spec.directory, settings, surroundings)

    launcher = Launcher(reactor, settings, os.environ)
    return Emperor(reactor, monitors, launcher.launch, settings=settings, listening=addresses)


def build_router(
    router: RouterSettings,
    sockets: Sequence[socket],
    settings: Settings,
    *,
    network: INetwork,
    emperor: Emperor,
) -> RouterService:
    """
    One router in this process, which asks the Emperor about nodes that do not
    accept.
    """
    decisions = Router(
        router,
        clock=reactor,
        dialer=network.dialer,
        vassals=emperor,
        refusals=RefusalLog(reactor),
    )
    return RouterService(
        reactor,
        network,
        decisions,
        sockets,
        hostname=platform.node(),
        grace=settings.shutdown_grace,
    )


def build_processes(
    router: RouterSettings,
    sockets: Sequence[Sequence[socket]],
    settings: Settings,
    news: IVassalNews,
) -> RouterProcesses:
    """
    One router in processes of its own.
    """
    order = Configure(router, platform.node(), settings.shutdown_grace, settings.transport)
    return RouterProcesses(reactor, order, sockets, news, os.environ)


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
        signal.SIGWINCH: emperor.rescan,
    }

    def hurry() -> None:
        for router in routers:
            router.cut()

    return Signals(reactor, actions, hurry)
