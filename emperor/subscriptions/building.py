"""
From settings to the parts of a subscription server, and to the whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from socket import socket
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from emperor.addresses import ANYBODY, BorrowedSocket, SocketAddress, TcpAddress, UnixAddress
from emperor.announcing.sending import Sender
from emperor.announcing.servers import parse_server
from emperor.config.attributes import Attributes, attributes
from emperor.config.settings import RouterSettings, Settings, SubscriptionSettings
from emperor.config.surroundings import Surroundings
from emperor.config.vassalfile import uwsgi_sockets
from emperor.keyfiles import KeyFiles
from emperor.proxy.binding import CannotListen
from emperor.proxy.listeners import OpenRouter
from emperor.routing.gatekeeper import AdmissionRules, Gatekeeper, Keys
from emperor.routing.subscriptions import Registry
from emperor.subscriptions.acknowledging import Acknowledger
from emperor.subscriptions.chronicle import Chronicle
from emperor.subscriptions.copying import Copyist
from emperor.subscriptions.domains import EMPTY, Domains, Holdings, make_holdings
from emperor.subscriptions.grants import Grants
from emperor.subscriptions.ledger import Ledger, make_registry
from emperor.subscriptions.places import Places
from emperor.subscriptions.receiving import DatagramReader
from emperor.subscriptions.reception import Reception
from emperor.subscriptions.rejections import Rejections
from emperor.subscriptions.resubscribing import Resubscriber
from emperor.subscriptions.service import SubscriptionServer
from emperor.subscriptions.sockets import open_servers
from emperor.subscriptions.statefile import StateFile
from emperor.vassals.emperor import Emperor
from emperor.vassals.origins import readable, reader_of
from emperor.vassals.spec import VassalId, VassalSpec
from emperor.vassals.tyrant import NoOwner, owner_of
from emperor.wire.hops import make_mark
from emperor.wire.seals import SealVerifier
from emperor.wire.signatures import Verifier, digest
from emperor.wire.subscription import Scheme


def make_gate(settings: SubscriptionSettings) -> Gatekeeper:
    """
    Who decides which datagrams are believed.
    """
    rules = AdmissionRules(
        policy=settings.policy,
        tolerance=settings.sign_tolerance,
        seal_tolerance=settings.v2_tolerance,
        skip_uids=frozenset(settings.sign_skip_uids),
        use_credentials=settings.use_credentials,
        check_owners=bool(settings.credentials_directories),
        mountpoints=bool(settings.mountpoints),
    )
    return Gatekeeper(rules, _BothKeys(settings))


class _BothKeys(Keys):
    """
    The keys of uWSGI's signatures and those of seals may lie in different
    directories.
    """

    def __init__(self, settings: SubscriptionSettings) -> None:
        algorithm = digest(settings.sign_digest or "SHA256")
        self._seals = KeyFiles(settings.v2_directory, algorithm)
        self._signatures = KeyFiles(
            settings.sign_directory, algorithm, settings.credentials_directories
        )

    def verifier(self, name: str) -> Verifier:
        """
        See L{Keys.verifier}.
        """
        return self._signatures.verifier(name)

    def seal_verifier(self, scheme: Scheme, name: str) -> SealVerifier:
        """
        See L{Keys.seal_verifier}.
        """
        return self._seals.seal_verifier(scheme, name)

    def owners(self, name: str) -> Collection[tuple[int, int]]:
        """
        See L{Keys.owners}.
        """
        return self._signatures.owners(name)


def build_servers(reactor: Any, routers: Sequence[OpenRouter]) -> list[SubscriptionServer]:
    """
    The subscription server of each router.

    @param routers: they are closed if this fails.
    @raise CannotListen: an address is in use or forbidden.
    """
    try:
        opened = open_servers(router.settings for router in routers)
    except CannotListen:
        for router in routers:
            router.close()
        raise
    return [
        build_server(reactor, router.settings, sockets)
        for router, sockets in zip(routers, opened, strict=True)
    ]


def build_domains(
    reactor: Any,
    settings: Settings,
    servers: Sequence[SubscriptionServer],
    emperor: Emperor,
    surroundings: Surroundings,
) -> Domains:
    """
    What puts vassals into the pools of the routers, of which there is one at
    least.
    """

    launch = settings.emperor.launch
    grants = Grants(launch.domains)

    def permitted(spec: VassalSpec, found: Attributes) -> tuple[Attributes, tuple[str, ...], int]:
        """
        Its domains that count, what is wrong with the others, and whose it is.
        """
        if not launch.tyrant or not found.domains:
            return found, (), ANYBODY
        path = os.path.join(spec.directory, spec.file)
        try:
            owner = owner_of(path, nofollow=launch.tyrant_nofollow)
        except NoOwner as error:
            return replace(found, domains=()), (str(error),), ANYBODY
        return *grants.permit(found, owner.uid), owner.uid

    def read(id: VassalId) -> Holdings:
        spec, shared = emperor.spec(id), settings.emperor
        if spec.is_zerg or spec.is_instance:  # Its parent has the socket, or it has no domain.
            return EMPTY
        there = replace(surroundings, reads_as=reader_of(spec, launch))
        place = (spec.file, spec.directory, shared, there)
        config = readable(spec, shared.launch)
        found, refused, owner = permitted(spec, attributes(*place, config))
        held = emperor.door(id)
        sockets = uwsgi_sockets(*place, held=held, config=config)
        if owner != ANYBODY and held in sockets[:1]:  # It is we who listen.
            owner = os.geteuid()
        holdings = make_holdings(id.name, found, sockets, owner)
        return replace(holdings, problems=holdings.problems + refused)

    subscriptions = [router.subscriptions for router in settings.routers]
    tolerances = [min(each.tolerance, each.tolerance_inactive) for each in subscriptions]
    domains = Domains(
        reactor, [server.ledger for server in servers], read, min(tolerances), emperor.name_keys
    )
    emperor.watch(domains.saw)
    return domains


def build_server(
    reactor: Any, router: RouterSettings, sockets: Sequence[socket]
) -> SubscriptionServer:
    """
    The subscription server of one router; what the last one knew is known.

    @param sockets: open, one for each of C{router.subscriptions.servers}; they
        are its own from now on.
    """
    settings = router.subscriptions
    registry = make_registry(router)
    ledger = Ledger(reactor, registry)
    gate = make_gate(settings)
    rejections = Rejections(reactor, router.kind)
    places = Places(_own(router))
    mark = make_mark()
    reception = Reception(
        reactor,
        gate,
        ledger,
        rejections,
        mark=mark,
        own=places,
        vassal_required=settings.vassal_required,
    )
    news = Copyist(reactor, registry)
    acknowledger = Acknowledger()
    for follower in (Chronicle(reactor, router.kind), news, acknowledger):
        ledger.follow(follower)
    each_second: list[Callable[[], object]] = [ledger.expire]
    at_end: list[Callable[[], Deferred[None] | None]] = [acknowledger.stop]
    if settings.resubscribe:
        resubscriber = _resubscriber(reactor, router, registry, places, mark)
        ledger.follow(resubscriber)
        at_end.append(resubscriber.stop)
    if settings.state:

        def in_thread(call: Callable[[], None]) -> Deferred[None]:
            return deferToThreadPool(reactor, reactor.getThreadPool(), call)

        state = StateFile(reactor, settings.state, ledger, gate, in_thread)
        state.restore()
        ledger.follow(state)
        each_second.append(state.tick)
        at_end.append(state.stop)
    return SubscriptionServer(
        reactor,
        router.kind,
        settings.servers,
        readers=[DatagramReader(reactor, each, reception.received) for each in sockets],
        ledger=ledger,
        news=news,
        rejections=rejections,
        each_second=each_second,
        at_end=at_end,
        mark=mark,
    )


def _own(router: RouterSettings) -> Iterator[SocketAddress]:
    """
    Where a router whose sockets are open listens.
    """
    for address in router.listen:
        if isinstance(address, BorrowedSocket):
            yield address.address
        elif isinstance(address, TcpAddress | UnixAddress):
            yield address


def _resubscriber(
    reactor: Any, router: RouterSettings, registry: Registry, places: Places, mark: str
) -> Resubscriber:
    settings = router.subscriptions
    source = settings.resubscribe_bind
    return Resubscriber(
        reactor,
        [parse_server(each) for each in settings.resubscribe],
        registry,
        sender=Sender(reactor, source if isinstance(source, TcpAddress) else None),
        places=places,
        mark=mark,
        protocol="http" if router.kind == "http" else "uwsgi",
    )
