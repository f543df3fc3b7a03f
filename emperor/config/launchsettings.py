"""
How the processes of vassals are started.
"""

from __future__ import annotations

from dataclasses import dataclass

from emperor.wire.hooks import Command


@dataclass(frozen=True, slots=True)
class Grant:
    """
    Domains that a user's vassals may have.

    @ivar user: a name or a number.
    @ivar patterns: in lower case: C{*}, C{*.DOMAIN} for the hosts below it, or a
        host.
    """

    user: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSettings:
    """
    What all vassals share.

    @ivar tyrant: C{emperor-tyrant}: a vassal runs as the owner of its file.
    @ivar tyrant_nofollow: a link's own owner counts.
    @ivar tyrant_groups: C{emperor-tyrant-initgroups}.
    @ivar domains: C{vassal-domains}: whose domains are whose, where C{tyrant} is on.
    @ivar capabilities: C{emperor-cap}: their numbers; empty: as they are.
    @ivar namespaces: C{emperor-use-clone}: see L{emperor.wire.rights.Rights}.
    @ivar wrapper: C{emperor-wrapper}: the program in the place of uWSGI; empty:
        uWSGI.
    @ivar wrapper_override: C{emperor-wrapper-override}: programs that are tried first.
    @ivar wrapper_fallback: C{emperor-wrapper-fallback}: and those that are last.
    @ivar wrapper_attribute: C{emperor-wrapper-attr}: the key in a vassal's section
        C{[emperor]} that names its program; empty: none.
    @ivar chdir_attribute: C{emperor-chdir-attr}: and its directory.
    @ivar collected: C{emperor-collect-attr}: keys there that are only shown.
    @ivar start_hook: C{vassals-start-hook}; empty: none.
    @ivar stop_hook: C{vassals-stop-hook}; empty: none.
    @ivar before_vassal: C{hook-as-emperor-before-vassal}, in the child.
    @ivar before_drop: C{hook-as-vassal-before-drop}.
    @ivar as_vassal: C{hook-as-vassal}, then C{exec-as-vassal}.
    @ivar as_emperor: C{hook-as-emperor}, then C{exec-as-emperor}.
    @ivar magic_exec: C{emperor-magic-exec}: a vassal's file that can be executed
        prints its configuration.
    @ivar on_demand: C{hook-as-on-demand-vassal}.
    @ivar on_config: C{hook-as-on-config-vassal}.
    @ivar hook_timeout: seconds that each command may take.
    """

    tyrant: bool = False
    tyrant_nofollow: bool = False
    tyrant_groups: bool = False
    domains: tuple[Grant, ...] = ()
    capabilities: tuple[int, ...] = ()
    namespaces: tuple[str, ...] = ()
    wrapper: str = ""
    wrapper_override: tuple[str, ...] = ()
    wrapper_fallback: tuple[str, ...] = ()
    wrapper_attribute: str = ""
    chdir_attribute: str = ""
    collected: tuple[str, ...] = ()
    start_hook: str = ""
    stop_hook: str = ""
    before_vassal: tuple[Command, ...] = ()
    before_drop: tuple[Command, ...] = ()
    as_vassal: tuple[Command, ...] = ()
    as_emperor: tuple[Command, ...] = ()
    magic_exec: bool = False
    on_demand: tuple[Command, ...] = ()
    on_config: tuple[Command, ...] = ()
    hook_timeout: float = 30

    @property
    def attributes(self) -> tuple[str, ...]:
        """
        The keys of vassals' sections C{[emperor]} that have a meaning here.
        """
        return tuple(filter(None, (self.wrapper_attribute, self.chdir_attribute)))
