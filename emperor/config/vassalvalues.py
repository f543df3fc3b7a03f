"""
Values of the Emperor's that each vassal gets in a form of its own.

Our file is read with its own magic variables: C{%n} in it is its own name.  What
is written C{%%n} there is C{%n} when that is done, and so is what comes from the
command line and the environment.  It stands for the vassal's name then::

    vassals-set = socket=/run/%%n.sock

uWSGI would give it to the vassal as it is, and its vassals look for magic
variables in files alone: all of them would open a socket called C{%n.sock}.

Only letters that say where the vassal's file is are replaced, everything else
stays; C{%%} is a C{%}.  Formats of times are passed on as they are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from emperor.config.errors import ConfigurationError
from emperor.config.loading import COMMAND_LINE
from emperor.config.magic import FileFacts, file_facts, of_file
from emperor.config.pairs import Pair
from emperor.config.reader import split_section
from emperor.config.settings import EmperorSettings

#: What they stand for is as in the vassal's file.
LETTERS = "cdenops"

#: Options whose values have C{%} for something else.
TIMES = frozenset(
    {"log-date", "log-encoder", "log-format", "log-req-encoder", "logdate", "logformat"}
)

#: Variables of the environment are options of vassals behind this.
_FOR_VASSALS = "UWSGI_VASSAL_"
_OPTION = "UWSGI_"

#: Those that tell a uWSGI where it came from, and are no options.
_NO_OPTIONS = frozenset(
    {
        "UWSGI_BROODLORD_NUM",
        "UWSGI_EMPEROR_FD",
        "UWSGI_EMPEROR_FD_CONFIG",
        "UWSGI_EMPEROR_PROXY",
        "UWSGI_JAIL_PID",
        "UWSGI_ORIGINAL_PROC_NAME",
        "UWSGI_RELOADS",
        "UWSGI_VASSALS_DIR",
    }
)

_VARIABLE = re.compile(rf"%([{LETTERS}%])")


def filled(value: str, path: str, cwd: str) -> str:
    """
    A value as a vassal gets it.

    @param path: the vassal's name, absolute or relative to C{cwd}.
    @param cwd: the directory it starts in.
    """
    if "%" not in value:
        return value
    values = {"%": "%", **of_file(_facts(path, cwd))}
    # A file called "...ini" must not lead out of a directory.
    usable = {letter: text for letter, text in values.items() if text not in {".", ".."}}
    return _VARIABLE.sub(lambda match: usable.get(match[1], match[0]), value)


def settings_for(settings: EmperorSettings, path: str, cwd: str) -> EmperorSettings:
    """
    The Emperor's settings as they are for one vassal.
    """
    values = (
        *settings.inherit,
        *settings.include,
        *settings.inherit_before,
        *settings.include_before,
        *settings.set,
    )
    if not any("%" in value for value in values):  # As it mostly is; it is asked often.
        return settings

    def each(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(filled(value, path, cwd) for value in values)

    return replace(
        settings,
        inherit=each(settings.inherit),
        include=each(settings.include),
        inherit_before=each(settings.inherit_before),
        include_before=each(settings.include_before),
        set=tuple(_assignment(text, path, cwd) for text in settings.set),
    )


def environment_for(environ: Mapping[str, str], path: str, cwd: str) -> dict[str, str]:
    """
    The environment in which a vassal starts: C{UWSGI_VASSAL_X=v} is
    C{UWSGI_X=v}, which a uWSGI takes for the option C{x}.
    """
    found = dict(environ)
    for key in [key for key in found if key.startswith(_FOR_VASSALS)]:
        name, value = key.removeprefix(_FOR_VASSALS), found.pop(key)
        if name:
            is_time = _option(name) in TIMES
            found[_OPTION + name] = value if is_time else filled(value, path, cwd)
    return found


def options_of(environ: Mapping[str, str], path: str, cwd: str) -> Iterator[Pair]:
    """
    The options that a vassal finds in its environment.
    """
    for key, value in environment_for(_options(environ), path, cwd).items():
        if key not in _NO_OPTIONS:
            yield Pair(_option(key.removeprefix(_OPTION)), value, COMMAND_LINE)


def _options(environ: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in environ.items() if key.startswith(_OPTION)}


def _option(name: str) -> str:
    return name.lower().replace("_", "-")


def _assignment(text: str, path: str, cwd: str) -> str:
    name, equals, value = text.partition("=")
    return text if name in TIMES else name + equals + filled(value, path, cwd)


def _facts(path: str, cwd: str) -> FileFacts:
    given, section = split_section(path)
    try:
        return file_facts(given, section, cwd)
    except ConfigurationError:  # It has no file, or has lost it.
        return FileFacts(given, os.path.join(cwd, given), section, 0)
