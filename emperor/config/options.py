"""
The option table: one row for each option this program has.

The settings are built from it, C{--check} prints it, and
docs/reference/options.md is generated from it.
"""

from __future__ import annotations

from collections.abc import Iterator

from emperor.config.commandoptions import command_options
from emperor.config.emperoroptions import emperor_options
from emperor.config.launchoptions import launch_options
from emperor.config.option import Kind, Option, Service
from emperor.config.routeroptions import (
    fastrouter_options,
    http_options,
    router_options,
    routing_options,
)
from emperor.config.socketoptions import socket_options
from emperor.config.subscriptionoptions import subscription_options

__all__ = ["BY_NAME", "OPTIONS", "Kind", "Option", "Service"]


def _program() -> Iterator[Option]:
    service = Service.PROGRAM
    yield Option(
        name="shutdown-grace",
        kind=Kind.GRACE,
        service=service,
        default="30",
        ours=True,
        help="How long requests in flight may take to end when the program stops.",
    )
    yield Option(
        name="heartbeat",
        kind=Kind.GRACE,
        service=service,
        default="0",
        help="How often the program tells an Emperor above it that it lives.",
    )
    yield Option(
        name="strict",
        kind=Kind.FLAG,
        service=service,
        default="off",
        help="Refuse names that are neither an option nor used as a placeholder.",
    )


#: All options, in the order of the reference.
OPTIONS: tuple[Option, ...] = (
    *_program(),
    *socket_options(),
    *emperor_options(),
    *command_options(),
    *launch_options(),
    *routing_options(),
    *subscription_options(),
    *router_options("http", Service.HTTP, ("httprouter",)),
    *http_options(),
    *router_options("fastrouter", Service.FASTROUTER, ()),
    *fastrouter_options(),
)

#: Every spelling of every option.
BY_NAME: dict[str, Option] = {name: option for option in OPTIONS for name in option.names}
