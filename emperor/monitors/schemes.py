"""
From the text of an C{emperor} option to its monitor.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from glob import has_magic
from typing import Any

from emperor.config.settings import EmperorSettings
from emperor.config.values import SCHEME
from emperor.interfaces import IMonitor
from emperor.monitors.directory import DirectoryMonitor
from emperor.monitors.globbing import GlobMonitor
from emperor.vassals.commandline import EXTENSIONS

_MONITORS: dict[str, Callable[[str, Any, EmperorSettings], IMonitor]] = {
    "dir": DirectoryMonitor,
    "glob": GlobMonitor,
}

#: All schemes that there are.
SCHEMES = tuple(_MONITORS)


def make_monitor(text: str, reactor: Any, settings: EmperorSettings) -> IMonitor:
    """
    The monitor for one value of the option C{emperor}.

    Without a scheme, an existing directory is one, and so is a path that has
    no wildcard and no extension of a configuration file: it may be created
    later.  Everything else is a pattern.

    @param text: one that L{emperor.config.values.monitor} accepts.
    """
    scheme, rest = split_scheme(text, settings)
    return _MONITORS[scheme](rest, reactor, settings)


def split_scheme(text: str, settings: EmperorSettings) -> tuple[str, str]:
    """
    The scheme of C{text}, written or guessed, and what follows it.
    """
    written = SCHEME.fullmatch(text)
    if written is not None:
        return written.group(1).lower(), written.group(2)
    if os.path.isdir(text):
        return "dir", text
    is_file = text.endswith(EXTENSIONS + settings.extra_extensions)
    return ("glob" if has_magic(text) or is_file else "dir"), text
