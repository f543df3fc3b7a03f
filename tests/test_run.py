"""
The runner that counts.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.run import _COUNTS, HERE, parts


class PartsTests(SynchronousTestCase):
    def test_everything_once(self) -> None:
        """
        Every test module is in one part and in no other.
        """
        names = [name for part in parts() for name in part]
        self.assertEqual(len(names), len(set(names)))
        for path in HERE.rglob("test_*.py"):
            module = ".".join(["tests", *path.relative_to(HERE).with_suffix("").parts])
            holders = [name for name in names if f"{module}.".startswith(f"{name}.")]
            self.assertEqual(len(holders), 1, module)

    def test_counts(self) -> None:
        """
        The last line of a part is understood, and no other line.
        """
        found = _COUNTS.search(
            "1 passed, 0 failed, 0 skipped\nRan\n12 passed, 3 failed, 4 skipped\n"
        )
        assert found is not None
        self.assertEqual(found.groups(), ("12", "3", "4"))
        self.assertIsNone(_COUNTS.search("1 passed, 0 failed, 0 skipped\nTraceback"))
