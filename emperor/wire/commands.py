"""
Commands to an Emperor: one datagram each, a uwsgi packet whose variables say
what to do with which vassal.  There is no answer.
Source: the uWSGI documentation, "The uwsgi Protocol", and what a 2.1 Emperor
takes at its C{emperor-command-socket}.
"""

from __future__ import annotations

from os import fsencode

from emperor.wire.uwsgi import build_packet, encode_variables


def spawn(vassal: str) -> bytes:
    """
    Start a vassal that sleeps.
    """
    return build_packet(0, encode_variables([(b"cmd", b"spawn"), (b"vassal", fsencode(vassal))]), 0)
