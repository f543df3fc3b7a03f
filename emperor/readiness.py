"""
What can be known of a configuration before anything is opened for it.
"""

from __future__ import annotations

from typing import Any

from emperor.config.settings import Settings
from emperor.proxy.keymappers import check_key_mappers
from emperor.proxy.tlsnodes import load_authorities
from emperor.vassals.program import find_program


def check(settings: Settings, reactor: Any) -> None:
    """
    Make sure that a program can be made of it.

    @raise emperor.proxy.tlsnodes.BadAuthorities: C{node_ca} has no certificates.
    @raise emperor.config.errors.ConfigurationError: a mapper cannot be used.
    @raise emperor.vassals.program.NoProgram: there is no uWSGI for the vassals.
    """
    for each in settings.routers:
        check_key_mappers(each, reactor)
        load_authorities(each.node_ca)
    wraps = bool(settings.emperor.launch.wrapper)
    if settings.instance.options or (settings.emperor.monitors and not wraps):
        find_program(settings.emperor.binary)
