"""
What the names of nodes stand for.
"""

from __future__ import annotations

from twisted.internet.interfaces import IHostnameResolver, IHostResolution
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from emperor.proxy.names import (
    MOST_ADDRESSES,
    MOST_NAMES,
    MOST_QUESTIONS,
    OLD,
    PATIENCE,
    RETRY,
    Names,
)
from tests.proxy.naming import FakeResolver

TTL = 5.0
A, B, C = "192.0.2.1", "192.0.2.2", "192.0.2.3"
SIX = "2001:db8::1"


class NamesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.resolver = FakeResolver()
        self.names = Names(self.resolver, self.clock, TTL)
        self.told: list[tuple[str, ...]] = []
        logs = capturedLogs()
        self.events = logs.__enter__()
        self.addCleanup(logs.__exit__, None, None, None)

    def ask(self, host: str = "app") -> list[tuple[str, ...]]:
        """
        Ask once more.

        @return: what was told until now.
        """

        def told(hosts: tuple[str, ...]) -> None:
            self.told.append(hosts)

        self.names.ask(host, told)
        return self.told

    def logged(self, level: LogLevel) -> int:
        return sum(event["log_level"] is level for event in self.events)

    def test_first(self) -> None:
        """
        The first request for a name waits for the answer, and so do others that
        come meanwhile; the resolver is asked once.
        """
        self.ask()
        self.assertEqual(self.ask(), [])
        self.assertEqual([each.name for each in self.resolver.questions], ["app"])
        self.resolver.answer(A)
        self.assertEqual(self.told, [(A,), (A,)])

    def test_at_once(self) -> None:
        """
        A resolver may answer at once.
        """
        self.resolver.known["app"] = [A]
        self.assertEqual(self.ask(), [(A,)])

    def test_remembered(self) -> None:
        """
        During its time to live an answer is good.
        """
        self.ask()
        self.resolver.answer(A)
        self.clock.advance(TTL - 0.1)
        self.assertEqual(self.ask(), [(A,), (A,)])
        self.assertEqual(self.resolver.questions, [])

    def test_renewed(self) -> None:
        """
        Then it is asked for anew, once, and nobody waits for it.
        """
        self.ask()
        self.resolver.answer(A)
        self.clock.advance(TTL)
        self.ask()
        self.assertEqual(self.ask(), [(A,)] * 3)
        self.resolver.answer(B)
        self.assertEqual(self.ask()[3:], [(B,)])
        self.assertEqual(self.resolver.questions, [])

    def test_old(self) -> None:
        """
        What was not asked for in a long time is confirmed before it is used.
        """
        self.ask()
        self.resolver.answer(A)
        self.clock.advance(OLD + 1)
        self.assertEqual(self.ask()[1:], [])
        self.resolver.answer(B)
        self.assertEqual(self.told[1:], [(B,)])

    def test_resolver_fails(self) -> None:
        """
        If the resolver knows nothing any more, the last answer stays, and one
        line is logged.
        """
        self.ask()
        self.resolver.answer(A)
        for _ in range(5):
            self.clock.advance(OLD + 1)
            self.ask()
            self.resolver.answer()
        self.assertEqual(self.told, [(A,)] * 6)
        self.assertEqual(self.logged(LogLevel.warn), 1)
        self.clock.advance(TTL)
        self.ask()
        self.resolver.answer(B)
        self.assertEqual(self.ask()[-1], (B,))
        self.assertEqual(self.logged(LogLevel.info), 2)

    def test_resolver_keeps_silent(self) -> None:
        """
        If it does not answer at all, the last answer is used after a while.
        """
        self.ask()
        self.resolver.answer(A)
        self.clock.advance(OLD + 1)
        self.assertEqual(self.ask()[1:], [])
        self.clock.advance(PATIENCE)
        self.assertEqual(self.ask()[1:], [(A,)])

    def test_unknown(self) -> None:
        """
        A name that has no address has none; it is asked for again soon.
        """
        self.ask()
        self.resolver.answer()
        self.assertEqual(self.ask(), [(), ()])
        self.assertEqual(self.resolver.questions, [])
        self.clock.advance(RETRY)
        self.ask()
        self.resolver.answer(A)
        self.assertEqual(self.told[2:], [(A,)])

    def test_turns(self) -> None:
        """
        Several addresses are used in turn, those of the preferred kind first.
        """
        self.resolver.known["app"] = [B, SIX, A]
        firsts = [self.ask()[-1] for _ in range(4)]
        self.assertEqual({hosts[0] for hosts in firsts}, {A, B})
        self.assertEqual(firsts[0], firsts[2])
        for hosts in firsts:
            self.assertEqual(sorted(hosts), sorted((A, B, SIX)))
            self.assertEqual(hosts[-1], SIX)
        self.resolver.known["six"] = [SIX, A]
        self.assertEqual(self.ask("six")[-1], (SIX, A))

    def test_order_does_not_matter(self) -> None:
        """
        That the resolver turns its answer is no news.
        """
        for hosts in ((A, B, C), (C, A, B)):
            self.ask()
            self.resolver.answer(*hosts)
            self.clock.advance(TTL)
        self.assertEqual(self.logged(LogLevel.info), 1)

    def test_failed(self) -> None:
        """
        An address that did not accept comes last, until the next answer.
        """
        self.resolver.known["app"] = [A, B]
        self.ask()
        self.names.failed("app", A)
        for _ in range(3):
            self.assertEqual(self.ask()[-1], (B, A))
        self.clock.advance(TTL)
        self.assertEqual({self.ask()[-1] for _ in range(2)}, {(A, B), (B, A)})

    def test_given_up(self) -> None:
        """
        Who gives up is not told, and learns what was known.
        """
        told = self.told.append
        self.names.ask("app", told)
        self.assertEqual(self.names.give_up("app", told), ())
        self.resolver.answer(A)
        self.assertEqual(self.told, [])
        self.assertEqual(self.names.give_up("app", told), (A,))

    def test_many_addresses(self) -> None:
        """
        Of very many addresses some are used.
        """
        self.ask()
        self.resolver.answer(*(f"192.0.2.{number}" for number in range(200)))
        self.assertEqual(len(self.told[0]), MOST_ADDRESSES)

    def test_many_names(self) -> None:
        """
        Clients who make up names cannot make us remember all of them.
        """
        for number in range(MOST_NAMES * 2):
            self.resolver.known[f"n{number}"] = [A]
            self.ask(f"n{number}")
        self.assertEqual(len(self.names._names), MOST_NAMES)

    def test_many_questions(self) -> None:
        """
        Nor make the resolver busy with all of them.
        """
        for number in range(MOST_QUESTIONS * 2):
            self.ask(f"n{number}")
        self.assertEqual(len(self.resolver.questions), MOST_QUESTIONS)
        self.assertEqual(self.told, [()] * MOST_QUESTIONS)
        self.resolver.answer(A)
        self.clock.advance(RETRY)
        self.ask("app")
        self.assertEqual(self.resolver.questions[-1].name, "app")

    def test_receiver(self) -> None:
        """
        It listens as resolvers expect it.
        """
        verifyObject(IHostnameResolver, self.resolver)
        self.ask()
        verifyObject(IHostResolution, self.resolver.questions[0])
