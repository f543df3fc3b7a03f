"""
Tests for L{emperor.announcing.command}.
"""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from emperor.announcing import command
from emperor.announcing.command import SubscribeOptions
from emperor.announcing.servers import UdpServer, UnixServer
from emperor.wire.subscription import Scheme
from tests.announcing.fakes import FakeReactor
from tests.wire.announcements import announcement, private_key, private_pem, public_pem

NEEDED = ("--server", "/run/s", "--key", "foo.com", "--address", "127.0.0.1:3031")


class EndingReactor(FakeReactor):
    """
    A reactor that can be asked to stop.
    """

    def addSystemEventTrigger(self, phase: str, event: str, call: Callable[[], Any]) -> None:
        self.stop = call


def parsed(*arguments: str) -> SubscribeOptions:
    """
    The options of a command line.
    """
    options = SubscribeOptions()
    options.parseOptions(list(arguments))
    return options


class OptionsTests(SynchronousTestCase):
    """
    What a command line means.
    """

    def refused(self, *arguments: str) -> str:
        return str(self.assertRaises(UsageError, parsed, *arguments))

    def test_least(self) -> None:
        """
        A server, a pool and a node are enough.
        """
        options = parsed(*NEEDED)
        self.assertEqual(options.servers, [UnixServer("/run/s")])
        self.assertEqual(options.announcements, [announcement()])
        self.assertEqual((options.proofs.sign, options.proofs.sealer), (None, None))

    def test_most(self) -> None:
        """
        Every option has its place.
        """
        text = (
            "-s router.internal:7000 -s [::1]:7000 -k foo.com -k bar.com:80,7 -k a,b "
            "-a 127.0.0.1:3031 --modifier1 5 --modifier2 1 -w 3 --backup 2 --algo lrc --proto http"
        )
        options = parsed(*text.split())
        common = {
            "modifier1": 5,
            "modifier2": 1,
            "weight": 3,
            "backup": 2,
            "algorithm": "lrc",
            "protocol": "http",
        }
        self.assertEqual(
            options.announcements,
            [
                announcement(**common),
                announcement(**{**common, "key": "bar.com:80", "modifier1": 7}),
                announcement(**{**common, "key": "a,b"}),
            ],
        )
        servers = [UdpServer("router.internal", 7000), UdpServer("::1", 7000)]
        self.assertEqual(options.servers, servers)

    def test_keys_of_other_scripts(self) -> None:
        """
        A key has the bytes that a browser would send.
        """
        (found,) = parsed(*NEEDED[:2], "-k", "b\xfccher", *NEEDED[4:]).announcements
        self.assertEqual(found.key.encode("latin-1"), "b\xfccher".encode())

    def test_program(self) -> None:
        """
        What stands behind two hyphens is a program with options of its own.
        """
        self.assertEqual(parsed(*NEEDED, "--", "sh", "-c", "x").program, ("sh", "-c", "x"))
        self.assertIn("no such program", self.refused(*NEEDED, "--", "no-such-program"))

    def test_node_to_knock_at(self) -> None:
        """
        An address that only the router has to understand is fine, unless it is
        to be waited for.
        """
        strange = (*NEEDED[:4], "--address", "node:x")
        self.assertEqual(parsed(*strange).announcements, [announcement(address="node:x")])
        self.assertIn("'x' in 'node:x' is no port", self.refused(*strange, "--", "sh"))

    def test_refused(self) -> None:
        """
        Mistakes are named before anything is sent.
        """
        for arguments, reason in (
            (NEEDED[2:], "it needs --server, --key and --address"),
            (NEEDED[:2] + NEEDED[4:], "it needs"),
            (NEEDED[:4], "it needs"),
            ((*NEEDED, "-s", "router"), "accepted: host:port"),
            ((*NEEDED, "-k", "k" * 256), "key has 256 bytes"),
            ((*NEEDED, "-k", "foo.com,256"), "modifier1 is b'256'"),
            ((*NEEDED, "-w", "x"), "'x' is no whole number"),
            ((*NEEDED, "-f", "x"), "'x' is no number"),
            ((*NEEDED, "-w", "-1"), "weight is b'-1'"),
            ((*NEEDED, "-f", "0"), "0.1 to 86400 seconds"),
            ((*NEEDED, "-f", "nan"), "0.1 to 86400 seconds"),
            ((*NEEDED, "--proto", "gopher"), "accepted: uwsgi, http"),
            ((*NEEDED, "--once", "--leave"), "exclude each other"),
            ((*NEEDED, "--once", "--", "sh"), "exclude each other"),
            ((*NEEDED, "--sign", "key.pem"), "DIGEST:PEMFILE"),
            ((*NEEDED, "--sign", "SHA1:/nonexistent"), "--sign: /nonexistent: No such file"),
            ((*NEEDED, "--sign2", "/nonexistent"), "--sign2: /nonexistent: No such file"),
        ):
            self.assertIn(reason, self.refused(*arguments))

    def test_proofs(self) -> None:
        """
        Keys come from files, and each fits its option or is refused.
        """
        place = Path(self.mktemp())
        place.mkdir()
        rsa, edwards, public, secret = (place / name for name in ("rsa", "ed", "pub", "secret"))
        rsa.write_bytes(private_pem(private_key("rsa")))
        edwards.write_bytes(private_pem(private_key("ed25519")))
        public.write_bytes(public_pem(private_key("rsa")))
        secret.write_bytes(b"s" * 32 + b"\n")
        proofs = parsed(*NEEDED, "--sign", f"sha256:{rsa}", "--sign2", str(edwards)).proofs
        assert proofs.sign is not None and proofs.sealer is not None
        self.assertEqual(len(proofs.sign(b"text")), 256)
        self.assertEqual(proofs.sealer.scheme, Scheme.ED25519)
        proofs = parsed(*NEEDED, "--sign2", str(secret)).proofs
        assert proofs.sealer is not None
        self.assertEqual(proofs.sealer.scheme, Scheme.HMAC_SHA256)
        for option, value, reason in (
            ("--sign", f"SHA256:{public}", "no private key"),
            ("--sign", f"CRC:{rsa}", "'CRC' is no digest"),
            ("--sign2", str(rsa), "not Ed25519"),
        ):
            self.assertIn(reason, self.refused(*NEEDED, option, value))


