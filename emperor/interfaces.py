"""
Every seam of the program, in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from socket import socket
from typing import Any

from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IConsumer,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IPushProducer,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import Attribute, Interface

from emperor.addresses import ANYBODY, Address, SocketAddress
from emperor.config.settings import RouterSettings
from emperor.routing.pools import FixedStatistics, Pool
from emperor.routing.statistics import PoolStatistics
from emperor.vassals.spec import VassalId, VassalSpec
from emperor.wire.control import Counts, Subscriptions, Vassals


class IMonitor(Interface):
    """
    A place where vassals are written down: a directory, a pattern, a table.

    A monitor reports and never acts; it reports the whole of what it knows
    each time, and nothing at all when it could not look.
    """

    source: str = Attribute("The option's value with its scheme, C{dir:///etc/vassals}.")

    def start(realm: IRealm) -> None:
        """
        Look for the first time and report, before returning; then keep
        reporting changes to C{realm} until L{stop}.
        """

    def rescan() -> None:
        """
        Look now, whatever the schedule says.
        """

    def stop() -> None:
        """
        Report nothing more and give back descriptors and timers.
        """


class IRealm(Interface):
    """
    What monitors report to.
    """

    def wanted(source: str, specs: Iterable[VassalSpec]) -> None:
        """
        These are all the vassals that C{source} wants now.

        A vassal of C{source} that is not among them is stopped; one with a
        new fingerprint is reloaded.
        """

    def unavailable(source: str, reason: str) -> None:
        """
        C{source} could not be read: what was wanted before stays wanted.
        """


class IVassalDirectory(Interface):
    """
    What the routers may ask the Emperor.
    """

    leaving: set[Address] = Attribute(
        "Addresses of vassals that were asked to leave and may still have their sockets: what "
        "is dialed there now is cut or never answered.  As the vassal's file spells them and in "
        "one form for all (no links in the directory, an empty host for every interface); one "
        "that another vassal serves by now is not among them.  The same set for ever."
    )

    def reason_for_absence(address: Address) -> str | None:
        """
        Why nothing accepts at C{address}, if a vassal that is known to listen
        there is starting, reloading, stopping or held back.

        @return: for example C{"vassal hello.ini is starting"}, or L{None}:
            no known vassal listens there.
        """

    def rouse(address: Address) -> bool:
        """
        Start the vassal that listens at C{address}, if it sleeps.  That takes its
        time: L{greet} tells when it accepts.

        @return: whether to wait for it: it sleeps, or it has slept and is on its
            way.
        """

    def rouse_named(name: str) -> bool:
        """
        The same for the vassals of that name, of whichever monitor.
        """

    def reason_named(name: str) -> str | None:
        """
        Why a vassal of that name does not accept.

        @return: empty: it does; L{None}: there is no such vassal.
        """

    def reason_for_keys(keys: Iterable[str]) -> str | None:
        """
        Why no vassal answers for these keys of a request, although some name one.

        @param keys: as pools have them, the best first; the first one that is named
            counts.
        @return: L{None}: nobody names them, or who does accepts.
        """

    def is_stopped(name: str) -> bool:
        """
        Whether a command has stopped all vassals of that name, of which there is
        one at least: nobody is to wait for them.
        """

    def greet(greeter: Callable[[Collection[Address]], object]) -> None:
        """
        Call C{greeter} with the addresses of each vassal that accepts from now on.
        """


class IVassalNews(Interface):
    """
    What router processes are told of the Emperor's vassals.
    """

    def whole() -> Vassals:
        """
        Everything that is known now.
        """

    def watch(listener: Callable[[Vassals], object]) -> None:
        """
        Call C{listener} with each change from now on; changes may come that
        L{whole} has told already.
        """

    def wake(id: VassalId) -> None:
        """
        A router process has a request for a vassal that sleeps, or slept when it
        was told of it.
        """


class ISubscriptionNews(Interface):
    """
    What router processes are told of the nodes that have subscribed.
    """

    def whole() -> Sequence[Subscriptions]:
        """
        All that there are now, in messages to be sent one after the other.
        """

    def watch(listener: Callable[[Subscriptions], object]) -> None:
        """
        Call C{listener} with what was announced from now on; it may be told by
        L{whole} already.
        """


class IPort(IListeningPort):
    """
    A port that can rest, as those of Twisted can.
    """

    def stopReading() -> None:
        """
        Accept nobody for the time being: clients wait in the socket's queue.
        """

    def startReading() -> None:
        """
        Accept again; who is accepting already goes on.
        """


class IKeyMapper(Interface):
    """
    A mapper outside of the configuration: a store, or the administrator's code.
    """

    def lookup(key: str) -> Pool | Deferred[Pool | None] | None:
        """
        Where the requests for C{key} go; at once where that is known.

        Whoever has lost interest may cancel the Deferred.  It fires within a
        time-out, and it fails as this raises.

        @return: L{None}: the key is unknown.
        @raise emperor.routing.mapping.MapperUnavailable: it cannot be told now.
        @raise emperor.routing.mapping.MapperBroken: what is told of the key
            makes no sense.
        """

    def start() -> Deferred[None] | None:
        """
        Begin.

        @return: fires, and never fails, when L{lookup} is as good as it can
            be; L{None} if it is now.
        @raise emperor.config.errors.ConfigurationError: it cannot be used.
        """

    def stop() -> Deferred[Any] | None:
        """
        Give everything back; what waits fails.
        """


class IStream(ITransport, IConsumer, IPushProducer):
    """
    What the routers need of a connection: Twisted's stream transports of TCP
    and UNIX sockets all provide it.
    """

    disconnecting: bool = Attribute(
        "Whether the connection was told to close and still has something to send."
    )

    def loseWriteConnection() -> None:
        """
        Close the sending side once everything is sent; receiving goes on.
        """

    def abortConnection() -> None:
        """
        Close at once and drop what is not sent yet.
        """


class IDialer(Interface):
    """
    How connections to sockets are made.
    """

    def dial(
        address: SocketAddress,
        protocol: IProtocol,
        failed: Callable[[Failure], object],
        timeout: float,
        *,
        owner: int = ANYBODY,
    ) -> Callable[[], None]:
        """
        Connect C{protocol} to C{address}, perhaps before this returns.

        No L{twisted.internet.defer.Deferred} is made, because this happens
        for every request.

        @param failed: called instead, once and never before this returns, with
            a L{Failure} of
            L{twisted.internet.error.ConnectError}.
        @param timeout: seconds until the node must have accepted.
        @param owner: see L{emperor.routing.pools.Target}; somebody else's socket
            fails with L{emperor.proxy.peers.Stranger}.
        @return: gives up, after which neither is called.
        """


class INodeDialer(IDialer):
    """
    How connections to nodes are made, whichever way their addresses are written.
    """

    def dial(
        address: Address,
        protocol: IProtocol,
        failed: Callable[[Failure], object],
        timeout: float,
        *,
        owner: int = ANYBODY,
    ) -> Callable[[], None]:
        """
        As L{IDialer.dial}, also to a node with a name or with TLS; its protocol
        is connected when the node has shown its certificate.
        """


class IRouterState(Interface):
    """
    What a router shows of itself, whichever processes it runs in.
    """

    settings: RouterSettings = Attribute("What it was told to be.")

    def counts() -> Counts:
        """
        What it has done since its start.
        """

    def counts_by_process() -> Mapping[int, Counts]:
        """
        The same for each of its processes that run now, by their numbers.
        """

    def rejected() -> Mapping[str, int]:
        """
        How many subscriptions were turned away since its start, by the reason.
        """

    def fixed() -> Sequence[FixedStatistics]:
        """
        How the nodes of its configuration do.

        @return: empty: it has none.
        """

    def pools() -> Iterator[PoolStatistics]:
        """
        How the pools of subscribed nodes do: those that there are now, each as
        it is when it is read.
        """


class INetwork(IService):
    """
    Which transports connections are made of.
    """

    dialer: IDialer = Attribute("Makes connections to nodes.")

    def listen(listener: socket, factory: IProtocolFactory) -> IPort:
        """
        Take a listening socket over and accept clients from it.

        @param listener: bound, listening and non-blocking.
        """
