"""
The argument vector and the environment of a vassal, as uWSGI has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from emperor.config.settings import EmperorSettings

#: The option that makes uWSGI read a file of that kind.
_OPTIONS = {
    ".xml": "--xml",
    ".ini": "--ini",
    ".yml": "--yaml",
    ".yaml": "--yaml",
    ".js": "--json",
    ".json": "--json",
}

#: Extensions of the files that monitors take for vassals.
EXTENSIONS = tuple(_OPTIONS)

#: What belongs to our own process and would mislead a vassal: our generation,
#: our supervisor's sockets, and the pipe of an Emperor above us.
_OURS = frozenset(
    {
        "LISTEN_FDNAMES",
        "LISTEN_FDS",
        "LISTEN_PID",
        "NOTIFY_SOCKET",
        "UWSGI_BROODLORD_NUM",
        "UWSGI_EMPEROR_FD",
        "UWSGI_EMPEROR_FD_CONFIG",
        "UWSGI_EMPEROR_PROXY",
        "UWSGI_ORIGINAL_PROC_NAME",
        "UWSGI_RELOADS",
    }
)


@dataclass(frozen=True, slots=True)
class Program:
    """
    What a vassal's process executes.

    @ivar path: the file to execute; it is also C{argv[0]}.
    @ivar arguments: what this kind of program needs before everything else.
    """

    path: str
    arguments: tuple[str, ...] = ()


def argv(program: Program, name: str, settings: EmperorSettings, section: str = "") -> list[str]:
    """
    The whole argument vector of the vassal whose file is called C{name}.

    @param section: with its colon, the one that is to be read.
    """
    return [
        program.path,
        *program.arguments,
        *_each("--inherit", settings.inherit_before),
        *_each("--include", settings.include_before),
        *_each("--set", settings.set),
        option_for(name, settings.extra_extensions),
        name + section,
        *_each("--inherit", settings.inherit),
        *_each("--include", settings.include),
    ]


def option_for(name: str, extra_extensions: Iterable[str] = ()) -> str:
    """
    The option that makes uWSGI read the file called C{name}.
    """
    if any(name.endswith(extension) for extension in extra_extensions):
        return "--config"
    for extension, option in _OPTIONS.items():
        if name.endswith(extension):
            return option
    return "--inherit"


def environment(inherited: Mapping[str, str], pipe: int) -> dict[str, str]:
    """
    The environment of a vassal whose end of the pipe is descriptor C{pipe}.

    @param inherited: see L{emperor.config.vassalvalues.environment_for}.
    """
    found = {key: value for key, value in inherited.items() if key not in _OURS}
    return {**found, "UWSGI_EMPEROR_FD": str(pipe)}


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
