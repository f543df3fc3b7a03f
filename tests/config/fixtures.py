"""
What the tests of the configuration share.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.errors import ConfigurationError, all_of
from emperor.config.loading import evaluate_file, load
from emperor.config.settings import Origin, Settings
from emperor.config.surroundings import Surroundings

#: No input may keep a parser busy for longer, even on a loaded machine.
BOUNDED = timedelta(seconds=10)

HERE = Origin("test.ini", 7)


class ConfigurationCase(SynchronousTestCase):
    """
    A test with files in a directory of its own.

    It is not below the checkout: C{sun_path} ends at 107 bytes, and a socket
    beside a vassal's file must fit however deep the project lies.
    """

    def setUp(self) -> None:
        self.cwd = os.path.realpath(tempfile.mkdtemp(prefix="emperor-"))
        self.addCleanup(shutil.rmtree, self.cwd, ignore_errors=True)

    def write(self, name: str, content: str | bytes, mode: int = 0o644) -> str:
        """
        Make a file and return its name.
        """
        path = os.path.join(self.cwd, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(path, mode)
        return name

    def surroundings(self, environ: Mapping[str, str] | None = None, **facts: Any) -> Surroundings:
        """
        A machine named C{box} on which we stand in the test's directory.
        """
        facts = {"hostname": "box", "uid": os.getuid(), **facts}
        return Surroundings(cwd=self.cwd, environ=environ or {"PATH": os.defpath}, **facts)

    def read(self, text: str, name: str = "test.ini", **facts: Any) -> list[tuple[str, str]]:
        """
        The keys and values of a C{[uwsgi]} section.
        """
        self.write(name, f"[uwsgi]\n{text}" if name.endswith(".ini") else text)
        found = evaluate_file(name, self.surroundings(**facts))
        if found.problems:
            raise all_of(found.problems)
        return [(pair.key, pair.value) for pair in found.pairs]

    def settings(self, text: str, **facts: Any) -> Settings:
        """
        The settings of a C{[uwsgi]} section.
        """
        self.write("test.ini", f"[uwsgi]\n{text}")
        return load("test.ini", self.surroundings(**facts)).settings

    def refused(self, function: Callable[..., Any], *args: Any, **named: Any) -> list[str]:
        """
        The problems that a call ends with, as they are printed.
        """
        error = self.assertRaises(ConfigurationError, function, *args, **named)
        return str(error).split("\n")

    def assert_refused(self, expected: str, function: Callable[..., Any], *args: Any) -> None:
        """
        Assert that a call ends with one problem that has C{expected} in it.
        """
        problems = self.refused(function, *args)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(expected, problems[0])
