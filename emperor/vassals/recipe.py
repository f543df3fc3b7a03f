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
from emperor.config.spelling import ENVIRONMENT as SPELLING
from emperor.config.vassalvalues import environment_for, settings_for
from emperor.vassals.commandline import Program, argv, environment, listen_environment
from emperor.vassals.hooks import Occasion
from emperor.vassals.origins import INSTANCE, source_of
from emperor.vassals.program import NoProgram, named_program
from emperor.vassals.spec import VassalSpec
from emperor.vassals.tyrant import NoOwner, Owner, owner_of
from emperor.wire.hooks import Command, Hooks
from emperor.wire.keeping import PIPE, Start
from emperor.wire.rights import Capabilities, Rights, User
from emperor.wire.vassal import BadConfiguration, build_configuration

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

    def make(self, spec: VassalSpec, listens: bool = False) -> Start:
        """
        The order for a vassal as it is now.

        @param listens: it gets a listening socket.
        @raise LaunchFailed: it cannot or must not be started.
        """
        try:
            os.stat(os.path.join(spec.directory, "."))
            user = self._user(spec)  # If it is nobody's, its file is not looked into.
            attributes = self._attributes(spec)
            rights = self._rights(user, attributes)
            program = self._program(spec, dict(attributes.values))
            if spec.config is not None:
                build_configuration(spec.config)
        except (NoProgram, NoOwner, BadConfiguration) as error:
            raise LaunchFailed(str(error)) from error
        except OSError as error:
            raise LaunchFailed(f"{spec.directory}: {error.strerror}") from error
        if spec.is_instance:
            return self._of_instance(spec, program)
        launch = self._settings.launch
        chdir = dict(attributes.values).get(launch.chdir_attribute, "")
        path, *words = self._command_line(spec, program, bool(chdir))
        listens = listens and attributes.listen_fds
        return replace(
            self._plain(spec, listens),
            programs=(*launch.wrapper_override, path, *launch.wrapper_fallback),
            argv=tuple(words),
            rights=rights,
            hooks=self._hooks(spec, rights.user),
            chdir=chdir,
        )

    def _of_instance(self, spec: VassalSpec, program: Program) -> Start:
        plain = self._plain(spec, listens=False)
        return replace(
            plain,
            programs=(program.path,),
            argv=(*program.arguments, "--inherit", f"emperor://{INSTANCE}"),
            environ=(*plain.environ, *SPELLING.items()),
        )

    def _command_line(self, spec: VassalSpec, program: Program, moves: bool) -> list[str]:
        name = spec.file
        if moves and spec.config is None:
            # From elsewhere a relative name would lead to another file, or nowhere.
            name = os.path.join(spec.directory, name)
        own = settings_for(self._settings, spec.file, spec.directory)
        source = source_of(spec, name, self._settings.launch)
        return argv(program, name, own, source, spec.section)

    def _plain(self, spec: VassalSpec, listens: bool) -> Start:
        """
        What all orders have.
        """
        pipe = PIPE + 1 if listens else PIPE
        config = pipe + len(spec.sockets) + 1 if spec.config is not None else 0
        inherited = environment_for(self._environ, spec.file, spec.directory)
        environ = environment(inherited, pipe, config) | _of_zerg(spec)
        if listens:
            environ |= listen_environment(spec.id.name)
        return Start(
            number=0,
            name=spec.id.name,
            directory=spec.directory,
            programs=(),
            argv=(),
            environ=tuple(environ.items()),
            pipe=pipe,
            listens=listens,
        )

    def _program(self, spec: VassalSpec, values: Mapping[str, str]) -> Program:
        launch = self._settings.launch
        wrapper = values.get(launch.wrapper_attribute, launch.wrapper)
        if wrapper and not spec.is_instance:
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
        if spec.is_instance:
            return Attributes()
        found = self._read(spec)
        if found.refusals:
            raise LaunchFailed("; ".join(map(str, found.refusals)))
        return found

    def _user(self, spec: VassalSpec) -> User | None:
        launch = self._settings.launch
        if not launch.tyrant or spec.is_instance:
            return None
        owner = self._owner(spec)
        return User(owner.uid, owner.gid, launch.tyrant_groups)

    def _rights(self, user: User | None, attributes: Attributes) -> Rights:
        launch = self._settings.launch
        limits = chosen(attributes.limits, lowest=launch.tyrant)
        return Rights(
            user=user,
            capabilities=Capabilities(launch.capabilities) if launch.capabilities else None,
            namespaces=launch.namespaces,
            resources=resource_limits(limits),
            group=group_limits(limits),
        )

    def _owner(self, spec: VassalSpec) -> Owner:
        if spec.config is not None:
            raise NoOwner(
                f"{spec.id.monitor} does not say as which user it should run, and it has no "
                "file whose owner that could be; emperor-tyrant starts no such vassal"
            )
        path = os.path.join(spec.directory, spec.file)
        return owner_of(path, nofollow=self._settings.launch.tyrant_nofollow)


def _of_zerg(spec: VassalSpec) -> dict[str, str]:
    """
    The variable by which one zerg is told from another.
    """
    return {"UWSGI_BROODLORD_NUM": str(spec.number)} if spec.is_zerg else {}
