"""
Tests for L{emperor.announcing.service}.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.announcing.servers import parse_server
from emperor.announcing.service import LEAVING_TIMEOUT, UNPROVEN, Announcer, Proofs
from emperor.config.settings import Policy
from emperor.routing.gatekeeper import AdmissionRules, Gatekeeper
from emperor.wire.fields import BadAnnouncement
from emperor.wire.seals import load_sealer
from emperor.wire.signatures import digest, load_signer
from emperor.wire.subscription import Announcement
from tests.announcing.fakes import FakeReactor
from tests.routing.test_gatekeeper import MemoryKeys
from tests.wire.announcements import announcement, private_key, private_pem, public_pem

ONE = ("192.0.2.1", 7000)
TWO = ("192.0.2.2", 7000)
TEXTS = ("192.0.2.1:7000", "192.0.2.2:7000")


class AnnouncerTests(SynchronousTestCase):
    """
    What servers hear, and when.
    """

    def setUp(self) -> None:
        self.reactor = FakeReactor()

    def make(
        self,
        *announcements: Announcement,
        servers: Sequence[str] = TEXTS[:1],
        proofs: Proofs = UNPROVEN,
    ) -> Announcer:
        return Announcer(
            self.reactor,
            [parse_server(text) for text in servers],
            announcements or [announcement()],
            proofs=proofs,
        )

    def start(self, *announcements: Announcement, **details: Any) -> Announcer:
        announcer = self.make(*announcements, **details)
        announcer.startService()
        self.addCleanup(self.reactor.advance, 100)
        self.addCleanup(self.stop, announcer)
        return announcer

    def stop(self, announcer: Announcer) -> Deferred[None] | None:
        return announcer.stopService() if announcer.running else None

    def heard(self) -> list[tuple[Any, Announcement]]:
        return [(address, datagram.announcement) for address, datagram in self.reactor.take()]

    def test_rhythm(self) -> None:
        """
        At once, again after a second, then every ten seconds.
        """
        self.start()
        times = []
        for _ in range(31):
            times += [self.reactor.seconds() - 1_700_000_000] * len(self.heard())
            self.reactor.advance(1)
        self.assertEqual(times, [0, 1, 10, 20, 30])

    def test_every_server(self) -> None:
        """
        All servers hear of all pools.
        """
        pools = (announcement(), announcement(key="bar.com", modifier1=5))
        self.start(*pools, servers=TEXTS)
        self.assertEqual(self.heard(), [(server, pool) for server in (ONE, TWO) for pool in pools])

    def test_leaving(self) -> None:
        """
        Who stops says so, once, and closes its sockets.
        """
        announcer = self.start()
        self.heard()
        self.successResultOf(announcer.stopService())
        self.assertEqual(self.heard(), [(ONE, announcement(leaving=True))])
        self.reactor.advance(60)
        self.assertEqual(self.heard(), [])
        self.assertEqual((self.reactor.ports, self.reactor.getDelayedCalls()), ([], []))

    def test_leaving_is_bounded(self) -> None:
        """
        A resolver that does not answer does not keep it, nor the other server
        from hearing it.
        """
        announcer = self.start(servers=("router.internal:7000", TEXTS[0]))
        self.heard()
        leaving = announcer.stopService()
        self.assertEqual(self.heard(), [(ONE, announcement(leaving=True))])
        self.assertNoResult(leaving)
        self.reactor.advance(LEAVING_TIMEOUT)
        self.successResultOf(leaving)

    def test_one_trouble(self) -> None:
        """
        A server that cannot be reached keeps no other one from hearing; it is
        logged when it begins and when it is over, not each time.
        """
        self.reactor.broken = {"/run/s"}
        with capturedLogs() as events:
            self.start(servers=("/run/s", TEXTS[0]))
            for _ in range(3):
                self.reactor.advance(10)
            self.assertEqual([address for address, _ in self.heard()], [ONE] * 5)
            self.reactor.broken.clear()
            self.reactor.advance(10)
        self.assertEqual([address for address, _ in self.heard()], ["/run/s", ONE])
        self.assertEqual(
            [(event["log_level"], formatEvent(event)) for event in events],
            [
                (LogLevel.warn, "Cannot announce to /run/s: No such file or directory"),
                (LogLevel.info, "Announcing to /run/s again"),
            ],
        )

    def test_slow_name(self) -> None:
        """
        While one announcement waits for its server's name no other one does.
        """
        self.start(servers=("router.internal:7000",))
        self.reactor.advance(1)
        (question,) = self.reactor.questions
        question.answer("192.0.2.1")
        self.assertEqual(len(self.heard()), 1)
        self.reactor.advance(9)
        self.assertEqual(len(self.reactor.questions), 2)

    def test_say(self) -> None:
        """
        It can be said once, and what went wrong comes back.
        """
        self.reactor.broken = {"/run/s"}
        announcer = self.make(servers=("/run/s", TEXTS[0]))
        troubles = self.successResultOf(announcer.say(leaving=True))
        self.assertEqual(troubles, ["/run/s: No such file or directory"])
        self.assertEqual(self.heard(), [(ONE, announcement(leaving=True))])

    def test_impossible(self) -> None:
        """
        What no server would take is refused at once.
        """
        self.assertRaises(BadAnnouncement, self.make, announcement(key=""))

    def test_signed_life(self) -> None:
        """
        With either proof, or both, a gate lets every word in, from the first
        to the last, also after a restart.
        """
        rsa, edwards = private_key("rsa"), private_key("ed25519")
        sign = load_signer(private_pem(rsa), digest("SHA1"))
        sealers = (load_sealer(private_pem(edwards)), load_sealer(b"s" * 16))
        files = {
            "foo__com__ed25519": public_pem(edwards),
            "foo__com__secret": b"s" * 16,
        }
        for proofs in (
            Proofs(sign),
            *(Proofs(sealer=sealer) for sealer in sealers),
            Proofs(sign, sealers[0]),
        ):
            keys = SHA1Keys(foo__com__pem=public_pem(rsa), **(files if proofs.sealer else {}))
            policy = Policy.V2 if proofs.sealer else Policy.SIGNED
            gate = Gatekeeper(AdmissionRules(policy), keys)
            for _ in range(2):
                announcer = self.start(proofs=proofs)
                for _ in range(25):
                    self.pass_gate(gate)
                    self.reactor.advance(1)
                self.successResultOf(announcer.stopService())
                self.pass_gate(gate)
                self.reactor.advance(0.1)

    def pass_gate(self, gate: Gatekeeper) -> None:
        for _, datagram in self.reactor.take():
            gate.check(datagram, self.reactor.seconds())


class SHA1Keys(MemoryKeys):
    """
    Keys for signatures by SHA1.
    """

    algorithm = digest("SHA1")
