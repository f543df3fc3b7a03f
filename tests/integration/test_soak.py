"""
Sites to which everything happens while they are asked; C{make soak} does it at
length.
"""

from __future__ import annotations

from tests.soak.case import SoakTestCase


class SoakTests(SoakTestCase):
    """
    Nothing fails but the site that is removed.
    """

    async def test_held(self) -> None:
        """
        Ten sites whose sockets are the Emperor's are edited, broken, mended,
        touched, killed and removed.
        """
        await self.soak(seconds=6)

    async def test_processes(self) -> None:
        """
        The same behind a router of two processes.
        """
        await self.soak(count=4, processes=2, seconds=3)

    async def test_own_sockets(self) -> None:
        """
        Sites that open their sockets themselves are edited and touched: requests
        wait meanwhile.
        """
        await self.soak(count=4, held=False, seconds=3)
