"""
Tests for L{emperor.vassals.instance}.
"""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import InstanceSettings
from emperor.vassals.instance import instance_spec


class InstanceSpecTests(SynchronousTestCase):
    """
    The uWSGI of our own file.
    """

    def listener(self) -> socket.socket:
        listener = socket.socket()
        self.addCleanup(listener.close)
        return listener

    def test_command_line(self) -> None:
        """
        Each option is an argument; nothing of it is looked at again.
        """
        options = (("socket", ":3031"), ("env", "A=B=C"), ("master", ""), ("vacuum", "true"))
        spec = instance_spec(InstanceSettings(options=options), "/srv", ())
        words = ["socket=:3031", "env=A=B=C", "master=", "vacuum=true"]
        expected = tuple(word for each in words for word in ("--set", each))
        self.assertEqual((spec.directory, spec.arguments), ("/srv", expected))
        self.assertEqual(str(spec.id.name), "instance")

    def test_shared(self) -> None:
        """
        A shared socket is the descriptor that it inherits, in the order in which
        they are lent; their files are not its to remove.
        """
        options = (("socket", "=4"), ("vacuum", ""), ("http-socket", "=0"), ("socket", "=4"))
        sockets = (self.listener(), self.listener())
        spec = instance_spec(InstanceSettings(options=options, shared=(4, 0)), "/", sockets)
        self.assertEqual(spec.sockets, sockets)
        self.assertEqual(
            spec.arguments[1::2], ("socket=fd://4", "http-socket=fd://5", "socket=fd://4")
        )
