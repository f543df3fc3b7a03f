"""
A router, its clients and its nodes, without a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import parse_address
from emperor.config.settings import HttpSettings, Mapper, Node, RouterSettings
from emperor.proxy.frontend import Frontend
from emperor.proxy.refusals import RefusalLog
from emperor.proxy.router import Router
from emperor.proxy.routes import OtherMapper
from emperor.proxy.service import FrontendFactory, build_factory
from emperor.testing.proxy import Dial, FakeDialer, FakeStream, FakeVassals
from emperor.wire.uwsgi import PacketReader, iterate_variables

LISTEN = (parse_address("127.0.0.1:80"),)
NODE = Node(parse_address("127.0.0.1:3031"), 5, 6)
OTHER = Node(parse_address("127.0.0.1:3032"))


class Dialogue:
    """
    One router; C{connect} makes a client, C{dial} is the newest connection
    that it asked for.
    """

    def __init__(
        self, settings: RouterSettings, mappers: Mapping[Mapper, OtherMapper] | None = None
    ) -> None:
        self.clock = Clock()
        self.dialer = FakeDialer(self.clock)
        self.vassals = FakeVassals()
        self.refusals = RefusalLog(self.clock)
        self.router = Router(
            settings,
            clock=self.clock,
            dialer=self.dialer,
            vassals=self.vassals,
            refusals=self.refusals,
            mappers=mappers,
        )
        self.router.deadlines.start()
        self.factory: FrontendFactory = build_factory(self.router, "machine")

    def connect(self) -> FakeStream:
        """
        A client comes.
        """
        protocol = self.factory.buildProtocol(None)
        assert isinstance(protocol, Frontend)
        return FakeStream(protocol, self.clock)

    @property
    def dial(self) -> Dial:
        """
        The newest connection that was asked for.
        """
        return self.dialer.dials[-1]

    def wait(self, seconds: int) -> None:
        """
        Let time pass, a second at a time.
        """
        self.clock.pump([1] * seconds)


class DialogueCase(SynchronousTestCase):
    """
    What tests of the two front ends share.
    """

    settings: RouterSettings
    mappers: Mapping[Mapper, OtherMapper] | None = None

    def start(self, **changes: Any) -> Dialogue:
        """
        A router with the settings of the test case, but for C{changes}.
        """
        self.dialogue = Dialogue(replace(self.settings, **changes), self.mappers)
        self.addCleanup(self.dialogue.router.deadlines.stop)
        return self.dialogue

    def variables(self, request: bytes) -> tuple[dict[bytes, bytes], tuple[int, int], bytes]:
        """
        What a node got: the variables, the modifiers, the body.
        """
        packet, body = PacketReader().feed(request)
        assert packet is not None and body is not None
        found = dict(iterate_variables(packet.payload))
        return found, (packet.modifier1, packet.modifier2), body

    def assert_refused(self, answer: bytes, status: int, *words: bytes) -> None:
        """
        C{answer} is one whole refusal.
        """
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 %d " % status), head)
        self.assertIn(b"Content-Length: %d\r\n" % len(body), head + b"\r\n")
        for word in words:
            self.assertIn(word, body)


HTTP = HttpSettings(listen=LISTEN, to=(NODE,))
FASTROUTER = RouterSettings(kind="fastrouter", listen=LISTEN, to=(NODE,))
