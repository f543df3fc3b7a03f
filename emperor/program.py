"""
The whole program as one service, and what signals do to it.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Mapping
from types import FrameType

from twisted.application.service import MultiService, Service
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorCore, IReactorFromThreads
from twisted.logger import Logger

#: New objects before the garbage collector looks at the youngest ones.
GARBAGE_THRESHOLD = 20_000


def calm_garbage_collector() -> None:
    """
    Let the garbage collector look seldom, and never at what stays for ever.

    A request leaves no cycles behind, so nearly everything is freed at once
    without it; at Python's usual thresholds it would cost a visible part of
    each request.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 100)


class ISignalledReactor(IReactorCore, IReactorFromThreads):
    """
    A reactor that runs, stops, and takes calls from a signal.
    """


class Program(MultiService):
    """
    Starts its services in order and stops them one after the other in the
    reverse order: first the routers, whose last requests need the vassals.
    """

    _log = Logger()

    async def stopService(self) -> None:
        """
        Stop everything; a service that fails to stop does not keep the others.
        """
        Service.stopService(self)
        for service in reversed(self.services):
            try:
                await maybeDeferred(service.stopService)
            except Exception:
                self._log.failure("{service} did not stop cleanly", service=service)


class Signals(Service):
    """
    Ends the program with status 0 on SIGTERM, SIGINT and SIGQUIT, as uWSGI's
    Emperor does, and calls what else is asked for by signal.

    twistd's own way to end is to die of the signal once more, which init
    systems take for a failure.  The reactor sets its handlers when it starts,
    so these are set when it has started.

    @ivar actions: what to call for each further signal.
    @ivar abandon: makes the program end for good; whether it ends already, and was
        to start again.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: ISignalledReactor,
        actions: Mapping[signal.Signals, Callable[[], object]],
        hurry: Callable[[], object],
    ) -> None:
        self._reactor = reactor
        self._actions = dict(actions)
        self._hurry = hurry
        self.abandon: Callable[[], bool] = lambda: False
        self._stopping = False

    def startService(self) -> None:
        """
        Take the signals over.
        """
        Service.startService(self)
        self._reactor.callWhenRunning(self._install)

    def _install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, self._call(self.stop))
        for number, action in self._actions.items():
            signal.signal(number, self._call(action))

    def _call(self, action: Callable[[], object]) -> Callable[[int, FrameType | None], None]:
        def received(number: int, frame: FrameType | None) -> None:
            self._reactor.callFromThread(action)

        return received

    def stop(self) -> None:
        """
        End the program; asked twice, end it without waiting for requests.
        """
        if self.abandon():
            self._log.info("Asked to stop meanwhile: the program does not start again")
            return
        if self._stopping:
            self._log.info("Asked again to stop: requests in flight are ended")
            self._hurry()
            return
        self.leave()

    def leave(self) -> None:
        """
        End the program.
        """
        self._stopping = True
        self._log.info("Stopping: requests in flight may finish")
        self._reactor.stop()
