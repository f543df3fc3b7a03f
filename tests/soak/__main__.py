"""
C{python -m tests.soak}: the soaks at length, with a report.
"""

from __future__ import annotations

import argparse
import sys

from tests.run import run
from tests.soak.case import SoakTestCase

#: Seconds beyond the soak itself: the start, and the end of all.
BESIDE = 120

MODULE = "tests.integration.test_soak"


def main() -> int:
    """
    @return: the exit status; 0: nothing failed.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("kind", nargs="?", default="", help="the name of one test of " + MODULE)
    parser.add_argument("--seconds", type=int, default=180, help="of each soak")
    parser.add_argument("--seed", type=int, default=1, help="decides what happens")
    chosen = parser.parse_args()
    SoakTestCase.seed, SoakTestCase.length = chosen.seed, chosen.seconds
    SoakTestCase.pace, SoakTestCase.is_told = 1, True
    SoakTestCase.timeout = chosen.seconds + BESIDE
    return run([f"{MODULE}.SoakTests.{chosen.kind}" if chosen.kind else MODULE])


if __name__ == "__main__":
    sys.exit(main())
