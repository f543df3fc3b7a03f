"""
C{python -m tests.run NAME...}: trial on these modules and packages, then one
line for machines: C{N passed, N failed, N skipped}.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import cast

from twisted.trial.reporter import TestResult, VerboseTextReporter
from twisted.trial.runner import TestLoader, TrialRunner


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


def main(names: Sequence[str]) -> int:
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
