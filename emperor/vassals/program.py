"""
Which uWSGI a vassal runs.

The program of the option C{binary-path} if there is one; else the C{uwsgi}
beside the running Python, where C{pip} puts it; else the first one on PATH.

The wheel C{pyuwsgi} installs a Python script.  On a reload it executes its
binary again, and takes that to be the interpreter behind the virtual
environment, which does not know the environment's packages; naming the
environment's own interpreter as C{binary-path} makes reloads work.
"""

from __future__ import annotations

import os
import re
import shutil
import sys

from emperor.vassals.commandline import Program

ADVICE = "pip install txemperor[uwsgi], or write binary-path = /path/to/uwsgi"

#: C{#!/venv/bin/python3}, or pip's form for long paths: C{'''exec' "/venv/bin/python3"}.
_INTERPRETER = re.compile(rb"(?:^#!\s*|^'''exec'\s+\"?)(/[^\"\n]*?python[^\s\"/]*)", re.MULTILINE)

#: Bytes of a script in which its interpreter is named.
_HEAD = 1024


class NoProgram(Exception):
    """
    There is no uWSGI to run; the text says what to do.
    """


def find_program(
    binary: str = "", beside: str = sys.executable, path: str | None = None
) -> Program:
    """
    Find what a vassal executes.

    @param binary: the option C{binary-path}; empty if it is not set.
    @param beside: the interpreter in whose directory C{uwsgi} is looked for.
    @param path: directories as in the variable PATH; L{None} for our own.
    @raise NoProgram: there is none, or it cannot be executed.
    """
    if binary:
        return _from_option(binary, path)
    neighbour = os.path.join(os.path.dirname(beside), "uwsgi")
    found = neighbour if _is_executable(neighbour) else shutil.which("uwsgi", path=path)
    if found is None:
        raise NoProgram(f"no uwsgi beside {beside} and none on PATH: {ADVICE}")
    return named_program(os.path.abspath(found))


def named_program(path: str) -> Program:
    """
    What a vassal executes whose program is known already: C{emperor-wrapper}, or what
    its file names.
    """
    interpreter = _interpreter_of(path)
    if interpreter is None:
        return Program(path)
    return Program(path, ("--set", f"binary-path={interpreter}"))


def _from_option(binary: str, path: str | None) -> Program:
    found = shutil.which(binary, path=path)
    if found is None:
        raise NoProgram(f"binary-path = {binary}: no such program: {ADVICE}")
    return named_program(os.path.abspath(found))


def _is_executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _interpreter_of(path: str) -> str | None:
    """
    The interpreter of the script that C{pyuwsgi} installs; L{None} for any
    other program.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    if not head.startswith(b"#!") or b"pyuwsgi" not in head:
        return None
    named = _INTERPRETER.search(head)
    return os.fsdecode(named.group(1)) if named else None
