"""
C{emperor run}: the program as an Emperor starts its vassals.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from twisted.python import usage


class RunOptions(usage.Options):
    """
    The command line behind C{emperor run}, which is that of C{twistd emperor}.

    @ivar words: what was given.
    """

    synopsis = "[--ini FILE | --config FILE] [options of twistd emperor]"

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Leave everything to C{twistd emperor}.
        """
        self.words = list(options or ())

    def run(self) -> None:
        """
        Be C{twistd}, in the foreground and without a file for the process number.
        """
        # twistd chooses the reactor.
        from twisted.scripts.twistd import run  # noqa: PLC0415

        sys.argv = ["twistd", "--nodaemon", "--pidfile=", "emperor", *self.words]
        run()
