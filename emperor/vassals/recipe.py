"""
How a vassal's process is to be started: from the settings, its file, and
whose that is.

A vassal that was started in the same way needs only be asked to reload when its
file changes; another owner, another program or another limit takes another
process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from emperor.config.attributes import Attributes
from emperor.config.limits import chosen, group_limits, resource_limits
from emperor.config.settings import EmperorSettings
from emperor.vassals.commandline import Program, argv, environment
from emperor.vassals.program import NoProgram
from emperor.vassals.spec import VassalSpec
from emperor.vassals.tyrant import NoOwner, Owner, owner_of
from emperor.wire.keeping import PIPE, Start
from emperor.wire.rights import Capabilities, Rights, User

Read = Callable[[VassalSpec], Attributes]


class LaunchFailed(Exception):
    """
    The process could not be started; the text says why.
    """


def no_attributes(spec: VassalSpec) -> Attributes:
    """
    Those of a vassal that says nothing to the Emperor.
    """
    return Attributes()


class Recipes:
    """
    Makes the orders for the keeper.
    """

    def __init__(
        self,
        settings: EmperorSettings,
        environ: Mapping[str, str],
        find: Callable[[str], Program],
        read: Read,
    ) -> None:
        """
        @param environ: what vassals inherit.
        @param find: from C{binary-path} to the program.
        @param read: what a vassal's file says to the Emperor.
        """
        self._settings = settings
        self._environ = environ
        self._find = find
        self._read = read

    def make(self, spec: VassalSpec) -> Start:
        """
        The order for a vassal as it is now.

        @raise LaunchFailed: it cannot or must not be started.
        """
        try:
            os.stat(os.path.join(spec.directory, "."))
            rights = self._rights(spec, self._attributes(spec))
            program = self._find(self._settings.binary)
        except (NoProgram, NoOwner) as error:
            raise LaunchFailed(str(error)) from error
        except OSError as error:
            raise LaunchFailed(f"{spec.directory}: {error.strerror}") from error
        path, *words = argv(program, spec.id.name, self._settings)
        if spec.arguments:
            words = [*program.arguments, *spec.arguments]
        return Start(
            number=0,
            name=spec.id.name,
            directory=spec.directory,
            programs=(path,),
            argv=tuple(words),
            environ=tuple(environment(self._environ, PIPE).items()),
            rights=rights,
        )

    def _attributes(self, spec: VassalSpec) -> Attributes:
        if spec.arguments:  # It has no file.
            return Attributes()
        found = self._read(spec)
        if found.refusals:
            raise LaunchFailed("; ".join(map(str, found.refusals)))
        return found

    def _rights(self, spec: VassalSpec, attributes: Attributes) -> Rights:
        launch = self._settings.launch
        user = None
        if launch.tyrant and not spec.arguments:
            owner = self._owner(spec)
            user = User(owner.uid, owner.gid, launch.tyrant_groups)
        limits = chosen(attributes.limits, lowest=launch.tyrant)
        return Rights(
            user=user,
            capabilities=Capabilities(launch.capabilities) if launch.capabilities else None,
            namespaces=launch.namespaces,
            resources=resource_limits(limits),
            group=group_limits(limits),
        )

    def _owner(self, spec: VassalSpec) -> Owner:
        path = os.path.join(spec.directory, spec.id.name)
        return owner_of(path, nofollow=self._settings.launch.tyrant_nofollow)
