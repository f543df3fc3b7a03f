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
from dataclasses import replace

from emperor.config.attributes import Attributes
from emperor.config.limits import chosen, group_limits, resource_limits
from emperor.config.settings import EmperorSettings
from emperor.config.vassalvalues import environment_for, settings_for
from emperor.vassals.commandline import Program, argv, environment
from emperor.vassals.hooks import Occasion
from emperor.vassals.program import NoProgram, named_program
from emperor.vassals.spec import VassalSpec
from emperor.vassals.tyrant import NoOwner, Owner, owner_of
from emperor.wire.hooks import Command, Hooks
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


def occasion(spec: VassalSpec, user: User | None, pid: int = 0) -> Occasion:
    """
    What hooks are told of a vassal.
    """
    uid, gid = (user.uid, user.gid) if user is not None else (os.geteuid(), os.getegid())
    return Occasion(spec.word, spec.directory, uid, gid, pid)


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
        attributes = self._attributes(spec)
        try:
            os.stat(os.path.join(spec.directory, "."))
            rights = self._rights(spec, attributes)
            program = self._program(spec, dict(attributes.values))
        except (NoProgram, NoOwner) as error:
            raise LaunchFailed(str(error)) from error
        except OSError as error:
            raise LaunchFailed(f"{spec.directory}: {error.strerror}") from error
        launch = self._settings.launch
        chdir = dict(attributes.values).get(launch.chdir_attribute, "")
        # From elsewhere a relative name would lead to another file, or nowhere.
        name = os.path.join(spec.directory, spec.file) if chdir else spec.file
        place = spec.file, spec.directory
        settings = settings_for(self._settings, *place)
        path, *words = argv(program, name, settings, spec.section)
        environ = environment(environment_for(self._environ, *place), PIPE) | _of_zerg(spec)
        plain = Start(
            number=0,
            name=spec.id.name,
            directory=spec.directory,
            programs=(path,),
            argv=tuple(words),
            environ=tuple(environ.items()),
            rights=rights,
        )
        if spec.arguments:
            return replace(plain, argv=(*program.arguments, *spec.arguments))
        return replace(
            plain,
            programs=(*launch.wrapper_override, path, *launch.wrapper_fallback),
            hooks=self._hooks(spec, rights.user),
            chdir=chdir,
        )

    def _program(self, spec: VassalSpec, values: Mapping[str, str]) -> Program:
        launch = self._settings.launch
        wrapper = values.get(launch.wrapper_attribute, launch.wrapper)
        if wrapper and not spec.arguments:
            return named_program(wrapper)
        return self._find(self._settings.binary)

    def _hooks(self, spec: VassalSpec, user: User | None) -> Hooks:
        launch = self._settings.launch
        first = Command("vassals-start-hook", (launch.start_hook, spec.word), fatal=False)
        before = launch.before_vassal + launch.before_drop
        after = ((first,) if launch.start_hook else ()) + launch.as_vassal
        if not before and not after:
            return Hooks()
        variables = occasion(spec, user).variables()
        return Hooks(before, after, launch.hook_timeout, tuple(variables.items()))

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
        path = os.path.join(spec.directory, spec.file)
        return owner_of(path, nofollow=self._settings.launch.tyrant_nofollow)


def _of_zerg(spec: VassalSpec) -> dict[str, str]:
    """
    The variable by which one zerg is told from another.
    """
    return {"UWSGI_BROODLORD_NUM": str(spec.number)} if spec.is_zerg else {}
