"""
The monitor of one vassal that does not change: the uWSGI of our own file.
"""

from __future__ import annotations

from zope.interface import implementer

from emperor.interfaces import IMonitor, IRealm
from emperor.vassals.spec import VassalSpec


@implementer(IMonitor)
class InstanceMonitor:
    """
    Wants it as long as the program runs.
    """

    def __init__(self, spec: VassalSpec) -> None:
        self.source = spec.id.monitor
        self._spec = spec

    def start(self, realm: IRealm) -> None:
        """
        Say so once.
        """
        realm.wanted(self.source, [self._spec])

    def rescan(self) -> None:
        """
        There is nothing to look at.
        """

    def stop(self) -> None:
        """
        Close our copies of its sockets: it is not started again.
        """
        for each in self._spec.sockets:
            each.close()