class AnnounceTests(SynchronousTestCase):
    """
    What is done then.
    """

    def setUp(self) -> None:
        self.reactor = EndingReactor()

    def announce(self, *arguments: str) -> Deferred[None]:
        return ensureDeferred(parsed(*NEEDED, *arguments).announce(self.reactor))

    def heard(self) -> list[bool]:
        return [datagram.announcement.leaving for _, datagram in self.reactor.take()]

    def status(self, done: Deferred[None]) -> object:
        return self.failureResultOf(done, SystemExit).value.code

    def test_once(self) -> None:
        """
        Once, to come or to leave, and that was it.
        """
        self.assertEqual(self.status(self.announce("--once")), 0)
        self.assertEqual(self.heard(), [False])
        self.assertEqual(self.status(self.announce("--leave")), 0)
        self.assertEqual(self.heard(), [True])
        self.assertEqual((self.reactor.ports, self.reactor.getDelayedCalls()), ([], []))

    def test_failed(self) -> None:
        """
        A server that could not be told is a failure of the command.
        """
        self.reactor.broken = {"/run/s"}
        self.assertEqual(self.status(self.announce("--once")), 1)

    def test_until_stopped(self) -> None:
        """
        It goes on until it is asked to stop, and leaves.
        """
        done = self.announce("--frequency", "5")
        for _ in range(10):
            self.reactor.advance(1)
        self.assertEqual(self.heard(), [False] * 4)
        self.successResultOf(self.reactor.stop())
        self.assertEqual(self.heard(), [True])
        self.assertNoResult(done)

    def test_complaints(self) -> None:
        """
        The terminal shows what we have to say, and what broke.
        """
        output = StringIO()
        with patch("sys.stderr", output):
            Logger("twisted.internet", observer=command._complain).info("Port opened")
            Logger("emperor.announcing.service", observer=command._complain).warn("Trouble")
            try:
                raise ZeroDivisionError
            except ZeroDivisionError:
                Logger("twisted", observer=command._complain).failure("Broken")
        lines = output.getvalue().splitlines()
        self.assertEqual(lines[:2], ["emperor: Trouble", "emperor: Broken"])
        self.assertIn("ZeroDivisionError", "".join(lines[2:]))
