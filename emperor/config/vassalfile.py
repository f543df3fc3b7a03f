"""
A vassal's own file, looked at from outside.

The routers say "vassal hello.ini is starting" instead of "refused" when they
know which vassal listens at an address.  So its file is read as far as that
goes without doing anything: no command is run, nothing slow is followed, and
what cannot be told is left out.  The vassal itself remains the only one who
knows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum

from emperor.addresses import (
    Address,
    BadAddress,
    ListenAddress,
    TcpAddress,
    UnixAddress,
    parse_address,
)
from emperor.config.errors import ConfigurationError
from emperor.config.evaluator import Evaluator
from emperor.config.instance import shared_number
from emperor.config.loading import COMMAND_LINE
from emperor.config.names import SOCKETS
from emperor.config.pairs import Pair
from emperor.config.reader import Parser, Reader, parser_of, split_section
from emperor.config.settings import EmperorSettings, InstanceSettings
from emperor.config.sources import StaticSources, read_regular
from emperor.config.surroundings import Surroundings
from emperor.config.values import flag
from emperor.config.vassalvalues import options_of, settings_for
from emperor.identity import reading_as

#: Options of a worker that say what C{socket} speaks.
PROTOCOLS = frozenset({"protocol", "socket-protocol"})

#: Bytes of a file that are looked at; uWSGI's own Emperor sends no more.
SIZE_LIMIT = 64 * 1024

#: How uWSGI calls a configuration that it gets from its Emperor.
_SCHEME = "emperor://"


class Hidden(Enum):
    """
    In the place of a configuration.
    """

    #: Nobody but the vassal can know it: the templates are all that can be read.
    HIDDEN = "hidden"


HIDDEN = Hidden.HIDDEN

#: A configuration that is in no file; or L{None}: it is in the vassal's.
Config = bytes | Hidden | None

#: The section of a vassal's file that is uWSGI's, in every format.
SECTION = "uwsgi"

#: What is left in a value that cannot be told from outside.
UNRESOLVED = ("@(", "%(", "$(", "*")


@dataclass(frozen=True, slots=True)
class Overview:
    """
    What each start of a vassal needs of its file.

    @ivar listening: see the function L{listening}; so C{is_proxy}.
    """

    listening: frozenset[Address]
    is_proxy: bool


def listening(
    path: str,
    cwd: str,
    settings: EmperorSettings,
    surroundings: Surroundings,
    config: Config = None,
) -> frozenset[Address]:
    """
    Where a vassal will listen, as far as its file tells.

    @param path: the vassal's name, absolute or relative to C{cwd}.
    @param cwd: the directory it starts in.
    @param config: what to read in the place of the file.
    """
    return overview(path, cwd, settings, surroundings, config).listening


def uwsgi_sockets(
    path: str,
    cwd: str,
    settings: EmperorSettings,
    surroundings: Surroundings,
    *,
    held: Address | None = None,
    config: Config = None,
) -> tuple[Address, ...]:
    """
    Where a vassal will listen for uwsgi requests, in the order of its file, as
    far as that tells.

    @param held: where it is listened for it; that comes first.  The other parameters
        are as for L{listening}.
    """
    pairs = _pairs(path, cwd, settings, surroundings, config)
    protocols = [pair.value for pair in pairs if pair.key in PROTOCOLS]
    keys = {"socket", "uwsgi-socket"}
    given = (held,) if held is not None else ()
    if protocols and protocols[-1] != "uwsgi":
        keys, given = {"uwsgi-socket"}, ()
    found = _addresses([pair for pair in pairs if pair.key in keys], cwd)
    return tuple(dict.fromkeys((*given, *found)))


def instance_addresses(
    settings: InstanceSettings, cwd: str, shared: Iterable[ListenAddress]
) -> frozenset[Address]:
    """
    Where the uWSGI of our own file listens, as far as can be told.

    @param cwd: the directory it starts in.
    @param shared: its shared sockets.
    """
    own = _addresses(
        (
            Pair(key, value, COMMAND_LINE)
            for key, value in settings.options
            if key in SOCKETS and shared_number(key, value) is None
        ),
        cwd,
    )
    # Those that were passed to us are not ours to clean up.
    return frozenset(own).union(
        place for place in shared if isinstance(place, (TcpAddress, UnixAddress))
    )


def is_cheap(
    path: str,
    cwd: str,
    settings: EmperorSettings,
    surroundings: Surroundings,
    config: Config = None,
) -> bool:
    """
    Whether a vassal starts without workers; the parameters are as for L{listening}.
    """
    pairs = _pairs(path, cwd, settings, surroundings, config)
    return any(flag(pair.value) for pair in pairs if pair.key == "cheap")


def is_blank(
    path: str,
    cwd: str,
    settings: EmperorSettings,
    surroundings: Surroundings,
    config: Config = None,
) -> bool:
    """
    Whether a vassal's file has nothing for uWSGI: it is empty, or its writer has
    not come as far.  A uWSGI that is given a socket serves errors then.

    With templates, or options in the environment, a file may be empty, and another
    program than uWSGI may want another one; the parameters are as for L{listening}.
    """
    launch = settings.launch
    others = (launch.wrapper, launch.wrapper_attribute, launch.wrapper_override)
    templates = (settings.inherit_before, settings.include_before, settings.set)
    if any(others) or any(templates) or settings.inherit or settings.include:
        return False
    if config is HIDDEN or any(options_of(surroundings.environ, path, cwd)):
        return False
    name, section = split_section(path)
    wanted = os.fsencode(section or SECTION)
    if config is not None:
        return wanted not in config
    try:
        with reading_as(surroundings.reads_as):
            data, _ = read_regular(os.path.join(cwd, name), COMMAND_LINE, SIZE_LIMIT)
    except (ConfigurationError, OSError):  # That is uWSGI's to complain of.
        return False
    return wanted not in data


def is_proxy(
    path: str,
    cwd: str,
    settings: EmperorSettings,
    surroundings: Surroundings,
    config: Config = None,
) -> bool:
    """
    Whether a vassal hands its pipe on and does not listen to it itself; the
    parameters are as for L{listening}.
    """
    return overview(path, cwd, settings, surroundings, config).is_proxy


def overview(
    path: str,
    cwd: str,
    settings: EmperorSettings,
    surroundings: Surroundings,
    config: Config = None,
) -> Overview:
    """
    What each start of a vassal needs of its file, read once; the parameters are as
    for L{listening}.
    """
    pairs = _pairs(path, cwd, settings, surroundings, config)
    sockets = [pair for pair in pairs if pair.key in SOCKETS]
    return Overview(
        frozenset(_addresses(sockets, cwd)),
        any(pair.key == "emperor-proxy-socket" for pair in pairs),
    )


def _pairs(
    path: str,
    cwd: str,
    settings: EmperorSettings,
    surroundings: Surroundings,
    config: Config = None,
) -> list[Pair]:
    there = replace(surroundings, cwd=cwd)
    sources = StaticSources(there)
    reader = reader_for(path, settings, there, config, section=SECTION, sources=sources)
    evaluator = Evaluator(there, reader, sources, careful=True)
    with suppress(ConfigurationError):
        start(evaluator, path, settings, there, config)
    with suppress(ConfigurationError):
        evaluator.finish()
    return evaluator.pairs


def _addresses(pairs: Iterable[Pair], cwd: str) -> Iterator[Address]:
    found = (_address(pair, cwd) for pair in pairs)
    return (address for address in found if address is not None)


def reader_for(
    path: str,
    settings: EmperorSettings,
    there: Surroundings,
    config: Config,
    *,
    section: str,
    sources: StaticSources,
) -> Reader:
    """
    What reads a vassal's file, and the templates; the parameters are as for
    L{listening}.

    With C{emperor-tyrant} all is read as the vassal's user, but for the templates
    that our options name.  One that they name in another way for each vassal may be
    where its user can put something in its place.
    """
    given = {_SCHEME + split_section(path)[0]: config} if isinstance(config, bytes) else {}
    before = (*settings.inherit_before, *settings.include_before)
    ours = (*before, *settings.inherit, *settings.include)
    return Reader(there, sources, (section,), SIZE_LIMIT, given, ours=ours)


def start(
    evaluator: Evaluator,
    path: str,
    settings: EmperorSettings,
    there: Surroundings,
    config: Config = None,
) -> None:
    """
    Give the options of the vassal's environment, and those of its command line
    in their order; the parameters are as for L{listening}.

    @raise ConfigurationError: a file cannot be read or used.
    """
    settings = settings_for(settings, path, there.cwd)
    for pair in options_of(there.environ, path, there.cwd):
        evaluator.add(pair)
    for option, arguments in (
        ("inherit", settings.inherit_before),
        ("include", settings.include_before),
        ("set", settings.set),
    ):
        for argument in arguments:
            evaluator.add(Pair(option, argument, COMMAND_LINE))
    parser = _parser(path)
    if config is not HIDDEN and parser is not None:
        evaluator.load(path if config is None else _SCHEME + path, parser, COMMAND_LINE)
    for option, arguments in (("inherit", settings.inherit), ("include", settings.include)):
        for argument in arguments:
            evaluator.add(Pair(option, argument, COMMAND_LINE))


def _parser(path: str) -> Parser | None:
    """
    What reads a vassal's file; nothing, if it is of no known kind: then the
    templates count all the same.
    """
    try:
        return parser_of(path, COMMAND_LINE)
    except ConfigurationError:
        return None


def _address(pair: Pair, cwd: str) -> Address | None:
    if any(sign in pair.value for sign in UNRESOLVED):
        return None
    with suppress(BadAddress, ValueError):
        address = parse_address(pair.value.split(",")[0])
        if isinstance(address, TcpAddress):
            return address if address.port else None
        if address.is_abstract:
            return address
        return UnixAddress(os.path.join(os.fsencode(cwd), address.path))
    return None
