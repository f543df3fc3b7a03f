"""
The settings about commands to the Emperor.
"""

from __future__ import annotations

from emperor.config import routervalues, subscriptionvalues, values
from emperor.config.commandsettings import CommandSettings
from emperor.config.taking import Taker

_NOBODY = (
    "nothing could ever start a vassal; give emperor-command-socket, or a router, whose requests do"
)


def build_commands(taker: Taker) -> CommandSettings:
    """
    Take them out of the options; worthless if the taker finds problems.
    """
    sockets = taker.many("emperor-command-socket", subscriptionvalues.datagrams)
    wait = taker.flag("emperor-wait-for-command")
    if wait and not (sockets or {"http", "fastrouter"} & taker.options.keys()):
        for pair in taker.options["emperor-wait-for-command"]:
            taker.miss(pair, _NOBODY)
    words = taker.many("emperor-command-trusted", routervalues.peers)
    trusted = words or (taker.default("emperor-command-trusted", routervalues.peers),)
    return CommandSettings(
        sockets=sockets,
        mode=taker.default("chmod-socket", values.mode),
        owner=taker.one("chown-socket", routervalues.owner, ""),
        trusted=tuple(each for row in trusted for each in row if each != routervalues.UNIX),
        wait=wait,
        ignored=frozenset(taker.many("emperor-wait-for-command-ignore", values.words)),
    )
