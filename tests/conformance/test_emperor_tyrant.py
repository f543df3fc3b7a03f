"""
Vassals that run as the owners of their files, under uWSGI's Emperor and under ours.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.conformance.sides import Side, SidesTestCase
from tests.integration.programs import unavailable
from tests.integration.servers import debian_uwsgi

#: Users whom the system need not know.
WWW, SHOP = 12345, 12346

#: The capabilities to use any port, and to give up others.
NET_BIND_SERVICE, SETPCAP = 10, 8


class TyrantTests(SidesTestCase):
    def setUp(self) -> None:
        super().setUp()
        if os.geteuid():
            raise unavailable("emperor-tyrant needs root")

    def give(self, side: Side, name: str, user: int, group: int, *instructions: str) -> Path:
        """
        Write a vassal's file that is somebody's from its first moment on.
        """
        draft = side.write("drafts/draft", *instructions)
        os.chown(draft, user, group)
        return draft.rename(side.vassals / name)

    async def test_owners(self) -> None:
        """
        A vassal has the user and group of its file, no other groups, and no
        environment of its own; a file of root, or of the group root, is not run.  When
        it is given to another user, its vassal is stopped and started.
        """

        async def owners(side: Side) -> list[Any]:
            self.give(side, "www.ini", WWW, SHOP)
            moved = self.give(side, "moved.ini", WWW, WWW)
            self.give(side, "user.ini", 0, WWW)
            self.give(side, "group.ini", WWW, 0)
            side.start("emperor-tyrant = true", environment={"HOME": "/root"})
            found = [await side.started(name) for name in ("www.ini", "moved.ini")]
            os.chown(moved, SHOP, SHOP)
            found.append(await side.started("moved.ini", 2))
            await side.hears("moved.ini", "start", 0, "start")
            await side.says("vassal user.ini", "user.ini belongs to the user root")
            await side.says("vassal group.ini", "group.ini belongs to the group root")
            self.assertEqual([], side.entries("user.ini") + side.entries("group.ini"))
            # The kernel forgets it with the user; uWSGI does not set it again.
            signals = {entry["death_signal"] for entry in found}
            self.assertEqual({9 if side.ours else 0}, signals)
            return [(entry["status"], entry["environ"]["HOME"]) for entry in found]

        found = await self.same(owners)
        for (status, home), uid, gid in zip(
            found, (WWW, WWW, SHOP), (SHOP, WWW, SHOP), strict=True
        ):
            self.assertEqual(("\t".join([str(uid)] * 4), "/root"), (status["Uid"], home))
            self.assertEqual(("\t".join([str(gid)] * 4), ""), (status["Gid"], status["Groups"]))

    async def test_links(self) -> None:
        """
        With emperor-tyrant-nofollow the owner of a link counts, and one file serves
        several users.
        """

        async def links(side: Side) -> list[str]:
            template = side.write("targets/template")
            for name, user in (("www.ini", WWW), ("shop.ini", SHOP)):
                draft = side.place / name
                draft.symlink_to(template)
                os.lchown(draft, user, user)
                draft.rename(side.vassals / name)
            side.start("emperor-tyrant = true", "emperor-tyrant-nofollow = true")
            found = [await side.started(name) for name in ("www.ini", "shop.ini")]
            return [entry["status"]["Uid"] for entry in found]

        found = await self.same(links)
        self.assertEqual(["\t".join([str(user)] * 4) for user in (WWW, SHOP)], found)

    async def test_capabilities(self) -> None:
        """
        With emperor-cap a vassal of root is capable of what is named, and of giving
        up more.
        """

        async def capabilities(side: Side) -> str:
            side.write("a.ini")
            side.start("emperor-cap = net_bind_service")
            bound: str = (await side.started("a.ini"))["status"]["CapBnd"]
            return bound

        # The one of the distribution always knows capabilities.
        self.theirs = self.make_theirs("debian", debian_uwsgi())
        bound = int(await self.same(capabilities), 16)
        self.assertEqual(1 << NET_BIND_SERVICE | 1 << SETPCAP, bound)
