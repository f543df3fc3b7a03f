"""
Which monitor a vassal's file belongs to.
"""

from __future__ import annotations

import os

from twisted.logger import Logger

from emperor.vassals.spec import VassalId, VassalSpec, shown

Specs = dict[VassalId, VassalSpec]


class Ownership:
    """
    Lets a file that two monitors see be one vassal: that of the monitor that
    was first to report it.

    A file is its name and its directory without links.  Where a link of that
    name leads does not matter: many links to one template are many vassals.
    """

    _log = Logger()

    def __init__(self) -> None:
        self._files: dict[str, dict[str, VassalId]] = {}
        self._refused: dict[VassalId, str] = {}

    def admit(self, source: str, specs: Specs) -> Specs:
        """
        What C{source} reports now.

        @return: those of the specs whose files no other monitor has.
        """
        places: dict[str, str] = {}
        others = [files for other, files in self._files.items() if other != source]
        files = self._files[source] = {}
        admitted: Specs = {}
        for id, spec in specs.items():
            path = _path(spec, places)
            owner = next((each[path] for each in others if path in each), None)
            if owner is None:
                files[path] = id
                admitted[id] = spec
                self._refused.pop(id, None)
            else:
                self._refuse(id, owner)
        return admitted

    def _refuse(self, id: VassalId, owner: VassalId) -> None:
        if self._refused.get(id) == owner.monitor:
            return
        self._refused[id] = owner.monitor
        self._log.warn(
            "{vassal} of {monitor} is not started: it is a vassal of {owner} already",
            vassal=shown(id.name),
            monitor=shown(id.monitor),
            owner=shown(owner.monitor),
        )


def _path(spec: VassalSpec, places: dict[str, str]) -> str:
    directory, name = spec.directory, spec.id.name
    if "/" in name:
        directory, name = os.path.split(os.path.join(directory, name))
    if directory not in places:
        places[directory] = os.path.realpath(directory)
    return f"{places[directory]}/{name}"
