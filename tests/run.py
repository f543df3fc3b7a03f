"""
C{python -m tests.run NAME...}: trial on these modules and packages, then one
line for machines: C{N passed, N failed, N skipped}.

C{python -m tests.run tests}, everything, is run in parts beside each other:
integration tests mostly wait for other programs.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, cast

from twisted.trial.reporter import TestResult, VerboseTextReporter
from twisted.trial.runner import TestLoader, TrialRunner

HERE = Path(__file__).parent

#: Packages whose tests mostly wait for other programs.
WAITING = ("integration", "conformance")

#: Parts of them that run beside each other, and all the rest.
PARTS = 4

_COUNTS = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped\s*\Z")


def summary(result: TestResult) -> str:
    """
    Count what trial recorded.

    A test that was expected to fail and did counts as passed; one that
    succeeded against the expectation has failed.
    """
    passed = result.successes + len(result.expectedFailures)
    return f"{passed} passed, {failed(result)} failed, {len(result.skips)} skipped"


def failed(result: TestResult) -> int:
    """
    How many tests, and modules that could not be loaded, did not pass.
    """
    return len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)


def parts(here: Path = HERE) -> list[list[str]]:
    """
    The names of everything below C{here}, each in one part.
    """
    paths = sorted(path for name in WAITING for path in (here / name).glob("test_*.py"))
    slow = [f"tests.{path.parent.name}.{path.stem}" for path in paths]
    found = [slow[n::PARTS] for n in range(PARTS)]
    packages = [path.parent.name for path in here.glob("*/__init__.py")]
    modules = [path.stem for path in here.glob("test_*.py")]
    rest = sorted(f"tests.{name}" for name in (*packages, *modules) if name not in WAITING)
    return [*found, rest]


def run(names: Sequence[str]) -> int:
    """
    Run the tests and print the count as the very last line.

    @return: the exit status.
    """
    suite = TestLoader().loadByNames(list(names), recurse=True)
    result = cast(TestResult, TrialRunner(VerboseTextReporter).run(suite))
    sys.stderr.flush()
    print(summary(result), flush=True)
    nothing_ran = not result.testsRun
    return 1 if failed(result) or nothing_ran else 0


def run_beside(all_names: Iterable[Sequence[str]]) -> int:
    """
    Run several parts at the same time and print what each printed, and their
    sum as the very last line.

    @return: the exit status.
    """
    started: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []
    for names in all_names:
        output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        command = [sys.executable, "-m", "tests.run", *names]
        started.append((subprocess.Popen(command, stdout=output, stderr=output), output))
    totals, status = [0, 0, 0], 0
    for process, output in started:
        status = process.wait() or status
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
        print(text, flush=True)
        counts = _COUNTS.search(text)
        if counts is None:  # it did not come to its end
            totals[1] += 1
            status = status or 1
        else:
            totals = [
                total + int(count) for total, count in zip(totals, counts.groups(), strict=True)
            ]
    print("{} passed, {} failed, {} skipped".format(*totals), flush=True)
    return 1 if status or totals[1] else 0


def main(names: Sequence[str]) -> int:
    """
    Run what is named.

    @return: the exit status.
    """
    return run_beside(parts()) if list(names) == ["tests"] else run(names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
