"""
Subscriptions: datagrams by which servers put themselves into a pool.

A datagram is a uwsgi packet with C{modifier1} 224; C{modifier2} is 0 to
subscribe or to refresh, anything else to leave.  Its variables say which pool
(C{key}) and which node (C{address}), and how the node wants its requests.
Source: the uWSGI documentation, "uWSGI Subscription Server".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """
    What a subscription datagram says.

    @ivar leaving: whether the node leaves its pool.
    @ivar key: the pool's name, 1 to 255 bytes, each byte a character (latin-1).
    @ivar address: of the node, as the sender wrote it.
    @ivar weight: its share of the requests; at least 1.
    @ivar backup: 0 for a node that always serves; those of a higher level
        serve when no node of a lower one does.
    @ivar algorithm: how the pool chooses; empty: the router's default.
    @ivar protocol: C{"uwsgi"} or C{"http"}.
    @ivar vassal: the name of the Emperor's vassal that the node is; empty: none.
    @ivar clear: the node is a vassal that sleeps from now on.
    @ivar notify: the UNIX datagram socket that waits for the acknowledgement;
        empty: none.
    @ivar sent: the sender's clock, in seconds of the epoch; 0: it does not say.
    """

    leaving: bool
    key: str
    address: str
    modifier1: int = 0
    modifier2: int = 0
    cores: int = 0
    load: int = 0
    weight: int = 1
    backup: int = 0
    algorithm: str = ""
    protocol: str = "uwsgi"
    vassal: str = ""
    clear: bool = False
    sni_key: str = ""
    sni_certificate: str = ""
    sni_authority: str = ""
    notify: str = ""
    sent: int = 0
