"""
Tests for L{emperor.status.emperorstats}.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import TcpAddress, UnixAddress
from emperor.config.attributes import Attributes
from emperor.config.doorways import Doorway
from emperor.config.launchsettings import LaunchSettings
from emperor.config.settings import EmperorSettings
from emperor.status.emperorstats import EmperorState, describe, monitor_name
from emperor.status.jsontext import pieces
from emperor.testing.vassals import make_spec
from emperor.vassals.memoirs import Memoirs
from emperor.vassals.status import Phase, Rest, VassalStatus
from emperor.vassals.view import SourceView, VassalView
from emperor.wire.rights import User

SETTINGS = EmperorSettings(monitors=("dir:///v",))
SPEC = make_spec("a.ini", modified=1700000000.9)
STATUS = VassalStatus(SPEC.id, Phase.ACCEPTING, since=1700000005.5)
VIEW = VassalView(STATUS, SPEC, None, 0, frozenset())

#: uWSGI's names, those of its development version among them.
NAMES = (
    "id pid born last_mod last_heartbeat loyal ready accepting last_loyal last_ready"
    " last_accepting first_run last_run cursed zerg on_demand suspended adopted uid gid monitor"
    " attrs respawns"
)

#: Whatever a vassal can print or be called.
TEXTS = st.binary(max_size=40).map(lambda text: text.decode("utf-8", "surrogateescape"))


class EmperorStatsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.memoirs = Memoirs()

    def shown(self, *views: VassalView, settings: EmperorSettings = SETTINGS) -> Any:
        """
        What a reader gets.
        """
        sources = (SourceView(SPEC.id.monitor, len(views), ""), SourceView("own", 1, "away"))
        state = EmperorState(settings, sources, views, self.memoirs)
        return json.loads(b"".join(pieces(describe(state), minified=True)))

    def vassal(self, **changes: Any) -> Any:
        """
        How one with such a status is shown.
        """
        status = replace(STATUS, **changes)
        self.memoirs.saw(status)
        (found,) = self.shown(replace(VIEW, status=status))["vassals"]
        return found

    def test_names(self) -> None:
        """
        uWSGI's names are first, in its order; ours follow.
        """
        found = self.shown(VIEW)
        self.assertEqual(
            "version pid uid gid cwd emperor emperor_tyrant throttle_level vassals blacklist"
            " monitors",
            " ".join(found),
        )
        self.assertEqual(["/v"], found["emperor"])
        (vassal,) = found["vassals"]
        self.assertTrue(" ".join(vassal).startswith(NAMES + " phase "))
        self.assertEqual("/v", vassal["monitor"])
        self.assertEqual([], found["blacklist"])
        monitors = [(each["monitor"], each["trouble"]) for each in found["monitors"]]
        self.assertEqual([("/v", ""), ("own", "away")], monitors)

    def test_zerg(self) -> None:
        """
        A zerg is told from a vassal of its own.
        """
        zerg = replace(SPEC, parent=SPEC.id, number=3)
        found = self.shown(VIEW, replace(VIEW, spec=zerg))["vassals"]
        self.assertEqual([0, 1], [vassal["zerg"] for vassal in found])

    def test_running(self) -> None:
        """
        One that runs has its times in whole seconds.
        """
        self.memoirs.has_started(SPEC, User(7, 8))
        found = self.vassal(pid=9, loyal_at=1700000006.9, accepted_at=1700000005.5, reloads=2)
        wanted = {
            "id": "a.ini",
            "pid": 9,
            "born": 1700000000,
            "last_mod": 1700000000,
            "loyal": 1,
            "ready": 1,
            "accepting": 1,
            "last_loyal": 1700000006,
            "last_accepting": 1700000005,
            "cursed": 0,
            "uid": 7,
            "gid": 8,
            "respawns": 2,
            "phase": "accepting",
        }
        self.assertEqual(wanted, {name: found[name] for name in wanted})

    def test_not_running(self) -> None:
        """
        One that does not run has no pid; it will be the program's, or its owner's,
        who is not known yet.
        """
        found = self.vassal(phase=Phase.ASLEEP)
        self.assertEqual((-1, 0, 0), (found["pid"], found["ready"], found["accepting"]))
        self.assertNotEqual(-1, found["uid"])
        tyrant = replace(SETTINGS, launch=LaunchSettings(tyrant=True))
        shown = self.shown(VIEW, settings=tyrant)
        self.assertEqual((1, -1), (shown["emperor_tyrant"], shown["vassals"][0]["uid"]))

    def test_suspended(self) -> None:
        """
        One that waits for a command, or was stopped by one, is suspended; one that
        sleeps for another reason is not.
        """
        for rest, suspended in ((Rest.NONE, 0), (Rest.COMMAND, 1), (Rest.STOPPED, 1)):
            found = self.vassal(phase=Phase.ASLEEP, rest=rest)
            self.assertEqual(suspended, found["suspended"])

    def test_leaving(self) -> None:
        """
        One that was asked to leave is cursed since then.
        """
        self.assertEqual(1700000005, self.vassal(phase=Phase.STOPPING)["cursed"])

    def test_doors(self) -> None:
        """
        Only a socket that wakes its vassal is one of C{on_demand}.
        """
        address = UnixAddress(b"/run/a.sock")
        view = replace(VIEW, addresses=frozenset({address, TcpAddress("", 80)}))
        for on_demand, said in ((True, "/run/a.sock"), (False, "")):
            view = replace(view, doorway=Doorway(address, on_demand))
            (found,) = self.shown(view)["vassals"]
            self.assertEqual((said, "/run/a.sock"), (found["on_demand"], found["door"]))
            self.assertEqual(["/run/a.sock", ":80"], found["addresses"])

    def test_deaths(self) -> None:
        """
        One that died unloyal is on the list, with its wait in milliseconds.
        """
        died = replace(
            STATUS, phase=Phase.HELD_BACK, failures=3, retry_at=1700000007.75, ending="exit code 1"
        )
        self.memoirs.saw(died)
        shown = self.shown(VIEW, replace(VIEW, status=died))
        self.assertEqual(
            [
                {
                    "id": "a.ini",
                    "throttle_level": 2250,
                    "attempt": 2,
                    "first_attempt": 1700000005,
                    "last_attempt": 1700000005,
                }
            ],
            shown["blacklist"],
        )
        self.assertEqual("exit code 1", shown["vassals"][1]["ending"])
        loyal = replace(died, phase=Phase.ACCEPTING, loyal_at=1700000009)
        self.assertEqual([], self.shown(replace(VIEW, status=loyal))["blacklist"])

    def test_attributes(self) -> None:
        """
        Each key has all its values.
        """
        pairs = (("a", "1"), ("b", "x"), ("a", "2"))
        self.memoirs.has_read(SPEC, Attributes(collected=pairs))
        self.assertEqual({"a": ["1", "2"], "b": ["x"]}, self.vassal()["attrs"])

    def test_secrets(self) -> None:
        """
        Passwords of monitors are not shown.
        """
        self.assertEqual("/v/*.ini", monitor_name("glob:///v/*.ini"))
        for text in ("mongodb://u:geheim@h/db", "pg://host=h password=geheim dbname=d"):
            settings = EmperorSettings(monitors=(text,))
            source = SourceView(text, 0, f"{text} is away")
            spec = make_spec("a.ini", monitor=text)
            view = replace(VIEW, status=replace(STATUS, id=spec.id), spec=spec)
            state = EmperorState(settings, (source,), (view,), self.memoirs)
            shown = b"".join(pieces(describe(state), minified=False))
            self.assertNotIn(b"geheim", shown)
            self.assertIn(text[:5].encode(), shown)

    @given(TEXTS, TEXTS, TEXTS)
    def test_anything(self, name: str, said: str, value: str) -> None:
        """
        Whatever a vassal is called, prints and has in its file, it is JSON.
        """
        spec = make_spec(name, directory=said)
        status = replace(STATUS, id=spec.id, said=(said,), trouble=said, ending=said)
        self.memoirs.has_read(spec, Attributes(collected=((name, value),)))
        json.dumps(self.shown(replace(VIEW, status=status, spec=spec))).encode("utf-8")

    def test_pieces(self) -> None:
        """
        Vassals are read as far as the text is.
        """
        read: list[int] = []

        def views() -> Any:
            for number in range(500):
                read.append(number)
                yield replace(VIEW, status=replace(STATUS, failures=1))

        self.memoirs.saw(replace(STATUS, phase=Phase.HELD_BACK, failures=1))
        state = EmperorState(SETTINGS, (), views(), self.memoirs)
        text = pieces(describe(state), minified=False)
        first = next(text)
        self.assertLess(len(read), 100)
        whole = json.loads(first + b"".join(text))
        self.assertEqual((500, 500), (len(whole["vassals"]), len(whole["blacklist"])))
