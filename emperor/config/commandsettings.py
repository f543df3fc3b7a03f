"""
How vassals are commanded.
"""

from __future__ import annotations

from dataclasses import dataclass

from emperor.addresses import SocketAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSettings:
    """
    Where commands come in, and who waits for one.

    @ivar sockets: C{emperor-command-socket}; a TCP address stands for the UDP one.
    @ivar mode: C{chmod-socket}: permissions of the sockets' files.
    @ivar owner: C{chown-socket}: see L{emperor.config.settings.RouterSettings}.
    @ivar trusted: C{emperor-command-trusted}: networks, C{ADDRESS/BITS}, that may
        command over UDP.
    @ivar wait: C{emperor-wait-for-command}.
    @ivar ignored: C{emperor-wait-for-command-ignore}: names that do not wait.
    """

    sockets: tuple[SocketAddress, ...] = ()
    mode: int = 0o600
    owner: str = ""
    trusted: tuple[str, ...] = ()
    wait: bool = False
    ignored: frozenset[str] = frozenset()

    def waits(self, name: str) -> bool:
        """
        Whether a vassal of that name waits for a command when it comes.
        """
        return self.wait and name not in self.ignored
