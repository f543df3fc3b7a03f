"""
C{twistd emperor}: the only place that knows the reactor and joins objects.
"""

from __future__ import annotations

import os
import platform
import signal
from typing import Any, NoReturn

from twisted.application.service import IService, MultiService
from twisted.internet import reactor as _reactor  # noqa: TID251
from twisted.logger import Logger
from twisted.python import usage

from emperor.addresses import Address
from emperor.config.describe import describe
from emperor.config.errors import ConfigurationError
from emperor.config.loading import Loaded, load
from emperor.config.settings import EmperorSettings, RouterSettings, Settings
from emperor.config.surroundings import Surroundings
from emperor.config.vassalfile import listening
from emperor.greeting import Greeting
from emperor.monitors.schemes import UnknownScheme, make_monitor
from emperor.program import Program, Signals
from emperor.proxy.backends import EndpointDialer
from emperor.proxy.listeners import CannotListen
from emperor.proxy.refusals import RefusalLog
from emperor.proxy.router import Router
from emperor.proxy.service import RouterService
from emperor.vassals.emperor import Emperor
from emperor.vassals.launcher import Launcher
from emperor.vassals.program import NoProgram, find_program
from emperor.vassals.spec import VassalSpec

# Twisted's reactor provides more interfaces than one annotation can name.
reactor: Any = _reactor


class Options(usage.Options):
    """
    The command line behind C{twistd emperor}.
    """

    synopsis = "--config FILE [--check]"
    longdesc = (
        "Starts the vassals of uWSGI-style configuration files and routes HTTP and uwsgi "
        "requests to them by host.  All settings stand in the configuration file."
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
        if self["config"] is None:
            leave("which configuration? twistd emperor --config FILE")
        self.surroundings = Surroundings.of_this_process(reactor.seconds())
        self.loaded = self._load()
        if self["check"]:
            print("\n".join(describe(self.loaded)))
            raise SystemExit(0)

    def _load(self) -> Loaded:
        try:
            return load(self["config"], self.surroundings)
        except ConfigurationError as error:
            leave("\n".join(str(problem) for problem in error.problems))


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
    try:
        program = build_program(settings, options.surroundings)
    except (CannotListen, NoProgram, UnknownScheme) as error:
        leave(f"{options['config']}: {error}")
    for note in settings.notes:
        log.info("{note}", note=note)
    return program


def build_program(settings: Settings, surroundings: Surroundings) -> Program:
    """
    All services, in the order in which they start.

    @raise CannotListen: an address is in use or forbidden.
    @raise NoProgram: there is no uWSGI for the vassals.
    @raise UnknownScheme: an C{emperor} option has one that is not supported.
    """
    emperor = build_emperor(settings.emperor, surroundings)
    emperor.watch(Greeting(settings.routers).saw)
    refusals = RefusalLog(reactor)
    routers = [
        RouterService(
            reactor,
            build_router(router, emperor, refusals),
            platform.node(),
            settings.shutdown_grace,
        )
        for router in settings.routers
    ]
    together = MultiService()
    for router in routers:
        router.setServiceParent(together)
    program = Program()
    for service in (build_signals(emperor, routers), emperor, together):
        service.setServiceParent(program)
    return program


def build_emperor(settings: EmperorSettings, surroundings: Surroundings) -> Emperor:
    """
    The Emperor with its monitors.

    @raise NoProgram: there are monitors and no uWSGI for their vassals.
    @raise UnknownScheme: a monitor's scheme is not supported.
    """
    monitors = [make_monitor(text, reactor, settings) for text in settings.monitors]
    if monitors:
        find_program(settings.binary)

    def addresses(spec: VassalSpec) -> frozenset[Address]:
        return listening(spec.id.name, spec.directory, settings, surroundings)

    launcher = Launcher(reactor, settings, os.environ)
    return Emperor(reactor, monitors, launcher.launch, settings=settings, listening=addresses)


def build_router(settings: RouterSettings, emperor: Emperor, refusals: RefusalLog) -> Router:
    """
    One router, which asks the Emperor about nodes that do not accept.
    """
    return Router(
        settings,
        clock=reactor,
        dialer=EndpointDialer(reactor),
        vassals=emperor,
        refusals=refusals,
    )


def build_signals(emperor: Emperor, routers: list[RouterService]) -> Signals:
    """
    What each signal does, as in uWSGI where uWSGI has it.
    """
    actions = {
        signal.SIGHUP: emperor.reload_all,
        signal.SIGUSR1: emperor.log_state,
        signal.SIGWINCH: emperor.rescan,
    }

    def hurry() -> None:
        for router in routers:
            router.cut()

    return Signals(reactor, actions, hurry)
