"""
A resolver whose answers the test gives.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from zope.interface import implementer


@implementer(IHostResolution)
class Question:
    """
    One name that somebody wants to know.

    @ivar name: the question.
    """

    def __init__(self, name: str, receiver: IResolutionReceiver) -> None:
        self.name = name
        self._receiver = receiver
        receiver.resolutionBegan(self)

    def cancel(self) -> None:
        """
        As Twisted's own: not supported.
        """
        raise NotImplementedError

    def answer(self, *hosts: str) -> None:
        """
        It has these addresses; none: it was not found.
        """
        for host in hosts:
            kind = IPv6Address if ":" in host else IPv4Address
            self._receiver.addressResolved(kind("TCP", host, 0))
        self._receiver.resolutionComplete()


@implementer(IHostnameResolver)
class FakeResolver:
    """
    Remembers what is asked.

    @ivar questions: those that are not answered, the oldest first.
    @ivar known: what is answered at once.
    """

    def __init__(self) -> None:
        self.questions: list[Question] = []
        self.known: dict[str, Sequence[str]] = {}

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """
        See L{IHostnameResolver.resolveHostName}.
        """
        question = Question(hostName, resolutionReceiver)
        if hostName in self.known:
            question.answer(*self.known[hostName])
        else:
            self.questions.append(question)
        return question

    def answer(self, *hosts: str) -> None:
        """
        Answer the oldest question.
        """
        self.questions.pop(0).answer(*hosts)
