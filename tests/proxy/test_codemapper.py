"""
Keys whose nodes a function of the administrator's tells.
"""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.addresses import TcpAddress, UnixAddress
from emperor.config.errors import ConfigurationError
from emperor.config.settings import CodeSource, Node
from emperor.interfaces import IKeyMapper
from emperor.proxy import codemapper
from emperor.proxy.alarm import TookTooLong
from emperor.proxy.codemapper import CodeMapper
from emperor.routing.mapping import MapperBroken, MapperUnavailable
from emperor.routing.pools import Pool, Target

#: What the code under test and its test share.
world = SimpleNamespace()

#: Two sites that take turns, and a node for everybody else.
TURNS = """
sites = {
    'a.example': {'nodes': ('127.0.0.1:3031', '192.0.2.100:3032'), 'turn': 0},
    'b.example': {'nodes': ('127.0.0.1:3035,5', '192.0.2.100:3035,5'), 'turn': 0},
}

def get(key):
    if key not in sites:
        return '192.0.2.1:1717'
    site = sites[key]
    node = site['nodes'][site['turn']]
    site['turn'] = (site['turn'] + 1) % len(site['nodes'])
    return node
"""

GUIDE = Path(__file__).parents[2] / "docs" / "howto" / "code-mapper.md"


class CodeMapperTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = world.clock = Clock()
        world.asked = []
        self.logged = self.enterContext(capturedLogs())

    def make(self, code: str, **settings: Any) -> CodeMapper:
        directory = Path(self.mktemp())
        directory.mkdir()
        self.path = directory / "mapper.py"
        shared = f"from {__name__} import world\n"
        self.path.write_text(shared + dedent(code))
        mapper = CodeMapper(CodeSource(str(self.path), "get", **settings), self.clock)
        mapper.start()
        return mapper

    def node(self, found: Pool | Deferred[Pool | None] | None) -> Target | None:
        if isinstance(found, Deferred):
            found = self.successResultOf(found)
        return found.pick(0, ()) if found else None

    def refusal(
        self, mapper: CodeMapper, kind: type[Exception] = MapperBroken, key: str = "a"
    ) -> str:
        return str(self.assertRaises(kind, mapper.lookup, key))

    def warnings(self) -> list[str]:
        return [
            str(event["log_format"]).format_map(event)
            for event in self.logged
            if event.get("log_level") is LogLevel.warn
        ]


