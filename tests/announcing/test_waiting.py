"""
Tests for L{emperor.announcing.waiting}.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.internet.error import ConnectingCancelledError, ConnectionRefusedError
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from emperor.announcing.waiting import PATIENCE, until_accepting


class WaitingTests(SynchronousTestCase):
    """
    Knocking until somebody opens.
    """

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()

    def test_tcp(self) -> None:
        """
        It tries again after a moment, says nothing, and hangs up.
        """
        waiting = ensureDeferred(until_accepting(self.reactor, "192.0.2.1:3031"))
        for attempt in range(3):
            self.assertEqual(len(self.reactor.tcpClients), attempt + 1)
            client: Any = self.reactor.tcpClients[attempt]
            host, port, factory, *_ = client
            self.assertEqual((host, port), ("192.0.2.1", 3031))
            factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))
            self.assertNoResult(waiting)
            self.reactor.advance(PATIENCE)
        protocol = self.reactor.tcpClients[-1][2].buildProtocol(None)
        assert protocol is not None
        transport = StringTransport()
        protocol.makeConnection(transport)
        self.successResultOf(waiting)
        self.assertEqual((transport.value(), transport.disconnected), (b"", True))

    def test_others(self) -> None:
        """
        IPv6, every interface, and UNIX sockets.
        """
        for address in ("[::1]:3031", ":3031", "/run/node.sock", "@node"):
            waiting = ensureDeferred(until_accepting(self.reactor, address))
            self.addCleanup(self.failureResultOf, waiting, ConnectingCancelledError)
            self.addCleanup(waiting.cancel)
        hosts = [client[0] for client in self.reactor.tcpClients]
        self.assertEqual(hosts, ["::1", "127.0.0.1"])
        paths = [client[0] for client in self.reactor.unixClients]
        self.assertEqual(paths, [b"/run/node.sock", b"\0node\0"])

    def test_given_up(self) -> None:
        """
        Who waits can give up, and nothing is left.
        """
        waiting = ensureDeferred(until_accepting(self.reactor, "192.0.2.1:3031"))
        factory: Any = self.reactor.tcpClients[0][2]
        factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
