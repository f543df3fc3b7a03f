"""
From a node's address to a connection.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from errno import ECONNREFUSED, EHOSTUNREACH, ENOENT, ETIMEDOUT
from typing import cast

from twisted.internet.defer import CancelledError
from twisted.internet.error import (
    ConnectError,
    ConnectionRefusedError,
    TimeoutError,
    getConnectError,
)
from twisted.internet.interfaces import IConnector
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import parse_address
from emperor.interfaces import IDialer
from emperor.proxy.backends import (
    EndpointDialer,
    IStreamReactor,
    error_number,
    explain,
    is_absent,
    is_missing,
    is_timeout,
)
from emperor.proxy.peers import CannotReach


class DialerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.dialer = EndpointDialer(cast(IStreamReactor, self.reactor))

    def dial(self, text: str) -> Callable[[], None]:
        self.protocol = Protocol()
        self.failures: list[Failure] = []
        return self.dialer.dial(parse_address(text), self.protocol, self.failures.append, 7)

    def refuse(self, error: Exception) -> None:
        self.reactor.tcpClients[-1][2].clientConnectionFailed(
            cast(IConnector, None), Failure(error)
        )

    def test_interface(self) -> None:
        """
        It is a dialer.
        """
        verifyObject(IDialer, self.dialer)

    def test_tcp(self) -> None:
        """
        A TCP node is connected by address, port and time-out.
        """
        for text, host in (("192.0.2.1:80", "192.0.2.1"), ("[2001:db8::1]:80", "2001:db8::1")):
            self.dial(text)
            self.assertEqual(self.reactor.tcpClients[-1][:2], (host, 80))
            self.assertEqual(self.reactor.tcpClients[-1][3], 7)

    def test_unix(self) -> None:
        """
        A UNIX node is connected by path; an abstract name has uWSGI's two NULs.
        """
        name = b"txemperor-dial-%d" % os.getpid()
        path = os.fsencode(os.path.relpath(self.mktemp()))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        for text, where in ((os.fsdecode(path), path), (f"@{name.decode()}", b"\0%b\0" % name)):
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(where)
                listener.listen(1)
                self.dial(text)
        self.assertEqual(len(self.reactor.adoptedStreamConnections), 2)

    def test_connected(self) -> None:
        """
        The protocol that was given is connected.
        """
        self.dial("192.0.2.1:80")
        factory = self.reactor.tcpClients[-1][2]
        connected = cast(Protocol, factory.buildProtocol(None))
        connected.makeConnection(StringTransport())
        self.assertTrue(self.protocol.connected)
        self.assertEqual(self.failures, [])

    def test_failed(self) -> None:
        """
        A failure is passed on.
        """
        self.dial("192.0.2.1:80")
        error = ConnectionRefusedError()
        self.refuse(error)
        self.assertIs(self.failures[0].value, error)

    def test_given_up(self) -> None:
        """
        Who gives up hears nothing more.
        """
        self.dial("192.0.2.1:80")()
        self.assertEqual(self.failures, [])


class FailureTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """
        Each way to fail is told from the others.
        """
        kinds = {
            ConnectionRefusedError(): (True, False, False),
            getConnectError((ECONNREFUSED, "refused")): (True, False, False),
            getConnectError((ENOENT, "missing")): (True, True, False),
            getConnectError((EHOSTUNREACH, "unreachable")): (False, False, False),
            getConnectError((ETIMEDOUT, "kernel's time-out")): (False, False, True),
            TimeoutError(): (False, False, True),
            ConnectError(): (False, False, False),
            CancelledError(): (False, False, False),
            OSError(ENOENT, "not from a connection"): (False, False, False),
        }
        for error, expected in kinds.items():
            failure = Failure(error)
            found = (is_absent(failure), is_missing(failure), is_timeout(failure))
            self.assertEqual(found, expected, error)

    def test_explained(self) -> None:
        """
        People are told what the system or the node said.
        """
        for error, text in (
            (getConnectError((EHOSTUNREACH, "unreachable")), "No route to host"),
            (CannotReach(string="the name app has no address"), "the name app has no address"),
            (CancelledError(), "CancelledError"),
        ):
            self.assertEqual(explain(Failure(error)), text)

    def test_number(self) -> None:
        """
        A failure without a number has 0.
        """
        self.assertEqual(error_number(Failure(getConnectError((ENOENT, "missing")))), ENOENT)
        self.assertEqual(error_number(Failure(ConnectError())), 0)
        self.assertEqual(error_number(Failure(ValueError())), 0)
