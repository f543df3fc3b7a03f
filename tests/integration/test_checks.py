"""
Checks of real uWSGI instances, and requests for those that sleep.
"""

from __future__ import annotations

# Not by name: trial takes a "suppress" of a module for its own.
import contextlib
import os
import signal

from twisted.internet.defer import ensureDeferred

from emperor.wire.commands import spawn
from emperor.wire.subscription import build_announcement
from tests.integration.datagrams import unix_letterbox
from tests.integration.programs import Program, ProgramsTestCase, eventually
from tests.integration.subscribers import SubscribedRouter, any_uwsgi, signing_uwsgi
from tests.wire.announcements import announcement

OFTEN = ("subscription-check-frequency = 0.3", "subscription-check-timeout = 1")

FAILS = "does not pass its check: "


class CheckTests(ProgramsTestCase):
    """
    Nodes that are asked how they do.
    """

    def halt(self, program: Program) -> None:
        """
        Let an instance stand still: the kernel accepts for it, and nobody answers.
        """

        def go_on() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGCONT)

        os.killpg(program.pid, signal.SIGSTOP)
        self.addCleanup(go_on)

    async def test_ping(self) -> None:
        """
        An instance that hangs gets no requests until it goes on; nobody waits for
        it, though it accepts.
        """
        router = SubscribedRouter(self, "subscription-check = ping", *OFTEN)
        await router.serve()
        one = router.subscribe("one")
        router.subscribe("two")
        await router.until_from("one", "two")
        self.assertNotIn(FAILS, router.program.log)
        self.halt(one)
        await router.program.says(f"{FAILS}it does not answer within 1 s")
        self.assertEqual(await router.sites(6), {"two"})
        os.killpg(one.pid, signal.SIGCONT)
        await router.program.says("passes its check again")
        self.assertEqual(await router.sites(6), {"one", "two"})

    async def test_no_ping(self) -> None:
        """
        An instance that has not got uWSGI's ping is well all the same.
        """
        router = SubscribedRouter(self, "subscription-check = ping", *OFTEN)
        await router.serve()
        one = router.subscribe("one", uwsgi=signing_uwsgi())
        await eventually(lambda: one.log.count("unavailable modifier") > 3, "four pings")
        self.assertNotIn(FAILS, router.program.log)
        self.assertEqual(await router.sites(2), {"one"})

    async def test_connect(self) -> None:
        """
        An instance that is asked nothing has nothing to complain about; when it is
        killed that is noticed, in every process.
        """
        router = SubscribedRouter(
            self, "subscription-check = connect", *OFTEN, "http-processes = 2"
        )
        await router.serve()
        one = router.subscribe("one", gently=False)
        await router.until_from("one")
        before = one.log
        reply = await router.fetch(target="/slow?seconds=2")
        self.assertTrue(reply.text.endswith("ended\n"))
        self.assertNotIn("error", one.log[len(before) :])
        os.killpg(one.pid, signal.SIGKILL)
        for process in (1, 2):
            await router.program.says(f"http process {process}: http: 127.0.0.1:")
        self.assertEqual(router.program.log.count(f"{FAILS}it cannot be reached"), 2)

    async def test_page(self) -> None:
        """
        A page that works is asked for in the name of the pool; the instance sees
        an ordinary request that takes the whole answer.
        """
        router = SubscribedRouter(self, "subscription-check = http:/download?bytes=30000", *OFTEN)
        await router.serve()
        one = router.subscribe("one", uwsgi=any_uwsgi())
        asked = "GET /download?bytes=30000"
        await eventually(lambda: one.log.count(asked) > 2, "three checks")
        self.assertIn("generated 30000 bytes", one.log)
        self.assertNotIn("error", one.log)
        self.assertNotIn(FAILS, router.program.log)

    async def test_broken_page(self) -> None:
        """
        A page that does not work is a node that does not pass; where no node passes
        requests are sent all the same.
        """
        router = SubscribedRouter(self, "subscription-check = http:/?status=503+Down", *OFTEN)
        await router.serve()
        router.subscribe("one")
        await router.program.says(f"{FAILS}it answers with the status 503")
        self.assertEqual(await router.sites(2), {"one"})


class SleeperTests(ProgramsTestCase):
    """
    A vassal that another Emperor has to start.
    """

    async def test_woken(self) -> None:
        """
        The request waits, the Emperor is asked, the vassal comes and answers.
        """
        emperor = self.place / "emperor.sock"
        letterbox = unix_letterbox(self, emperor)
        for processes in (1, 2):
            router = SubscribedRouter(
                self,
                f"http-emperor-socket = {emperor}",
                "http-defer-connect-timeout = 20",
                f"http-processes = {processes}",
                name=f"router{processes}",
            )
            await router.serve()
            await router.program.listens(router.port)
            sleeper = announcement(key="foo.test", address="", vassal="shop.ini")
            router.send(build_announcement(sleeper))
            await router.program.says("sleeps")
            waiting = ensureDeferred(router.fetch())
            await eventually(lambda: letterbox.letters, "the Emperor is asked")
            self.assertEqual({data for _, data in letterbox.letters}, {spawn("shop.ini")})
            router.subscribe("one")
            reply = await waiting
            self.assertEqual((reply.status, reply.json["site"]), (200, "one"))
            letterbox.letters.clear()

    async def test_not_woken(self) -> None:
        """
        When it does not come, or nobody can be asked, the answer says so.
        """
        for options, sentence in (
            ((f"http-emperor-socket = {self.place}/none",), "cannot be woken"),
            (("http-emperor-socket = 127.0.0.1:9",), "vassal shop.ini is being woken"),
            ((), "http-emperor-socket does not say who can wake it"),
        ):
            router = SubscribedRouter(self, "http-defer-connect-timeout = 0.3", *options)
            await router.serve()
            sleeper = announcement(key="foo.test", address="", vassal="shop.ini")
            router.send(build_announcement(sleeper))
            await router.program.says("sleeps")
            reply = await router.fetch()
            self.assertEqual(reply.status, 503)
            self.assertIn(sentence, reply.text)
            await router.program.stop()
