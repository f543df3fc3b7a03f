"""
What clients hear of vassals that are down, and what is left of them.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.client import Reply, fetch
from tests.integration.programs import ProgramsTestCase, eventually
from tests.integration.servers import Emperor, until


def names(text: str) -> str:
    """
    The options of a vassal of that domain.
    """
    return f"[emperor]\ndomain = {text}"


def is_down(reply: Reply) -> bool:
    """
    Whether a vassal has died, and the answer says whose it is.
    """
    return reply.status == 503 and "vassal blog.ini died and is held back" in reply.text


class AbsenceTests(ProgramsTestCase):
    """
    The routers are in the program.
    """

    options: tuple[str, ...] = ()

    async def test_broken(self) -> None:
        """
        A vassal whose file is broken while it serves is named in the answers for its
        host; without the file the host is unknown, and no socket is left.
        """
        emperor = Emperor(self, *self.options)
        await emperor.serve("blog")
        (emperor.directory / "blog.ini").write_text("garbage\n")
        await emperor.until("blog", is_down, "reason")
        emperor.remove("blog")
        await emperor.answers("blog", 404)
        self.assertFalse((self.place / "blog.sock").exists())

    async def test_another_socket(self) -> None:
        """
        The old socket goes when the vassal has another one; the last one goes with a
        file that was broken in between.
        """
        emperor = Emperor(self, *self.options)
        await emperor.serve("blog")
        path = emperor.directory / "blog.ini"
        path.write_text(path.read_text().replace("/%n.sock", "/other.sock"))
        await emperor.answers("other")
        await emperor.answers("blog", 404)
        old, new = self.place / "blog.sock", self.place / "other.sock"
        self.assertEqual((False, True), (old.exists(), new.exists()))
        path.write_text("garbage\n")
        await emperor.until("other", is_down, "reason")
        await emperor.program.stop()
        self.assertFalse(new.exists())

    async def test_domain(self) -> None:
        """
        A host that only a vassal's domain names gets 503 with the reason as long as
        the file is there: from when it is seen, while it starts, and when it is held
        back; others get 404.
        """
        emperor = Emperor(self, *self.options)
        path = emperor.add("blog", "wsgi-file = /missing", names("blog.example"))
        await emperor.start().listens(emperor.port)
        await self.until(emperor, is_down, "reason")
        self.assertEqual(404, (await fetch(emperor.port, "x.example", "/")).status)
        emperor.add("blog", names("blog.example"))
        await self.until(emperor, lambda reply: reply.status == 200, "answer")
        path.write_text("garbage\n")
        await self.until(emperor, is_down, "reason")
        path.unlink()
        await self.until(emperor, lambda reply: reply.status == 404, "refusal")

    async def test_refused_start(self) -> None:
        """
        So does one of which no process was ever started.
        """
        emperor = Emperor(self, *self.options)
        emperor.add("blog", names("blog.example"), "memory-max = much")
        await emperor.start().listens(emperor.port)
        await self.until(emperor, is_down, "reason")

    async def test_same_socket(self) -> None:
        """
        The log names two vassals that have the same socket.
        """
        emperor = Emperor(self, *self.options)
        await emperor.serve("blog")
        path = emperor.add("news")
        path.write_text(path.read_text().replace("/%n.sock", "/blog.sock"))
        await eventually(
            lambda: "Vassal news.ini has the same socket as vassal blog.ini" in emperor.program.log,
            "the warning",
        )

    async def until(self, emperor: Emperor, accept: Callable[[Reply], bool], what: str) -> Reply:
        return await until(emperor.port, "blog.example", accept, what)


class AbsenceInProcessesTests(AbsenceTests):
    """
    The same with routers that are processes of their own.
    """

    options = ("http-processes = 2",)
