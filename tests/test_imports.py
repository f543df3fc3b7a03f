"""
Which package may import which.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parent.parent / "emperor"

#: The modules that start a process of ours.
STARTERS = {"tap.py", "proxy/worker.py"}


def imports(path: Path) -> Iterator[str]:
    """
    The full names that a module imports.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


class ImportTests(SynchronousTestCase):
    def test_without_twisted(self) -> None:
        """
        Wire formats, routing, configuration and the keeper are usable without a
        reactor.
        """
        for package in ("wire", "routing", "config", "keeper"):
            for path in ROOT.joinpath(package).glob("*.py"):
                foreign = [name for name in imports(path) if name.startswith("twisted")]
                self.assertEqual(foreign, [], path)

    def test_reactor(self) -> None:
        """
        Only what starts a process imports the reactor.
        """
        found = {
            path.relative_to(ROOT).as_posix()
            for path in ROOT.rglob("*.py")
            if "twisted.internet.reactor" in imports(path)
        }
        self.assertEqual(found, STARTERS)

    def test_directions(self) -> None:
        """
        Nothing below knows what stands above it.
        """
        above = {
            "wire": ("proxy", "monitors", "subscriptions"),
            "routing": ("proxy", "vassals", "monitors", "subscriptions"),
            "config": ("proxy", "routing", "vassals", "monitors", "subscriptions"),
            "monitors": ("proxy", "routing", "subscriptions"),
            "vassals": ("proxy", "routing", "monitors", "subscriptions"),
            "subscriptions": ("monitors",),
            "keeper": ("proxy", "routing", "vassals", "monitors", "subscriptions", "config"),
            "proxy": ("monitors",),
        }
        # What people look at, and the Emperor above, are seen by tap.py alone.
        alone = ("status", "superior")
        above = {package: (*forbidden, *alone) for package, forbidden in above.items()}
        for package, forbidden in above.items():
            for path in ROOT.joinpath(package).glob("*.py"):
                for name in imports(path):
                    for other in forbidden:
                        self.assertFalse(name.startswith(f"emperor.{other}."), f"{path}: {name}")
