"""
The C{emperor} command.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol, cast

from twisted.python import usage

from emperor import __version__
from emperor.announcing.command import SubscribeOptions
from emperor.commanding.command import CommandOptions
from emperor.running import RunOptions


class _Command(Protocol):
    """
    The options of one of the commands below.
    """

    def run(self) -> None:
        """
        Do it; L{SystemExit} has the status.
        """


class Options(usage.Options):
    """
    The command line up to the name of a command.
    """

    longdesc = "In the background the server is started by: twistd emperor --config FILE"
    subCommands = [
        ["run", None, RunOptions, "Run the server in the foreground, as an Emperor's vassal too."],
        ["subscribe", None, SubscribeOptions, "Announce a node to subscription servers."],
        ["command", None, CommandOptions, "Start, reload or stop a vassal of a running Emperor."],
    ]

    def getSynopsis(self) -> str:
        """
        The first line of the help; that of a command goes on with its own.
        """
        return "emperor" if self.subCommand else "emperor COMMAND [options]"

    def opt_version(self) -> None:
        """
        Print the version and leave.
        """
        print(f"txemperor {__version__}")
        raise SystemExit(0)

    def postOptions(self) -> None:
        """
        There is nothing to do without a command.
        """
        if self.subCommand is None:
            raise usage.UsageError("which command? emperor --help lists them")


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run a command.

    @param arguments: without the program's name; L{None}: those of this process.
    @raise SystemExit: at the end, if it is not simply a success.
    """
    options = Options()
    try:
        options.parseOptions(sys.argv[1:] if arguments is None else list(arguments))
    except usage.UsageError as error:
        raise SystemExit(f"emperor: {error}") from error
    cast(_Command, options.subOptions).run()


if __name__ == "__main__":
    main()
