"""
The names of our options against those that the uWSGIs on this machine have.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.names import NEEDLESS, REFUSED
from emperor.config.options import OPTIONS
from tests.integration.servers import debian_uwsgi, reference_uwsgi

#: What uWSGI has in its development version, after all releases.
DEVELOPMENT = {
    "emperor-chdir-attr",
    "emperor-collect-attr",
    "emperor-collect-attribute",
    "emperor-command-socket",
    "emperor-subreaper",
    "emperor-tyrant-initgroups",
    "emperor-wait-for-command",
    "emperor-wait-for-command-ignore",
    "emperor-wrapper-attr",
    "fastrouter-defer-connect-timeout",
    "fastrouter-emperor-socket",
    "fastrouter-force-key",
    "fastrouter-max-retries",
    "hook-as-emperor-before-vassal",
    "hook-as-on-config-vassal",
    "hook-as-on-demand-vassal",
    "hook-as-vassal-before-drop",
    "http-post-buffering",
    "http-post-buffering-dir",
    "subscription-clear-on-shutdown",
    "subscription-mountpoint",
    "subscription-mountpoints",
    "subscription-tolerance-inactive",
    "subscription-vassal-required",
}

_NAME = re.compile(r"^ +(?:-.\|)?--([\w-]+)|^ +-.\|--([\w-]+)", re.M)


def names(program: Path) -> set[str]:
    """
    The names that a uWSGI prints for C{--help}.
    """
    done = subprocess.run([program, "--help"], capture_output=True, timeout=30, check=False)
    return {first or second for first, second in _NAME.findall(done.stdout.decode())}


class OptionTests(SynchronousTestCase):
    """
    An option is uWSGI's, under its names, or marked as ours.
    """

    def setUp(self) -> None:
        # The one has the routers built in, the other one always has OpenSSL.
        self.theirs = names(reference_uwsgi()) | names(debian_uwsgi())

    def test_theirs(self) -> None:
        """
        What is not marked exists there, under each name.
        """
        claimed = {name for option in OPTIONS if not option.ours for name in option.names}
        self.assertEqual(DEVELOPMENT, {*claimed, *REFUSED, *NEEDLESS} - self.theirs)

    def test_ours(self) -> None:
        """
        What is marked does not.
        """
        marked = {name for option in OPTIONS if option.ours for name in option.names}
        self.assertEqual(set(), marked & (self.theirs | DEVELOPMENT))
