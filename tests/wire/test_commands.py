"""
Commands to an Emperor.
"""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.commands import (
    COMMAND_LIMIT,
    BadCommand,
    CommandReply,
    VassalCommand,
    Verb,
    build_command,
    build_reply,
    parse_command,
    parse_reply,
    spawn,
    wants_reply,
)
from emperor.wire.uwsgi import build_packet, encode_variables

#: Names as they come from the system: any bytes.
NAMES = st.binary(max_size=60).map(lambda name: name.decode("utf-8", "surrogateescape"))


def packet(*variables: tuple[bytes, bytes]) -> bytes:
    """
    A datagram that somebody else has made.
    """
    return build_packet(0, encode_variables(variables), 0)


class CommandTests(SynchronousTestCase):
    def refusal(self, datagram: bytes) -> str:
        return str(self.assertRaises(BadCommand, parse_command, datagram))

    def test_spawn(self) -> None:
        """
        A packet without modifiers, with the command, the vassal, and the word that
        it is for a request.
        """
        self.assertEqual(
            spawn("a.ini"),
            b"\x00\x2b\x00\x00\x03\x00cmd\x05\x00spawn\x06\x00vassal\x05\x00a.ini"
            b"\x05\x00cause\x07\x00request",
        )

    def test_any_name(self) -> None:
        """
        A name that is no text goes out as it came in.
        """
        self.assertIn(b"\x01\x00\xff", spawn("\udcff"))
        self.assertEqual(parse_command(spawn("\udcff")).vassal, "\udcff")

    def test_of_uwsgi(self) -> None:
        """
        What uWSGI's FastRouter sends is understood; its header says nothing.
        """
        found = parse_command(b"\1\2\3\4" + packet((b"cmd", b"spawn"), (b"vassal", b"v"))[4:])
        self.assertEqual(found, VassalCommand(Verb.SPAWN, "v"))

    def test_two_words(self) -> None:
        """
        C{command} is another word for C{cmd}; of several the last one counts.
        """
        datagram = packet((b"cmd", b"stop"), (b"command", b"log"), (b"msg", b"a\xff"))
        self.assertEqual(parse_command(datagram), VassalCommand(Verb.LOG, text="a\\xff"))

    def test_mistakes(self) -> None:
        """
        What is no command is told with what is accepted.
        """
        self.assertEqual(
            self.refusal(packet((b"cmd", b"explode"))),
            "cmd is 'explode'; accepted: spawn, respawn, stop, log, rescan",
        )
        self.assertIn("cmd is ''", self.refusal(packet((b"vassal", b"v"))))
        self.assertIn("needed: vassal = NAME", self.refusal(packet((b"cmd", b"stop"))))
        self.assertIn("no header", self.refusal(b"\0\0\0"))
        self.assertIn("points past the end", self.refusal(b"\0\0\0\0\xff\xff"))
        long = packet((b"cmd", b"log"), (b"msg", b"x" * COMMAND_LIMIT))
        self.assertIn("more than 4096 bytes", self.refusal(long))

    def test_too_long(self) -> None:
        """
        Nothing is sent that would not be taken.
        """
        command = VassalCommand(Verb.LOG, text="x" * COMMAND_LIMIT)
        self.assertRaises(BadCommand, build_command, command)
        fits = dataclasses.replace(command, text="x" * (COMMAND_LIMIT - 4 - 10 - 7))
        self.assertEqual(parse_command(build_command(fits)), fits)
        self.assertEqual(len(build_command(fits)), COMMAND_LIMIT)

    def test_who_wants_a_reply(self) -> None:
        """
        Also a mistake is answered where that is wanted, and nothing else is.
        """
        self.assertTrue(wants_reply(packet((b"cmd", b"explode"), (b"reply", b""))))
        self.assertFalse(wants_reply(packet((b"cmd", b"spawn"))))
        self.assertFalse(wants_reply(b"\0\0\0\0\xff"))

    @given(
        st.builds(
            VassalCommand,
            st.sampled_from(Verb),
            NAMES.filter(bool),
            NAMES,
            st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
            st.booleans(),
            st.booleans(),
        )
    )
    def test_round_trip(self, command: VassalCommand) -> None:
        """
        What is sent is what is understood.
        """
        self.assertEqual(parse_command(build_command(command)), command)

    @given(st.binary(max_size=200))
    def test_garbage(self, datagram: bytes) -> None:
        """
        Any bytes are a command or a mistake.
        """
        for parse in (parse_command, parse_reply, wants_reply):
            try:
                parse(datagram)
            except BadCommand:
                continue


class ReplyTests(SynchronousTestCase):
    def test_round_trip(self) -> None:
        """
        An answer says whether the command was obeyed, and what became of it.
        """
        for reply in (CommandReply(True, "spawn a.ini"), CommandReply(False, "no such vassal")):
            self.assertEqual(parse_reply(build_reply(reply)), reply)

    def test_long(self) -> None:
        """
        A long message is cut.
        """
        found = parse_reply(build_reply(CommandReply(True, "é" * 5000)))
        self.assertLess(len(found.message), 2000)

    def test_none(self) -> None:
        """
        Something else is no answer.
        """
        self.assertRaises(BadCommand, parse_reply, packet((b"status", b"perhaps")))
