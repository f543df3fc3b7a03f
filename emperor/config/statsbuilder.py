"""
The settings of statistics servers.
"""

from __future__ import annotations

from functools import partial

from emperor.config import routervalues, values
from emperor.config.statssettings import StatsSettings
from emperor.config.taking import Taker


def build_stats(taker: Taker, option: str) -> StatsSettings:
    """
    Take them out of the options.

    @param option: the name of the one that says where.
    """
    addresses = taker.many(option, values.address)
    if not addresses:
        return StatsSettings()
    return StatsSettings(
        addresses=addresses,
        http=taker.flag("stats-http"),
        minified=taker.flag("stats-minified"),
        mode=taker.default("chmod-socket", values.mode),
        owner=taker.one("chown-socket", routervalues.owner, ""),
        backlog=taker.default("listen", partial(values.number, lowest=1, highest=65535)),
    )