class ResultTests(CodeMapperTestCase):
    def test_turns(self) -> None:
        """
        What the function keeps, it keeps: nodes take turns, request by request.
        """
        mapper = self.make(TURNS)
        verifyObject(IKeyMapper, mapper)
        told = [
            str(node.address)
            for key in ("a.example", "a.example", "a.example", "other")
            if (node := self.node(mapper.lookup(key)))
        ]
        self.assertEqual(
            told, ["127.0.0.1:3031", "192.0.2.100:3032", "127.0.0.1:3031", "192.0.2.1:1717"]
        )
        node = self.node(mapper.lookup("b.example"))
        self.assertEqual(node, Node(TcpAddress("127.0.0.1", 3035), 5))

    def test_guide(self) -> None:
        """
        The examples of the guide work.
        """
        turns, _, both = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(), re.S | re.M)
        mapper = self.make(turns)
        told = [self.node(mapper.lookup(key)) for key in ("one.example.com",) * 3]
        self.assertEqual(told[0], told[2])
        self.assertNotEqual(told[0], told[1])
        self.assertIsNone(mapper.lookup("unknown"))
        self.assertIsNotNone(self.node(self.make(both).lookup("a")))

    def test_kinds(self) -> None:
        """
        Plain results come at once; of text, of bytes, and none for a key that
        is unknown.
        """
        mapper = self.make("get = {'t': '/t', 'b': b'/b,5'}.get")
        self.assertEqual(self.node(mapper.lookup("t")), Node(UnixAddress(b"/t")))
        self.assertEqual(self.node(mapper.lookup("b")), Node(UnixAddress(b"/b"), 5))
        self.assertIsNone(mapper.lookup("x"))

    def test_deferred(self) -> None:
        """
        A Deferred and a coroutine are waited for.
        """
        world.answer = Deferred()
        for code in (
            "def get(key): return world.answer",
            "async def get(key): return await world.answer",
        ):
            world.answer = Deferred()
            mapper = self.make(code)
            found = mapper.lookup("a")
            assert isinstance(found, Deferred)
            self.assertNoResult(found)
            world.answer.callback("/a")
            self.assertEqual(self.node(found), Node(UnixAddress(b"/a")))
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_quick(self) -> None:
        """
        A coroutine that does not wait has answered at once.
        """
        found = self.make("async def get(key): return None").lookup("a")
        assert isinstance(found, Deferred)
        self.assertIsNone(self.successResultOf(found))

    def test_senseless(self) -> None:
        """
        A result that is no node is told with the function and the key.
        """
        for result, part in (
            ("''", "no socket address"),
            ("'example'+':http'", "no port"),
            ("'/a|/b:1,x'", "no modifier1"),
            ("3", "a result of type int"),
            ("('/a', 5)", "a result of type tuple"),
            ("(yield)", "a result of type generator"),
        ):
            mapper = self.make(f"def get(key): return {result}")
            text = self.refusal(mapper)
            for expected in (part, f"get() of {self.path} asked for 'a'", "accepted: ADDRESS"):
                self.assertIn(expected, text)

    def test_senseless_later(self) -> None:
        """
        So is one that comes later.
        """
        found = self.make("async def get(key): return 3").lookup("a")
        assert isinstance(found, Deferred)
        self.failureResultOf(found, MapperBroken)


class FailureTests(CodeMapperTestCase):
    def test_exception(self) -> None:
        """
        An exception is this request's error, with the line; the traceback is
        in the log, not for each request.
        """
        mapper = self.make("def get(key):\n    if key == 'a':\n        {}[key]\n    return '/b'\n")
        for _ in range(3):
            self.assertIn("failed in line 4: KeyError: 'a'", self.refusal(mapper))
        self.assertIsNotNone(self.node(mapper.lookup("b")))
        (logged,) = self.flushLoggedErrors(KeyError)
        self.assertIn(str(self.path), logged.getTraceback())
        self.clock.advance(60)
        self.refusal(mapper)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_later_exception(self) -> None:
        """
        So is one of a coroutine, and one of a Deferred, which has no line.
        """
        found = self.make("async def get(key):\n    return 1 / 0").lookup("a")
        assert isinstance(found, Deferred)
        text = str(self.failureResultOf(found, MapperBroken).value)
        self.assertIn("failed in line 3: ZeroDivisionError", text)
        world.answer = Deferred()
        found = self.make("def get(key): return world.answer").lookup("a")
        assert isinstance(found, Deferred)
        world.answer.errback(ValueError("no"))
        text = str(self.failureResultOf(found, MapperBroken).value)
        self.assertIn("ValueError: no", text)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError, ValueError)), 2)

    def test_exit(self) -> None:
        """
        The code cannot end the program.
        """
        for error in (SystemExit, KeyboardInterrupt, GeneratorExit):
            code = f"def get(key): raise {error.__name__}"
            self.refusal(self.make(code))
            found = self.make(f"async {code}").lookup("a")
            assert isinstance(found, Deferred)
            self.failureResultOf(found, MapperBroken)
            self.assertEqual(len(self.flushLoggedErrors(error)), 2)

    def test_many_errors(self) -> None:
        """
        What is remembered of errors has a bound.
        """
        self.patch(codemapper, "MOST_REMARKS", 2)
        mapper = self.make("def get(key): raise type(key, (Exception,), {})")
        for number in range(5):
            self.refusal(mapper, key=f"E{number}")
        self.assertLess(len(mapper._remarked), 3)
        self.assertEqual(len(self.flushLoggedErrors()), 5)

    def test_start(self) -> None:
        """
        Code that cannot be loaded is an error of the configuration.
        """
        self.assertRaises(ConfigurationError, self.make, "get = None + 1")


