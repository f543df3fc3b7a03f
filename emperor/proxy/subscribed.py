"""
The mapper of those who subscribed.
"""

from __future__ import annotations

from emperor.proxy.routes import OtherMapper
from emperor.routing.mappers import Asked
from emperor.routing.pools import Pool
from emperor.routing.subscriptions import Registry


def subscription_mapper(registry: Registry) -> OtherMapper:
    """
    Looks the pool of a request up; costs next to nothing while there is none.
    """

    def lookup(asked: Asked) -> Pool | None:
        return None if registry.is_empty else registry.lookup(asked.host, asked.path)

    return lookup
