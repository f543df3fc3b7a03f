"""
Tests for L{emperor.wire.subscription}.
"""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.fields import BadAnnouncement
from emperor.wire.subscription import (
    DATAGRAM_LIMIT,
    SEAL_CONTEXT,
    Announcement,
    Datagram,
    Scheme,
    Sealing,
    build_announcement,
    parse_announcement,
)
from emperor.wire.uwsgi import build_packet, encode_variables, iterate_variables
from tests.wire.announcements import ANNOUNCEMENTS, announcement, datagram

SEALS = (
    (b"v2-scheme", b"ed25519"),
    (b"v2-time", b"1700000000000000"),
    (b"v2-nonce", b"n" * 16),
    (b"v2-sign", b"s" * 64),
)
SEALING = Sealing(Scheme.HMAC_SHA256, 1_700_000_000_000_000, b"n" * 16, lambda covered: b"seal")

#: What uWSGI 2.0.30 sends with most of its options set.
REAL = (
    (b"key", b"foo.com"),
    (b"address", b"127.0.0.1:35375"),
    (b"modifier1", b"5"),
    (b"modifier2", b"0"),
    (b"cores", b"4"),
    (b"load", b"0"),
    (b"weight", b"3"),
    (b"sni_key", b"/x.key"),
    (b"sni_crt", b"/x.crt"),
    (b"sni_ca", b"/x.ca"),
    (b"notify", b"/run/n.sock"),
)


