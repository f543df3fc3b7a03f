"""
Tests for L{emperor.announcing.sending}.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress
from emperor.announcing.sending import RESOLVING_TIMEOUT, CannotSend, Sender
from emperor.announcing.servers import parse_server
from tests.announcing.fakes import FakeReactor

NAMED = "router.internal:7000"


class SenderTests(SynchronousTestCase):
    """
    Datagrams leave, or the reason is said.
    """

    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.sender = Sender(self.reactor)

    def send(self, server: str, data: bytes = b"x") -> Deferred[None]:
        return ensureDeferred(self.sender.send(parse_server(server), data))

    def failure(self, sending: Deferred[None]) -> str:
        return str(self.failureResultOf(sending, CannotSend).value)

    def test_literals(self) -> None:
        """
        Literals and paths need no resolver; each family has one socket.
        """
        for server in ("192.0.2.1:7000", "[2001:db8::1]:7000", "/run/s", "192.0.2.2:7000"):
            self.successResultOf(self.send(server))
        self.assertEqual(
            [address for address, _ in self.reactor.sent],
            [("192.0.2.1", 7000), ("2001:db8::1", 7000), "/run/s", ("192.0.2.2", 7000)],
        )
        self.assertEqual(self.reactor.questions, [])
        kinds = [(port.kind, port.broadcasts) for port in self.reactor.ports]
        self.assertEqual(kinds, [("", True), ("::", False), ("unix", False)])

    def test_several(self) -> None:
        """
        Several datagrams cost one question.
        """
        self.reactor.answers["router.internal"] = ["192.0.2.1"]
        self.successResultOf(ensureDeferred(self.sender.send(parse_server(NAMED), b"x", b"y")))
        self.assertEqual([data for _, data in self.reactor.sent], [b"x", b"y"])
        self.assertEqual(len(self.reactor.questions), 1)

    def test_source(self) -> None:
        """
        Datagrams of its family leave from where they are asked to.
        """
        self.reactor.families += ["198.51.100.1", "2001:db8::2"]
        for source, kinds in (
            ("198.51.100.1", ["198.51.100.1", "::", "unix"]),
            ("2001:db8::2", ["", "2001:db8::2", "unix"]),
        ):
            self.reactor.ports.clear()
            self.sender = Sender(self.reactor, TcpAddress(source, 0))
            for server in ("192.0.2.1:7000", "[2001:db8::1]:7000", "/run/s"):
                self.successResultOf(self.send(server))
            self.assertEqual([port.kind for port in self.reactor.ports], kinds)

    def test_names(self) -> None:
        """
        A name is resolved each time, so that a server that moves is found.
        """
        for host in ("192.0.2.1", "192.0.2.9"):
            sending = self.send(NAMED)
            self.assertNoResult(sending)
            self.reactor.questions.pop().answer(host)
            self.successResultOf(sending)
            self.assertEqual(self.reactor.sent.pop(), ((host, 7000), b"x"))

    def test_last_answer(self) -> None:
        """
        While names cannot be resolved the last answer is used.
        """
        self.reactor.answers["router.internal"] = ["192.0.2.1"]
        self.successResultOf(self.send(NAMED))
        self.reactor.answers["router.internal"] = []
        self.successResultOf(self.send(NAMED))
        self.assertEqual(len(self.reactor.sent), 2)

    def test_unknown(self) -> None:
        """
        A name that never had an answer.
        """
        self.reactor.answers["router.internal"] = []
        reason = self.failure(self.send(NAMED))
        self.assertEqual(reason, "router.internal:7000: the name cannot be resolved")

    def test_slow_resolver(self) -> None:
        """
        It is waited for only so long, and a late answer does no harm.
        """
        sending = self.send(NAMED)
        self.reactor.advance(RESOLVING_TIMEOUT)
        self.assertIn("cannot be resolved", self.failure(sending))
        self.reactor.questions.pop().answer("192.0.2.1")
        self.assertEqual(self.reactor.sent, [])

    def test_several_addresses(self) -> None:
        """
        IPv4 first, and the first one that this machine can send to.
        """
        self.reactor.answers["router.internal"] = ["2001:db8::1", "192.0.2.1", "192.0.2.2"]
        self.successResultOf(self.send(NAMED))
        self.reactor.broken = {("192.0.2.1", 7000)}
        self.successResultOf(self.send(NAMED))
        self.reactor.families = ["::"]
        self.sender = Sender(self.reactor)
        self.successResultOf(self.send(NAMED))
        self.assertEqual(
            [address for address, _ in self.reactor.sent],
            [("192.0.2.1", 7000), ("192.0.2.2", 7000), ("2001:db8::1", 7000)],
        )

    def test_errors(self) -> None:
        """
        The system's reason is passed on, and the next attempt is a new one.
        """
        self.reactor.broken = {"/run/s"}
        self.assertEqual(self.failure(self.send("/run/s")), "/run/s: No such file or directory")
        self.reactor.broken.clear()
        self.successResultOf(self.send("/run/s"))

    def test_close(self) -> None:
        """
        No socket stays.
        """
        for server in ("192.0.2.1:7000", "[2001:db8::1]:7000", "/run/s"):
            self.successResultOf(self.send(server))
        self.successResultOf(ensureDeferred(self.sender.close()))
        self.assertEqual(self.reactor.ports, [])
