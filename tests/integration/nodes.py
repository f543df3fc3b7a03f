"""
Routers with a configuration as somebody wrote it, and real uWSGI instances that
subscribe to them.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.integration.programs import CHECKOUT, Program, ProgramsTestCase
from tests.integration.servers import our_program

UWSGI = Path(sys.executable).with_name("uwsgi")


def start_router(case: ProgramsTestCase, *lines: str, name: str = "router.ini") -> Program:
    """
    Start our program with these lines in its configuration.
    """
    path = case.place / name
    path.write_text("\n".join(["[uwsgi]", f"transport = {case.transport}", *lines, ""]))
    return case.start(
        "emperor",
        [*our_program(), "--config", path],
        environment={"PYTHONPATH": str(CHECKOUT)},
    )


def start_command(case: ProgramsTestCase, *arguments: str | Path) -> Program:
    """
    Start our program with a command line instead of a configuration.
    """
    options = ["--transport", case.transport, *arguments]
    return case.start(
        "emperor", [*our_program(), *options], environment={"PYTHONPATH": str(CHECKOUT)}
    )


def start_uwsgi(case: ProgramsTestCase, name: str, *arguments: str | Path) -> Program:
    """
    Start the uWSGI beside the running Python.

    @param name: for the logs of a test that fails.
    """
    return case.start(name, uwsgi_command(*arguments), gently=False)


def uwsgi_command(*arguments: str | Path) -> list[str | Path]:
    """
    Its command line.
    """
    # The wheel's script executes another interpreter at a reload.
    return [UWSGI, "--set", f"binary-path={sys.executable}", *arguments]


def kill(program: Program) -> None:
    """
    End a program and all its children, without a word: SIGKILL.
    """
    os.killpg(program.pid, signal.SIGKILL)
