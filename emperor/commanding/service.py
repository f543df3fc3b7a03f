"""
The sockets that commands come to: C{emperor-command-socket}.

Who may write to a UNIX socket's file may command; over UDP those of
C{emperor-command-trusted} may.  In one turn of the reactor only so many
datagrams are taken, and only so many lines a second are logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from socket import socket

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorFDSet, IReactorTime
from twisted.logger import Logger

from emperor.addresses import SocketAddress
from emperor.commanding.obeying import Obedience
from emperor.config.commandsettings import CommandSettings
from emperor.proxy.listeners import remove_files
from emperor.proxy.trust import Networks
from emperor.subscriptions.allowance import Allowance
from emperor.subscriptions.receiving import DatagramReader, Sender
from emperor.subscriptions.sockets import close_servers, open_server
from emperor.vassals.emperor import Emperor
from emperor.vassals.spec import shown
from emperor.wire.commands import (
    COMMAND_LIMIT,
    BadCommand,
    CommandReply,
    VassalCommand,
    Verb,
    build_reply,
    parse_command,
    wants_reply,
)

#: Lines in a second.
LOGGED_PER_SECOND = 10


class ICommandReactor(IReactorFDSet, IReactorTime):
    """
    A reactor that watches sockets, and has timers.
    """


def open_commands(settings: CommandSettings) -> list[socket]:
    """
    Open the sockets, or none.

    @raise emperor.proxy.binding.CannotListen: an address is in use, forbidden, or
        not ours.
    """
    opened: list[socket] = []
    try:
        for address in settings.sockets:
            opened.append(open_server(address, settings.mode, settings.owner, "commands"))
    except BaseException:
        close_servers(opened, settings.sockets[: len(opened)])
        raise
    return opened


class CommandService(Service):
    """
    Takes commands while it runs.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: ICommandReactor,
        emperor: Emperor,
        settings: CommandSettings,
        sockets: Sequence[socket],
    ) -> None:
        """
        @param sockets: those of C{settings.sockets}, open; they are ours from now
            on.
        """
        self.name = "commands"
        self._addresses: Sequence[SocketAddress] = settings.sockets
        self._obedience = Obedience(reactor, emperor)
        self._trusted = Networks(settings.trusted)
        self._allowance = Allowance(reactor, LOGGED_PER_SECOND, self._log_rest)
        self._readers: list[DatagramReader] = []
        for each in sockets:
            received = partial(self._received, len(self._readers))
            reader = DatagramReader(reactor, each, received, limit=COMMAND_LIMIT, what="command")
            self._readers.append(reader)

    def startService(self) -> None:
        """
        Take commands.
        """
        Service.startService(self)
        for reader, address in zip(self._readers, self._addresses, strict=True):
            reader.start()
            self._log.info("The Emperor takes commands on {address}", address=address)

    def stopService(self) -> None:
        """
        Take none any more.
        """
        Service.stopService(self)
        for reader in self._readers:
            reader.stop()
        self._obedience.stop()
        remove_files(self._addresses)

    def _received(self, place: int, data: bytes, sender: Sender) -> None:
        """
        @param place: of the socket that it came to.
        """
        if sender.host and not self._trusted.cover(sender.host):
            self._refuse(sender, "not one of emperor-command-trusted")
            return
        try:
            reply = self._obey(parse_command(data), sender)
        except BadCommand as error:
            reply = CommandReply(False, str(error))
            self._refuse(sender, reply.message)
        if wants_reply(data):
            self._readers[place].answer(build_reply(reply), sender)

    def _obey(self, command: VassalCommand, sender: Sender) -> CommandReply:
        if command.verb is Verb.LOG and not self._allowance.take():
            return CommandReply(False, f"at most {LOGGED_PER_SECOND} lines in a second")
        reply = self._obedience.obey(command)
        if not reply.done:
            self._refuse(sender, reply.message)
        # What routers ask for shows in what becomes of the vassal.
        elif not (command.verb is Verb.LOG or command.by_request) and self._allowance.take():
            self._log.info(
                "Command from {sender}: {what}", sender=shown(sender.name), what=reply.message
            )
        return reply

    def _refuse(self, sender: Sender, why: str) -> None:
        if self._allowance.take():
            self._log.warn(
                "A command from {sender} is not obeyed: {why}",
                sender=shown(sender.name),
                why=shown(why),
            )

    def _log_rest(self, count: int) -> None:
        self._log.warn("{count} more commands", count=count)
