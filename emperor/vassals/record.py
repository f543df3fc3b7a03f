"""
What the generations of one vassal have done together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from emperor.vassals.spec import VassalId
from emperor.vassals.status import Phase, VassalStatus


class Record:
    """
    Adds up the generations of a vassal, and tells of it as of one.

    @ivar told: what was told last.
    """

    def __init__(self, id: VassalId, observe: Callable[[VassalStatus], object]) -> None:
        """
        @param observe: is told each new status.
        """
        self.told = VassalStatus(id, Phase.GONE)
        self._observe = observe
        # Of generations before the current one, and of those that failed.
        self._starts = self._reloads = self._failed_reloads = 0
        self._trouble: tuple[str, tuple[str, ...]] = ("", ())

    def tell(self, status: VassalStatus) -> None:
        """
        The current generation has this status.
        """
        trouble, said = self._trouble
        if not (trouble or self._starts or self._reloads or self._failed_reloads):
            self.told = status
            self._observe(status)
            return
        self.told = replace(
            status,
            starts=status.starts + self._starts,
            reloads=status.reloads + self._reloads,
            failed_reloads=status.failed_reloads + self._failed_reloads,
            trouble=status.trouble or trouble,
            said=status.said or said,
        )
        self._observe(self.told)

    def inherit(self, status: VassalStatus) -> None:
        """
        A generation with this status is not the current one any more.
        """
        self._starts += status.starts
        self._reloads += status.reloads
        self._failed_reloads += status.failed_reloads

    def count_start(self, status: VassalStatus) -> None:
        """
        A generation with this status never became the current one.
        """
        self._starts += status.starts

    def count_reload(self) -> None:
        """
        The vassal was renewed.
        """
        self._reloads += 1

    def fail(self, trouble: str, said: tuple[str, ...]) -> None:
        """
        It could not be renewed.
        """
        self._failed_reloads += 1
        self._trouble = (trouble, said)

    def forgive(self) -> None:
        """
        What was wrong is over.
        """
        self._trouble = ("", ())
