"""
Subscriptions between real uWSGI programs and ours, in both directions.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.trial.unittest import FailTest

from emperor.config.settings import Policy
from emperor.keyfiles import KeyFiles
from emperor.routing.gatekeeper import AdmissionRules, Gatekeeper, Rejected
from emperor.wire.signatures import digest
from emperor.wire.subscription import build_announcement, parse_announcement
from emperor.wire.uwsgi import PacketReader, build_packet, encode_variables
from tests.integration.client import exchange
from tests.integration.datagrams import subscribe, udp_letterbox
from tests.integration.programs import (
    DEADLINE,
    LOOK,
    Program,
    ProgramsTestCase,
    eventually,
    free_port,
    reactor,
    unavailable,
)
from tests.integration.servers import debian_uwsgi
from tests.wire.announcements import announcement, private_key, private_pem, public_pem


def wheel_uwsgi() -> Path:
    """
    The uWSGI of the wheel, which cannot sign.

    @raise SkipTest: there is none.
    """
    path = Path(sys.executable).with_name("uwsgi")
    if not os.access(path, os.X_OK):
        raise unavailable(f"no {path}; it comes with: pip install pyuwsgi")
    return path


class SubscriberTests(ProgramsTestCase):
    """
    Real instances announce themselves to us.
    """

    async def test_fields(self) -> None:
        """
        Every word of an instance is understood: at its start, a second later,
        and when it leaves; and would be said by us in the same bytes.
        """
        letterbox, port = udp_letterbox(self)
        node = free_port()
        words = f"server=127.0.0.1:{port},key=foo.com:80,weight=3,modifier1=5,modifier2=1"
        files = "sni_key=/x.key,sni_crt=/x.crt,sni_ca=/x.ca"
        notify = self.place / "acks"
        program = self.start(
            "uwsgi",
            [
                *(wheel_uwsgi(), "--master", "--die-on-term", "--socket", f"127.0.0.1:{node}"),
                *("--subscribe2", f"{words},{files}", "--subscription-notify-socket", notify),
            ],
        )
        expected = announcement(
            key="foo.com:80",
            address=f"127.0.0.1:{node}",
            modifier1=5,
            modifier2=1,
            cores=1,
            weight=3,
            sni_key="/x.key",
            sni_certificate="/x.crt",
            sni_authority="/x.ca",
            notify=str(notify),
        )
        await eventually(lambda: len(letterbox.letters) >= 2, "two announcements come")
        await program.stop()
        for _, data in letterbox.letters:
            found = parse_announcement(data)
            self.assertEqual((found.signature, found.seal), (None, None))
            self.assertEqual(build_announcement(found.announcement), data)
        said = [parse_announcement(data).announcement for _, data in letterbox.letters]
        self.assertEqual(said[:2], [expected] * 2)
        leaving = parse_announcement(letterbox.letters[-1][1]).announcement
        self.assertTrue(leaving.leaving)
        self.assertEqual(leaving.address, expected.address)

    async def test_signed(self) -> None:
        """
        All that an instance signs in its life, and in the next one that begins
        at once, is let in; what somebody repeats is not.
        """
        for kind, name, lives in (("rsa", "SHA1", 2), ("ec", "SHA512", 1), ("dsa", "SHA256", 1)):
            (self.place / "a.it_8000.pem").write_bytes(public_pem(private_key(kind)))
            keys = KeyFiles(str(self.place), digest(name))
            gate = Gatekeeper(AdmissionRules(Policy.SIGNED), keys)
            for _ in range(lives):
                await self.check_life(gate, kind, name)

    async def check_life(self, gate: Gatekeeper, kind: str, name: str) -> None:
        letterbox, port = udp_letterbox(self)
        private = self.place / "private.pem"
        private.write_bytes(private_pem(private_key(kind)))
        words = f"server=127.0.0.1:{port},key=a.it:8000,sign={name}:{private}"
        program = self.start(
            "uwsgi",
            [
                *(debian_uwsgi(), "--plugin", "python3", "--master", "--die-on-term"),
                *("--socket", "127.0.0.1:0", "--subscribe2", words),
            ],
        )
        await eventually(lambda: len(letterbox.letters) >= 2, "two announcements come")
        await program.stop()
        said = []
        for now, data in letterbox.letters:
            found = parse_announcement(data)
            gate.check(found, now)
            said.append(found.announcement.leaving)
        self.assertEqual((said[:2], said[-1]), ([False, False], True))
        now, data = letterbox.letters[-1]
        for repeated in (data, data[:3] + b"\0" + data[4:]):
            self.assertRaises(Rejected, gate.check, parse_announcement(repeated), now + 3)


class _Node(Protocol):
    """
    Answers every request with the modifiers that it came with.
    """

    def __init__(self) -> None:
        self._reader = PacketReader()

    def dataReceived(self, data: bytes) -> None:
        packet, _ = self._reader.feed(data)
        if packet is not None:
            assert self.transport is not None
            answer = b"%d,%d" % (packet.modifier1, packet.modifier2)
            self.transport.write(b"HTTP/1.0 200 OK\r\n\r\n" + answer)
            self.transport.loseConnection()


class FastRouterTests(ProgramsTestCase):
    """
    We announce a node to a real FastRouter.
    """

    def node(self) -> int:
        """
        Start a node in this process.

        @return: its port.
        """
        port = reactor.listenTCP(0, Factory.forProtocol(_Node), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return int(port.getHost().port)

    async def start_router(self, *arguments: str | Path) -> None:
        """
        Start a FastRouter with a subscription server.
        """
        self.port, self.stats, self.server = free_port(), free_port(), free_port()
        program = self.start(
            "fastrouter",
            [
                *(*arguments, "--master", "--die-on-term"),
                *("--fastrouter", f"127.0.0.1:{self.port}"),
                *("--fastrouter-stats", f"127.0.0.1:{self.stats}"),
                *("--fastrouter-subscription-server", f"127.0.0.1:{self.server}"),
            ],
            gently=False,
        )
        for port in (self.port, self.stats):
            await program.listens(port)

    def announce(self, node: int, *arguments: str | Path) -> Program:
        """
        Announce this node, until the program is stopped.
        """
        known = ("-s", f"localhost:{self.server}", "-k", "foo.com,5", "-a", f"127.0.0.1:{node}")
        return subscribe(self, *known, *arguments)

    async def nodes(self) -> dict[str, Any]:
        """
        What the router knows of the nodes of foo.com, by their addresses.
        """
        stats = json.loads(await exchange(self.stats, b""))
        pools = [pool for pool in stats.get("subscriptions", ()) if pool["key"] == "foo.com"]
        return {node["name"]: node for pool in pools for node in pool["nodes"]}

    async def until_nodes(self, *ports: int) -> dict[str, Any]:
        """
        Wait until the router knows these nodes and no others.
        """
        expected = {f"127.0.0.1:{port}" for port in ports}
        end = reactor.seconds() + DEADLINE
        while set(found := await self.nodes()) != expected:
            if reactor.seconds() > end:
                raise FailTest(f"{sorted(found)} in place of {sorted(expected)}")
            await deferLater(reactor, LOOK)
        return found

    async def ask(self) -> bytes:
        """
        One request through the router.
        """
        payload = encode_variables([(b"HTTP_HOST", b"foo.com"), (b"SERVER_PROTOCOL", b"HTTP/1.0")])
        return await exchange(self.port, build_packet(0, payload, 0))

    async def test_life(self) -> None:
        """
        A node comes with all that it says of itself, gets requests, and leaves.
        """
        await self.start_router(wheel_uwsgi())
        one, two = self.node(), self.node()
        first = self.announce(one, "--modifier2", "7", "--weight", "4")
        found = (await self.until_nodes(one))[f"127.0.0.1:{one}"]
        self.assertEqual((found["modifier1"], found["modifier2"], found["weight"]), (5, 7, 4))
        self.assertTrue((await self.ask()).endswith(b"\r\n\r\n5,7"))
        second = self.announce(two)
        await self.until_nodes(one, two)
        await first.stop()
        await self.until_nodes(two)
        self.assertTrue((await self.ask()).endswith(b"\r\n\r\n5,0"))
        await second.stop()
        await self.until_nodes()

    async def test_signed(self) -> None:
        """
        A router that checks signatures takes ours, beside a seal that it does
        not know, and no other.
        """
        (self.place / "foo.com.pem").write_bytes(public_pem(private_key("rsa")))
        private, other, secret = (self.place / name for name in ("rsa", "ec", "secret"))
        private.write_bytes(private_pem(private_key("rsa")))
        other.write_bytes(private_pem(private_key("ec")))
        secret.write_bytes(b"s" * 32)
        await self.start_router(
            *(debian_uwsgi(), "--plugin", "corerouter,fastrouter"),
            *("--subscriptions-sign-check", f"SHA256:{self.place}"),
        )
        one, two, three = self.node(), self.node(), self.node()
        for refused in (
            self.announce(two, "--once", "--sign", f"SHA256:{other}"),
            self.announce(three, "--once", "--sign2", secret),
        ):
            self.assertEqual(await refused.end(), 0)
        signed = self.announce(one, "--sign", f"SHA256:{private}", "--sign2", secret)
        await self.until_nodes(one)
        self.assertTrue((await self.ask()).endswith(b"\r\n\r\n5,0"))
        await signed.stop()
        await self.until_nodes()
