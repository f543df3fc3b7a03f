"""
Routers in several processes, as their user meets them.
"""

from __future__ import annotations

import os
import re
import signal

from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.internet.error import ConnectionRefusedError

from tests.integration.client import exchange, fetch, read_reply, request
from tests.integration.programs import ProgramsTestCase, eventually, reactor
from tests.integration.servers import Emperor

_STATE = re.compile(r"(http|fastrouter) process (\d) is ready \(pid (\d+), (\d+) connections\)")


class ProcessesTests(ProgramsTestCase):
    """
    C{http-processes = 2}.
    """

    async def start_two(self, *options: str) -> Emperor:
        """
        The program with two HTTP processes, each of which is ready.
        """
        emperor = Emperor(self, "http-processes = 2", *options)
        await emperor.serve("www")
        return emperor

    async def state(self, emperor: Emperor) -> dict[int, tuple[int, int]]:
        """
        What SIGUSR1 shows: pid and connections of each HTTP process.
        """
        seen = len(emperor.program.log)
        emperor.program.send(signal.SIGUSR1)

        def lines() -> dict[int, tuple[int, int]]:
            found = _STATE.findall(emperor.program.log[seen:])
            return {int(place): (int(pid), int(count)) for _, place, pid, count in found}

        return await eventually(
            lambda: lines() if "vassal" in emperor.program.log[seen:].lower() else {}, "its state"
        )

    async def both(self, emperor: Emperor, least: int = 0) -> dict[int, tuple[int, int]]:
        """
        The state when both are ready, with C{least} connections together.
        """
        end = reactor.seconds() + 20
        while reactor.seconds() < end:
            state = await self.state(emperor)
            if len(state) == 2 and sum(count for _, count in state.values()) >= least:
                return state
        self.fail(f"not both with {least} connections: {state}")

    async def test_both_serve(self) -> None:
        """
        Each of them takes a part of the connections.
        """
        emperor = await self.start_two()
        for _ in range(8):
            replies = await gatherResults([ensureDeferred(self.ask(emperor)) for _ in range(8)])
            self.assertEqual([200] * 8, replies)
        state = await self.both(emperor, 64)
        for _, count in state.values():
            self.assertGreater(count, 10)

    async def ask(self, emperor: Emperor) -> int:
        return (await emperor.fetch("www")).status

    async def test_killed_under_load(self) -> None:
        """
        One that is killed is replaced; nobody is ever refused a connection, and
        what was not in its hands is answered.
        """
        emperor = await self.start_two()
        state = await self.both(emperor)
        statuses: list[int] = []
        rounds = 0
        while rounds < 400:
            rounds += 1
            if rounds == 5:
                os.kill(state[1][0], signal.SIGKILL)
            statuses += await gatherResults(
                [ensureDeferred(self.try_to_ask(emperor)) for _ in range(8)]
            )
            if rounds > 40 and "another one takes its place" in emperor.program.log:
                break
        # Those that it had accepted are lost with it, and no others.
        self.assertLess(statuses.count(0), 9)
        self.assertEqual({0, 200}, {0, *statuses})
        after = await self.both(emperor)
        self.assertNotEqual(state[1][0], after[1][0])
        self.assertEqual(state[2][0], after[2][0])

    async def try_to_ask(self, emperor: Emperor) -> int:
        """
        The status; 0 if the connection broke, but not if it was refused.
        """
        try:
            return (await emperor.fetch("www")).status
        except ConnectionRefusedError:
            raise
        except Exception:
            return 0

    async def test_terminate(self) -> None:
        """
        SIGTERM leaves nothing, with status 0.
        """
        emperor = await self.start_two("fastrouter = %drouter.sock", "fastrouter-workers = 2")
        emperor.program.send(signal.SIGTERM)
        await self.assert_ended(emperor)

    async def test_interrupt(self) -> None:
        """
        So does Ctrl-C, which reaches all processes of a terminal.
        """
        emperor = await self.start_two()
        os.killpg(emperor.program.pid, signal.SIGINT)
        await self.assert_ended(emperor)

    async def assert_ended(self, emperor: Emperor) -> None:
        self.assertEqual(await emperor.program.end(), 0)
        self.assertEqual(self.processes(), [])
        self.assertEqual(list(self.place.glob("*.sock")), [])
        self.assertNotIn("Traceback", emperor.program.log)
        self.assertNotIn("takes its place", emperor.program.log)

    async def test_signals_for_the_group(self) -> None:
        """
        What somebody sends to all processes harms none of them.
        """
        emperor = await self.start_two()
        before = await self.both(emperor)
        for name in (signal.SIGHUP, signal.SIGUSR1, signal.SIGWINCH):
            os.killpg(emperor.program.pid, name)
        for pid, _ in before.values():
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGINT)
        after = await self.both(emperor)
        self.assertEqual({1, 2}, set(after))
        self.assertEqual([pid for pid, _ in before.values()], [pid for pid, _ in after.values()])

    async def test_program_killed(self) -> None:
        """
        If the program is killed its processes leave: the port is free.
        """
        emperor = await self.start_two()
        emperor.program.send(signal.SIGKILL)
        await emperor.program.end()
        await eventually(lambda: not self.processes(), "all have left")

    async def test_request_in_flight(self) -> None:
        """
        A request that runs when the program is told to stop is answered.
        """
        emperor = await self.start_two()
        data = request("www.test", "/sleep?seconds=2")
        pending = ensureDeferred(exchange(emperor.port, data))
        await self.both(emperor, 2)
        emperor.program.send(signal.SIGTERM)
        self.assertEqual(200, read_reply(await pending).status)
        self.assertEqual(await emperor.program.end(), 0)

    async def test_vassal_that_starts(self) -> None:
        """
        Both know that a vassal is starting, and which one.
        """
        emperor = Emperor(self, "http-processes = 2")
        emperor.add("www", "exec-asap = sleep 3")  # before it has its socket
        await emperor.start().listens(emperor.port)
        for _ in range(8):
            reply = await fetch(emperor.port, "www.test")
            self.assertEqual(503, reply.status)
            self.assertIn("vassal www.ini is starting", reply.text)
