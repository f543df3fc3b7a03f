"""
Tests for L{emperor.greeting}.
"""

from __future__ import annotations

import re

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import BorrowedSocket, TcpAddress, UnixAddress
from emperor.config.settings import HostRule, HttpSettings, Origin, RouterSettings
from emperor.greeting import NAMES, Greeting, sites
from emperor.vassals.spec import VassalId
from emperor.vassals.status import Phase, VassalStatus


def rule(pattern: str) -> HostRule:
    return HostRule(re.compile(pattern), "/run/a.sock", 0, 0, Origin("router.ini", 1))


def http(*patterns: str, port: int = 8080) -> HttpSettings:
    rules = tuple(map(rule, patterns))
    return HttpSettings(listen=(TcpAddress("127.0.0.1", port),), rules=rules)


def status(name: str, phase: Phase) -> VassalStatus:
    return VassalStatus(VassalId("dir:///etc/vassals", name), phase)


class SitesTests(SynchronousTestCase):
    """
    Which sites somebody can open.
    """

    def sites(self, *routers: RouterSettings) -> list[str]:
        return list(sites(routers, lambda address: True))

    def test_literal_patterns_are_sites(self) -> None:
        """
        A rule for exactly one host is a site to open.
        """
        found = self.sites(http(r"^www\.example\.com$", r"^my\-site\.org$"))
        self.assertEqual(found, ["http://www.example.com:8080/", "http://my-site.org:8080/"])

    def test_the_usual_port_is_not_shown(self) -> None:
        """
        Port 80 needs no mention.
        """
        self.assertEqual(self.sites(http(r"^a\.org$", port=80)), ["http://a.org/"])

    def test_a_socket_that_was_passed(self) -> None:
        """
        Its port counts as one that we have bound ourselves.
        """
        place = BorrowedSocket(TcpAddress("", 8080), "fd://3")
        router = HttpSettings(listen=(place,), rules=(rule(r"^a\.org$"),))
        self.assertEqual(self.sites(router), ["http://a.org:8080/"])

    def test_sites_whose_vassal_is_down(self) -> None:
        """
        Nobody is sent to a site that does not answer.
        """
        self.assertEqual(list(sites([http(r"^a\.org$")], lambda address: False)), [])

    def test_patterns_for_many_hosts_are_no_sites(self) -> None:
        """
        A pattern that stands for several hosts names none to open.
        """
        self.assertEqual(self.sites(http(r"^([-\w]+)\.example\.com$", r"a\.org$")), [])

    def test_only_http_on_tcp_can_be_opened(self) -> None:
        """
        A browser speaks neither uwsgi nor to UNIX sockets.
        """
        rules = (rule(r"^a\.org$"),)
        uwsgi = RouterSettings(kind="fastrouter", listen=(TcpAddress("", 3031),), rules=rules)
        unix = HttpSettings(listen=(UnixAddress(b"/run/http.sock"),), rules=rules)
        self.assertEqual(self.sites(uwsgi, unix), [])


class GreetingTests(SynchronousTestCase):
    """
    What the log says once all vassals have had their first start.
    """

    later = 0.0
    stopping = False

    def greet(self, *statuses: VassalStatus) -> list[str]:
        up = any(each.phase is Phase.ACCEPTING for each in statuses)
        clock = Clock()
        greeting = Greeting(
            [http(r"^a\.org$")], lambda address: up, clock, lambda: not self.stopping
        )
        with capturedLogs() as events:
            for each in statuses:
                greeting.saw(each)
            clock.advance(self.later)
        return [formatEvent(event) for event in events]

    def test_it_waits_for_the_last_vassal(self) -> None:
        """
        As long as one vassal is starting nothing is said.
        """
        said = self.greet(
            status("a.ini", Phase.STARTING),
            status("b.ini", Phase.STARTING),
            status("a.ini", Phase.ACCEPTING),
        )
        self.assertEqual(said, [])

    def test_it_waits_no_longer_than_ten_seconds(self) -> None:
        """
        A vassal that takes its time, or never speaks, is named as such.
        """
        self.later = 10
        said = self.greet(
            status("a.ini", Phase.STARTING),
            status("s.ini", Phase.STARTING),
            status("a.ini", Phase.ACCEPTING),
        )
        self.assertEqual(
            said, ["Vassals up: a.ini", "Still starting: s.ini", "Open http://a.org:8080/"]
        )

    def test_it_does_not_name_thousands(self) -> None:
        """
        Of very many vassals it names some.
        """
        count = NAMES + 5
        names = [f"{number:03}.ini" for number in range(count)]
        said = self.greet(
            *(status(name, Phase.QUEUED) for name in names),
            *(status(name, Phase.ACCEPTING) for name in names),
        )
        self.assertEqual(said[0], f"Vassals up: {', '.join(names[:NAMES])} and 5 more")

    def test_it_names_only_those_that_are_up_by_then(self) -> None:
        """
        Who was up and has gone, or starts again, is not up.
        """
        self.later = 10
        said = self.greet(
            status("s.ini", Phase.STARTING),
            status("a.ini", Phase.STARTING),
            status("b.ini", Phase.STARTING),
            status("a.ini", Phase.ACCEPTING),
            status("b.ini", Phase.ACCEPTING),
            status("a.ini", Phase.GONE),
        )
        self.assertEqual(said[:2], ["Vassals up: b.ini", "Still starting: s.ini"])

    def test_it_says_nothing_at_the_end(self) -> None:
        """
        A program that is stopping does not greet.
        """
        self.stopping = True
        said = self.greet(
            status("a.ini", Phase.STARTING),
            status("a.ini", Phase.STOPPING),
            status("a.ini", Phase.GONE),
        )
        self.assertEqual(said, [])

    def test_it_names_those_that_are_up_and_what_to_open(self) -> None:
        """
        A vassal that died is settled, too, and is not among those that are up.
        """
        said = self.greet(
            status("b.ini", Phase.QUEUED),
            status("a.ini", Phase.QUEUED),
            status("broken.ini", Phase.STARTING),
            status("b.ini", Phase.ACCEPTING),
            status("broken.ini", Phase.HELD_BACK),
            status("a.ini", Phase.ACCEPTING),
        )
        self.assertEqual(said, ["Vassals up: a.ini, b.ini", "Open http://a.org:8080/"])

    def test_it_greets_once(self) -> None:
        """
        A later reload is no reason to greet again.
        """
        said = self.greet(
            status("a.ini", Phase.STARTING),
            status("a.ini", Phase.ACCEPTING),
            status("a.ini", Phase.RELOADING),
            status("a.ini", Phase.ACCEPTING),
        )
        self.assertEqual(len(said), 2)

    def test_with_nothing_up_there_is_nothing_to_open(self) -> None:
        """
        Nobody is sent to a site that does not answer.
        """
        said = self.greet(status("a.ini", Phase.STARTING), status("a.ini", Phase.HELD_BACK))
        self.assertEqual(said, ["Vassals up: none"])
