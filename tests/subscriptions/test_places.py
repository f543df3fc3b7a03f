"""
Tests for L{emperor.subscriptions.places}.
"""

from __future__ import annotations

import os
import socket
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress, UnixAddress, parse_address, parse_node
from emperor.subscriptions import places as module
from emperor.subscriptions.places import Places, is_local


def places(*texts: str) -> Places:
    return Places([parse_address(text) for text in texts])


class PlacesTests(SynchronousTestCase):
    def test_own(self) -> None:
        """
        An address is the router's own if it listens there.
        """
        found = places("192.0.2.1:80", "/run/r.sock", ":3031", "[::]:3032")
        for text in (
            *("192.0.2.1:80", "/run/r.sock", ":3031", "127.0.0.1:3031", "127.5.0.1:3031"),
            *("[::1]:3032", "0.0.0.0:3031"),
        ):
            self.assertIn(parse_address(text), found, text)
        for text in ("192.0.2.2:80", "192.0.2.1:81", "/run/x.sock", "203.0.113.2:3031", "@r"):
            self.assertNotIn(parse_address(text), found, text)
        self.assertNotIn("something else", found)

    def test_other_spellings(self) -> None:
        """
        What leads to the same socket is the router's own, however it is written.
        """
        found = places("127.0.0.1:3031", "[::ffff:127.0.0.1]:3032", "192.0.2.1:3033")
        for text in (
            *("0.0.0.0:3031", ":3031", "[::]:3031", "[::ffff:127.0.0.1]:3031"),
            *("localhost:3031", "tls://localhost:3031", "[::ffff:0.0.0.0]:3031"),
            *("127.0.0.1:3032", ":3033", "[::ffff:c000:201]:3033"),
        ):
            self.assertIn(parse_node(text), found, text)
        for text in ("127.0.0.2:3031", "[::1]:3031", ":3034", "x.test:3031", "[::ffff:1.1.1.1]:3"):
            self.assertNotIn(parse_node(text), found, text)

    def test_every_local_address(self) -> None:
        """
        Where it listens on every interface, each address of the machine is its
        own.
        """
        found = places(":3031", "[::]:3032")
        with patch.object(module, "_can_bind", autospec=True) as can_bind:
            can_bind.side_effect = {"198.51.100.7", "2001:db8::7"}.__contains__
            for text in ("198.51.100.7:3031", "[2001:db8::7]:3032", "[::ffff:198.51.100.7]:3031"):
                self.assertIn(parse_address(text), found, text)
            for text in ("198.51.100.8:3031", "198.51.100.7:3033", "[2001:db8::8]:3032"):
                self.assertNotIn(parse_address(text), found, text)

    def test_is_local(self) -> None:
        """
        The kernel knows what is local, also where it lets everything be bound.
        """
        self.assertTrue(is_local("127.0.0.1"))
        self.assertFalse(is_local("198.51.100.7"))
        self.assertFalse(is_local("2001:db8::7"))
        with (
            patch.object(module, "_can_bind", return_value=True),
            patch.object(module, "source_of", return_value="198.51.100.7"),
        ):
            self.assertTrue(is_local("198.51.100.7"))
            self.assertFalse(is_local("198.51.100.8"))

    def test_other_paths(self) -> None:
        """
        Nor does a detour or a link make another socket of a file.
        """
        directory = os.path.realpath(self.mktemp())
        os.mkdir(directory)
        path = f"{directory}/r"
        with socket.socket(socket.AF_UNIX) as server:
            here = os.getcwd()
            self.addCleanup(os.chdir, here)
            os.chdir(directory)
            server.bind("r")
            os.symlink("r", "link")
            open("other", "w").close()
        found = Places([UnixAddress(path.encode())])
        for each in (path, f"{directory}/./r", f"{directory}/link"):
            self.assertIn(UnixAddress(each.encode()), found, each)
        for each in (f"{directory}/other", f"{directory}/none"):
            self.assertNotIn(UnixAddress(each.encode()), found, each)

    def test_towards(self) -> None:
        """
        Others reach it by its first address; if that means every interface, by
        the one on the way to them.
        """
        self.assertEqual(places("192.0.2.1:80").towards("192.0.2.9"), TcpAddress("192.0.2.1", 80))
        self.assertEqual(places("/run/r.sock").towards(""), UnixAddress(b"/run/r.sock"))
        every = places(":80")
        self.assertEqual(every.towards("127.0.0.9"), TcpAddress("127.0.0.1", 80))
        self.assertEqual(every.towards(""), TcpAddress("127.0.0.1", 80))