class ParseTests(SynchronousTestCase):
    """
    From bytes to an announcement.
    """

    def announced(self, *pairs: tuple[bytes, bytes], modifier2: int = 0) -> Announcement:
        return parse_announcement(datagram(*pairs, modifier2=modifier2)).announcement

    def assert_refused(self, data: bytes, reason: str) -> None:
        error = self.assertRaises(BadAnnouncement, parse_announcement, data)
        self.assertIn(reason, str(error))

    def test_real(self) -> None:
        """
        A datagram of uWSGI's.
        """
        expected = announcement(
            address="127.0.0.1:35375",
            modifier1=5,
            cores=4,
            weight=3,
            sni_key="/x.key",
            sni_certificate="/x.crt",
            sni_authority="/x.ca",
            notify="/run/n.sock",
        )
        self.assertEqual(
            parse_announcement(build_packet(224, encode_variables(REAL), 0)), Datagram(expected)
        )

    def test_newer(self) -> None:
        """
        What uWSGI's next version says as well.
        """
        found = self.announced(
            (b"backup", b"2"),
            (b"vassal", b"v.ini"),
            (b"proto", b"http"),
            (b"algo", b"lrc"),
            (b"inactive", b"1"),
            (b"clear", b"1"),
        )
        self.assertEqual(
            found,
            announcement(
                backup=2,
                vassal="v.ini",
                protocol="http",
                algorithm="lrc",
                inactive=True,
                clear=True,
            ),
        )

    def test_leaving(self) -> None:
        """
        Any second modifier but 0 says that the node leaves.
        """
        self.assertEqual(
            [self.announced(modifier2=number).leaving for number in (0, 1, 255)],
            [False, True, True],
        )

    def test_no_weight(self) -> None:
        """
        Without a weight uWSGI sends 0, and means 1.
        """
        self.assertEqual(self.announced((b"weight", b"0")).weight, 1)

    def test_protocol(self) -> None:
        """
        The first letter counts, and without one it is uwsgi.
        """
        values = (b"", b"u", b"uwsgi", b"h", b"HTTP")
        found = [self.announced((b"proto", value)).protocol for value in values]
        self.assertEqual(found, ["uwsgi", "uwsgi", "uwsgi", "http", "http"])

    def test_unknown_names(self) -> None:
        """
        What has no meaning here is passed over, even if it is said twice.
        """
        self.assertEqual(self.announced((b"drain", b"1"), (b"drain", b"2")), announcement())

    def test_sleeping_vassal(self) -> None:
        """
        A vassal that sleeps has no address; everything else has.
        """
        self.assertEqual(self.announced((b"address", b""), (b"vassal", b"v.ini")).address, "")
        self.assert_refused(datagram((b"address", b"")), "address is missing")

    def test_frames(self) -> None:
        """
        A frame that does not fit its content is refused whole.
        """
        good = datagram()
        self.assert_refused(b"", "0 bytes; the header alone has 4")
        self.assert_refused(good[:3], "3 bytes")
        self.assert_refused(datagram(modifier1=0), "modifier1 is 0; a subscription has 224")
        self.assert_refused(good[:-1], "the header says")
        self.assert_refused(good + b"x", "the header says")
        self.assert_refused(datagram((b"x", b"y" * DATAGRAM_LIMIT)), "over 4096 bytes")

    def test_largest(self) -> None:
        """
        A datagram of as many bytes as uWSGI takes is taken.
        """
        rest = DATAGRAM_LIMIT - len(datagram((b"x", b"")))
        self.assertEqual(self.announced((b"x", b"y" * rest)), announcement())
        self.assert_refused(datagram((b"x", b"y" * (rest + 1))), "over 4096 bytes")

    def test_values(self) -> None:
        """
        One value that makes no sense, and the whole is refused with its name.
        """
        for name, value, reason in (
            (b"key", b"", "key has 0 bytes; accepted: 1 to 255"),
            (b"key", b"k" * 256, "key has 256 bytes"),
            (b"address", b"a" * 256, "address has 256 bytes; accepted: up to 255"),
            (b"modifier1", b"256", "modifier1 is b'256'; accepted: a number up to 255"),
            (b"modifier2", b"", "modifier2 is b''"),
            (b"cores", b"-1", "cores is b'-1'"),
            (b"load", b"1.5", "load is b'1.5'"),
            (b"load", b"9" * 20, "load is"),
            (b"load", b"0" * 21, "load is"),
            (b"weight", b"1000001", "weight is b'1000001'; accepted: a number up to 1000000"),
            (b"backup", b"256", "backup is"),
            (b"proto", b"fastcgi", "proto is b'fastcgi'; accepted: uwsgi, http"),
            (b"notify", b"/" * 108, "notify has 108 bytes; accepted: up to 107"),
            (b"vassal", b"v" * 256, "vassal has 256 bytes"),
            (b"unix", b"yesterday", "unix is b'yesterday'"),
        ):
            self.assert_refused(datagram((name, value)), reason)

    def test_no_key(self) -> None:
        """
        A datagram must name a pool.
        """
        payload = encode_variables([(b"address", b"127.0.0.1:3031")])
        self.assert_refused(build_packet(224, payload, 0), "key is missing")

    def test_twice(self) -> None:
        """
        Which of two addresses would count?  None.
        """
        self.assert_refused(datagram((b"load", b"1"), (b"load", b"1")), "load is given twice")

    def test_broken_variables(self) -> None:
        """
        What was read before the broken part is not used.
        """
        payload = encode_variables(REAL) + b"\x05\x00ab"
        self.assert_refused(build_packet(224, payload, 0), "points past the end")

    @given(st.binary(max_size=200))
    def test_garbage(self, data: bytes) -> None:
        """
        Any bytes are refused as an announcement and in no other way.
        """
        for garbage in (data, build_packet(224, data, 0)):
            try:
                parse_announcement(garbage)
            except BadAnnouncement as error:
                self.assertTrue(str(error))

    @given(st.data())
    def test_damage(self, data: st.DataObject) -> None:
        """
        A good datagram with any bytes changed is refused or understood whole.
        """
        whole = bytearray(datagram(*REAL, *SEALS, (b"sign", b"x" * 20)))
        for _ in range(data.draw(st.integers(1, 4))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        try:
            found = parse_announcement(bytes(whole)).announcement
        except BadAnnouncement:
            return
        self.assertTrue(1 <= len(found.key) <= 255)

    @given(st.data())
    def test_cut(self, data: st.DataObject) -> None:
        """
        A part of a datagram is no datagram.
        """
        whole = datagram(*REAL)
        self.assert_refused(whole[: data.draw(st.integers(0, len(whole) - 1))], "")


class ProofTests(SynchronousTestCase):
    """
    What the proofs cover.
    """

    def refused(self, *pairs: tuple[bytes, bytes]) -> str:
        return str(self.assertRaises(BadAnnouncement, parse_announcement, datagram(*pairs)))

    def test_signature(self) -> None:
        """
        uWSGI's covers the variables before it, and no header.
        """
        signature = parse_announcement(datagram(*REAL, (b"sign", b"value"))).signature
        assert signature is not None
        self.assertEqual(signature.covered, encode_variables(REAL))
        self.assertEqual(signature.value, b"value")

    def test_signature_is_last(self) -> None:
        """
        What would not be covered is refused.
        """
        self.assertIn("sign must have nothing", self.refused((b"sign", b"x"), (b"load", b"9")))
        self.assertIn("sign must have nothing", self.refused((b"sign", b"x"), (b"other", b"")))

    def test_seal(self) -> None:
        """
        Ours covers the header's words as well, and what it says itself.
        """
        data = datagram(*REAL, *SEALS, modifier2=1)
        seal = parse_announcement(data).seal
        assert seal is not None
        before = encode_variables([*REAL, *SEALS[:3]])
        self.assertEqual(seal.covered, SEAL_CONTEXT + b"\xe0\x01" + before)
        self.assertEqual((seal.scheme, seal.value), (Scheme.ED25519, b"s" * 64))
        self.assertEqual((seal.time, seal.nonce), (1_700_000_000_000_000, b"n" * 16))

    def test_both(self) -> None:
        """
        A datagram can have both; uWSGI's covers ours.
        """
        found = parse_announcement(datagram(*REAL, *SEALS, (b"sign", b"value")))
        assert found.seal is not None and found.signature is not None
        self.assertEqual(found.signature.covered, encode_variables([*REAL, *SEALS]))
        self.assertEqual(found.seal.covered[-60:], encode_variables([*REAL, *SEALS[:3]])[-60:])

    def test_seal_is_last(self) -> None:
        """
        Nothing but the signature may follow the seal.
        """
        reason = "v2-sign must have only sign behind it"
        self.assertIn(reason, self.refused(*SEALS, (b"load", b"9")))
        self.assertIn(reason, self.refused(*SEALS, (b"other", b""), (b"sign", b"x")))

    def test_whole_seal(self) -> None:
        """
        A part of a seal is refused, and so is one with a strange value.
        """
        for left_out in SEALS:
            rest = [pair for pair in SEALS if pair != left_out]
            self.assertIn(f"{left_out[0].decode()} is missing", self.refused(*rest))
        scheme, time, nonce, sign = SEALS
        strange = (b"v2-scheme", b"rot13")
        self.assertIn("accepted: ed25519, hmac-sha256", self.refused(strange, time, nonce, sign))
        strange = (b"v2-time", b"now")
        self.assertIn("v2-time is b'now'", self.refused(scheme, strange, nonce, sign))
        for size in (15, 65):
            strange = (b"v2-nonce", b"n" * size)
            self.assertIn(f"{size} bytes", self.refused(scheme, time, strange, sign))


class BuildTests(SynchronousTestCase):
    """
    From an announcement to bytes.
    """

    def test_order(self) -> None:
        """
        Variables come in uWSGI's order, and those that say nothing stay away.
        """
        data = build_announcement(announcement(sent=7), sealing=SEALING, sign=lambda _: b"sig")
        names = b" ".join(name for name, _ in iterate_variables(data[4:]))
        first = b"key address modifier1 modifier2 cores load weight unix"
        self.assertEqual(names, first + b" v2-scheme v2-time v2-nonce v2-sign sign")

    def test_like_uwsgi(self) -> None:
        """
        What uWSGI has sent comes out again, byte for byte.
        """
        data = build_packet(224, encode_variables(REAL), 0)
        self.assertEqual(build_announcement(parse_announcement(data).announcement), data)

    def test_covered(self) -> None:
        """
        Both proofs are made of what the reader says they cover.
        """
        covered: list[bytes] = []

        def prove(text: bytes) -> bytes:
            covered.append(text)
            return b"proof"

        sealing = Sealing(Scheme.ED25519, 5, b"n" * 16, prove)
        data = build_announcement(announcement(leaving=True), sealing=sealing, sign=prove)
        found = parse_announcement(data)
        assert found.seal is not None and found.signature is not None
        self.assertEqual(covered, [found.seal.covered, found.signature.covered])

    @given(ANNOUNCEMENTS)
    def test_round_trip(self, value: Announcement) -> None:
        """
        What is built is read as it was.
        """
        self.assertEqual(parse_announcement(build_announcement(value)).announcement, value)

    @given(ANNOUNCEMENTS, st.binary(min_size=1, max_size=2048))
    def test_round_trip_with_proofs(self, value: Announcement, proof: bytes) -> None:
        """
        Also with proofs.
        """
        sealing = Sealing(Scheme.ED25519, 5, b"n" * 16, lambda _: proof[:64])
        try:
            data = build_announcement(value, sealing=sealing, sign=lambda _: proof)
        except BadAnnouncement as error:
            assume("over 4096" not in str(error))
            raise
        found = parse_announcement(data)
        assert found.seal is not None and found.signature is not None
        self.assertEqual(found.announcement, value)
        self.assertEqual((found.seal.value, found.signature.value), (proof[:64], proof))

    def test_refused(self) -> None:
        """
        What no reader would take is not sent.
        """
        for changes, reason in (
            ({"key": ""}, "key has 0 bytes"),
            ({"key": "\u0100"}, "key cannot be encoded"),
            ({"address": ""}, "address is missing"),
            ({"address": "\ud800"}, "address cannot be encoded"),
            ({"sni_key": "k" * 5000}, "over 4096 bytes"),
            ({"sni_key": "k" * 70000}, "over 4096 bytes"),
            ({"load": -1}, "load is b'-1'"),
        ):
            error = self.assertRaises(BadAnnouncement, build_announcement, announcement(**changes))
            self.assertIn(reason, str(error))
