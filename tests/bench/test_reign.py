"""
Tests for L{bench.reign}.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bench.cases import cases
from bench.programs import Program
from bench.reign import Reign, change
from bench.servers import Contender, Who
from bench.tiny import DIRECTORY


class ReignTests(SynchronousTestCase):
    def test_size(self) -> None:
        """
        The case has as many vassals as are asked for.
        """
        case = next(case for case in cases(7) if case.name == "emperor")
        self.assertEqual((7, Reign(7)), (case.arrangement.tiny, case.measurement))
        self.assertEqual((Who.UWSGI,), case.arrangement.rivals())

    def test_change(self) -> None:
        """
        A change is one for everybody: the file is longer.
        """
        place = Path(self.mktemp())
        (place / DIRECTORY).mkdir(parents=True)
        files = [place / DIRECTORY / name for name in ("a.ini", "b.ini")]
        for file in files:
            file.write_text("[uwsgi]\n")
        process: Any = None
        router = Program(process, place / "log", 0)
        change(Contender(Who.UWSGI, 0, router, place), ["a.ini"])
        self.assertNotEqual(*(file.stat().st_size for file in files))