class SlowTests(CodeMapperTestCase):
    SLOW = """
        from twisted.internet.defer import Deferred
        def get(key):
            world.asked.append(Deferred())
            return world.asked[-1]
        """

    def test_too_late(self) -> None:
        """
        The time is bounded, and what is too late is cancelled.
        """
        mapper = self.make(self.SLOW, timeout=2)
        found = mapper.lookup("a")
        assert isinstance(found, Deferred)
        self.clock.advance(2)
        text = str(self.failureResultOf(found, MapperUnavailable).value)
        self.assertEqual(text, f"get() of {self.path} does not answer within 2 s")
        self.assertTrue(world.asked[0].called)

    def test_waiting(self) -> None:
        """
        So many wait and no more, those included that do not end when they
        should.
        """
        self.patch(codemapper, "MOST_WAITING", 2)
        mapper = self.make(
            """
            from twisted.internet.defer import Deferred
            async def get(key):
                while True:
                    try:
                        world.asked.append(Deferred())
                        return await world.asked[-1]
                    except BaseException as error:
                        if isinstance(error, GeneratorExit):
                            raise
            """
        )
        found = [mapper.lookup("a"), mapper.lookup("b")]
        self.clock.advance(5)
        for one in found:
            assert isinstance(one, Deferred)
            self.failureResultOf(one, MapperUnavailable)
        self.assertIn("2 requests wait", self.refusal(mapper, MapperUnavailable))
        world.asked[-1].callback(None)
        self.assertIsInstance(mapper.lookup("c"), Deferred)
        mapper.stop()

    def test_given_up(self) -> None:
        """
        Who has lost interest cancels the code, too, without a word in the log.
        """
        mapper = self.make(self.SLOW)
        found = mapper.lookup("a")
        assert isinstance(found, Deferred)
        found.cancel()
        self.failureResultOf(found, MapperBroken)
        self.assertTrue(world.asked[0].called)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """
        What waits fails, and no timer is left.
        """
        mapper = self.make(self.SLOW)
        found = [mapper.lookup("a"), mapper.lookup("a")]
        mapper.stop()
        for one in found:
            assert isinstance(one, Deferred)
            self.failureResultOf(one)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_endless(self) -> None:
        """
        A function that does not come back is ended, with its line and its
        traceback; so is a step of a coroutine, also after it has waited.
        """
        for code in (
            "def get(key):\n    while True: pass\n",
            "async def get(key):\n    while True: pass\n",
            "async def get(key):\n    await world.answer; ring()\n",
            """
            async def get(key):
                try:
                    await world.answer
                finally:
                    ring()
            """,
        ):
            world.answer = Deferred()
            mapper = self.make(
                "from signal import SIGALRM, raise_signal\n"
                "def ring(): raise_signal(SIGALRM)\n" + dedent(code),
                timeout=0.01 if "pass" in code else 5,
            )
            try:
                found = mapper.lookup("a")
                assert isinstance(found, Deferred)
                world.answer.callback(None)
                text = str(self.failureResultOf(found, MapperUnavailable).value)
            except MapperUnavailable as error:
                text = str(error)
            self.assertRegex(text, r"does not answer within .* s; it was ended in line \d")
            (logged,) = self.flushLoggedErrors(TookTooLong)
            self.assertIn(str(self.path), logged.getTraceback())

    def test_blocking(self) -> None:
        """
        A function that holds everything up is told of, once a minute.
        """
        mapper = self.make("def get(key): world.clock.advance(float(key))")
        for key in ("0.05", "0.2", "0.3", "60", "0.4"):
            mapper.lookup(key)
        told = self.warnings()
        self.assertEqual(len(told), 2)
        self.assertIn(f"get() of {self.path} has blocked all requests for 0.20 s", told[0])
        self.assertIn("60.00 s", told[1])
