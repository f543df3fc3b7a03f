"""
What happens to the sites.

Each site has a life of its own: it is edited, broken, mended, touched, killed and
removed by turns, by the numbers of a seed.  Beside them the program is told to
reload, to look, and to forget.

What no design can answer is not done.  A vassal is not killed while its file is
broken, for nothing is left of it then that could serve.  And a file is not written
slowly in its place while its vassal may be reading it for another reason.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

from twisted.internet.defer import DeferredLock
from twisted.internet.task import deferLater

from tests.integration.client import Reply
from tests.integration.programs import Program, marked, reactor
from tests.integration.servers import until
from tests.soak.sites import Fault
from tests.soak.watching import Watch

Note = Callable[[str], None]

#: How often it is done, beside the others, and what.
_Deed = tuple[int, Callable[[], Awaitable[None]]]

#: Seconds between two things that happen to a site, at least and at most.
REST = (0.3, 3.0)

#: Seconds between two signals to the program.
SIGNALS = (3.0, 10.0)


#: Seconds after which a vassal that was made to read its file has done so.
READING = 4.0


class Library:
    """
    Who reads the files, and who writes them slowly.

    @ivar quiet_from: from when on nobody reads.
    @ivar writers: how many write.
    """

    def __init__(self) -> None:
        self.quiet_from = 0.0
        self.writers = 0


class Life:
    """
    What happens to one site.
    """

    def __init__(
        self,
        watch: Watch,
        port: int,
        *,
        random: Random,
        mark: str,
        pace: float,
        library: Library,
        removing: DeferredLock,
        note: Note,
    ) -> None:
        """
        @param mark: by which everything that the test started is known.
        @param pace: what rests are multiplied by.
        @param removing: one site is removed at a time.
        @param note: writes into the log of what was done.
        """
        self._site = site = watch.site
        self._watch = watch
        self._port = port
        self._random = random
        self._mark = mark
        self._pace = pace
        self._library = library
        self._quiet_from = 0.0
        self._removing = removing
        self._note = note
        gentle: list[_Deed] = [
            (3, self.edit),
            (2, self.exchange),
            (2, self.dawdle),
            (2, self.touch),
            (1, self.change_mode),
        ]
        rough: list[_Deed] = [
            (3, self.break_it),
            (2, self.kill_worker),
            (3, self.kill_master),
            (2, self.kill_all),
            (1, self.remove),
        ]
        self._deeds = gentle + (rough if site.held else [])

    async def live(self, end: float) -> None:
        """
        Do one thing after the other until the clock shows C{end}.
        """
        weights = [weight for weight, _ in self._deeds]
        deeds = [deed for _, deed in self._deeds]
        while reactor.seconds() < end:
            await self.rest()
            await self._random.choices(deeds, weights)[0]()

    async def rest(self) -> None:
        """
        Let it serve for a while.
        """
        await deferLater(reactor, self._random.uniform(*REST) * self._pace)

    # Good files:

    async def edit(self) -> None:
        """
        Write the file in its place.
        """
        self._say("is edited")
        self._site.path.write_text(self._site.next_edition())
        await self.arrived()

    async def exchange(self) -> None:
        """
        Put another file in the place of the file.
        """
        self._say("is exchanged")
        self._move(self._site.next_edition())
        await self.arrived()

    async def dawdle(self) -> None:
        """
        Write the file slowly.
        """
        if reactor.seconds() < max(self._quiet_from, self._library.quiet_from):
            return
        self._say("is edited slowly")
        text = self._site.next_edition()
        cut = self._random.randrange(len(text))
        self._library.writers += 1
        with self._site.path.open("w") as file:
            for part in (text[:cut], text[cut:]):
                file.write(part)
                file.flush()
                await deferLater(reactor, self._random.uniform(0, 0.3))
        self._library.writers -= 1
        await self.arrived()

    async def touch(self) -> None:
        """
        Change nothing but the time.
        """
        self._say("is touched")
        self._site.path.touch()
        self._quiet_from = reactor.seconds() + READING

    async def change_mode(self) -> None:
        """
        Change the mode, which is no change of the site.
        """
        self._say("has another mode")
        self._site.path.chmod(self._random.choice([0o600, 0o640, 0o644]))

    # Broken files:

    async def break_it(self) -> None:
        """
        Write what cannot work, in one way or the other, and mend it after a while.
        """
        fault = self._random.choice(list(Fault))
        self._say(f"is broken: {fault.name.lower()}")
        text = self._site.broken(fault, self._random)
        if self._random.random() < 0.5:
            self._site.path.write_text(text)
        else:
            self._move(text)
        for _ in range(self._random.randrange(3)):
            await self.rest()
            await self._random.choice([self.touch, self.change_mode, self.kill_worker])()
        await self.rest()
        await self._random.choice([self.edit, self.exchange])()

    # Deaths:

    async def kill_worker(self) -> None:
        """
        Kill one worker; its master makes another one.
        """
        reply = await self.answer()
        self._say("loses a worker")
        self._kill(int(reply.text.split()[3]), os.kill)

    async def kill_master(self) -> None:
        """
        Kill the first process.
        """
        await self._killed("loses its master", os.kill)

    async def kill_all(self) -> None:
        """
        Kill all of its processes at once.
        """
        await self._killed("is killed", os.killpg)

    async def _killed(self, what: str, kill: Callable[[int, int], None]) -> None:
        master = int((await self.answer()).text.split()[2])
        self._say(what)
        self._kill(master, kill)
        await self._until(lambda reply: reply.text.split()[2] != str(master), "next master")

    def _kill(self, pid: int, kill: Callable[[int, int], None]) -> None:
        if pid in marked(self._mark):  # It may have gone, and the number be somebody's.
            with suppress(ProcessLookupError):
                kill(pid, signal.SIGKILL)

    # Absence:

    async def remove(self) -> None:
        """
        Take the file away, and bring it back after a while.
        """
        async with self._removing:
            await self._watch.turn(is_removed=True)
            self._say("is removed")
            self._site.path.unlink()
            await self.rest()
            self._say("comes back")
            self._move(self._site.next_edition())
            await self.arrived()
            await self._watch.turn(is_removed=False)

    # What is seen of it:

    async def answer(self) -> Reply:
        """
        A right answer.
        """
        return await self._until(lambda reply: True, "answer")

    async def arrived(self) -> None:
        """
        Wait until the file that was written last is that of the answers.
        """
        edition = str(self._site.edition)
        await self._until(lambda reply: reply.text.split()[1] == edition, f"edition {edition}")

    async def _until(self, accept: Callable[[Reply], bool], what: str) -> Reply:
        def is_right(reply: Reply) -> bool:
            return reply.status == 200 and accept(reply)

        return await until(self._port, self._site.host, is_right, what)

    def _move(self, text: str) -> None:
        self._site.draft.write_text(text)
        self._site.draft.rename(self._site.path)

    def _say(self, what: str) -> None:
        self._note(f"{self._site.name} {what}")


async def trouble(
    program: Program, library: Library, *, random: Random, pace: float, end: float, note: Note
) -> None:
    """
    Tell the program to reload, to look and to forget, by turns.
    """
    while reactor.seconds() < end:
        await deferLater(reactor, random.uniform(*SIGNALS) * pace)
        name = random.choice([signal.SIGHUP, signal.SIGWINCH, signal.SIGURG])
        if name is signal.SIGHUP:
            if library.writers:
                continue
            library.quiet_from = reactor.seconds() + READING
        note(f"the program hears {name.name}")
        program.send(name)
