"""
A Python file of the administrator's and one function in it: loaded, and loaded
again when the file has changed.  Loading it has the time-out of the function, in
the main thread.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from emperor.config.errors import ConfigurationError, fault
from emperor.config.settings import CodeSource, Origin
from emperor.proxy.alarm import TookTooLong, within

Function = Callable[[str], Any]

#: Seconds between two looks at the file.
LOOK_INTERVAL = 1.0


class CodeFile:
    """
    Gives the function as the file has it.
    """

    _log = Logger()

    def __init__(self, source: CodeSource, clock: IReactorTime) -> None:
        self._source = source
        self._clock = clock
        self._function: Function | None = None
        self._seen: object = None
        self._next_look = 0.0

    def load(self) -> Function:
        """
        Load the file.

        @raise ConfigurationError: it cannot be; says where and why.
        """
        self._next_look = self._clock.seconds() + LOOK_INTERVAL
        self._seen = _fingerprint(self._source.path)
        self._function = _load(self._source)
        return self._function

    def current(self) -> Function:
        """
        The function; if the file has changed, the new one, unless it cannot be
        loaded.

        @raise ConfigurationError: as L{load}, if nothing was loaded yet.
        """
        if self._function is None:
            return self.load()
        if self._clock.seconds() >= self._next_look:
            self._next_look = self._clock.seconds() + LOOK_INTERVAL
            self._look()
        return self._function

    def _look(self) -> None:
        found = _fingerprint(self._source.path)
        if found == self._seen:
            return
        self._seen = found
        try:
            self._function = _load(self._source)
        except ConfigurationError as error:
            cause = error.__cause__
            self._log.failure(
                "{error}; the function that was loaded before stays",
                Failure(cause) if cause is not None else Failure(error),
                error=str(error),
            )
        else:
            self._log.info("{path} is loaded again", path=self._source.path)


def _fingerprint(path: str) -> object:
    """
    What differs after each change of a file; L{None}: there is none.
    """
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev


def _load(source: CodeSource) -> Function:
    path = source.path
    try:
        code = Path(path).read_bytes()
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror}", Origin(path, 0)) from error
    name = f"codemapper_{Path(path).stem}"
    before = sys.modules.get(name)
    module = sys.modules[name] = ModuleType(name)
    module.__file__ = path
    linecache.checkcache(path)
    try:
        within(source.timeout, _run, code, path, module)
        return _function(module, source)
    except ConfigurationError:
        _restore(name, before)
        raise
    except BaseException as error:  # whatever it raises, it must not stop us
        _restore(name, before)
        slow = isinstance(error, TookTooLong)
        why = f"it takes longer than {source.timeout:g} s" if slow else describe(error)
        message = f"cannot be loaded: {why}"
        raise fault(message, Origin(path, line_of(Failure(error), path))) from error


def _run(code: bytes, path: str, module: ModuleType) -> None:
    exec(compile(code, path, "exec", dont_inherit=True), module.__dict__)


def _restore(name: str, module: ModuleType | None) -> None:
    if module is None:
        sys.modules.pop(name, None)
    else:
        sys.modules[name] = module


def _function(module: ModuleType, source: CodeSource) -> Function:
    function: Function | None = getattr(module, source.function, None)
    if function is None:
        raise fault(f"defines no {source.function}", Origin(source.path, 0))
    if not callable(function):
        raise fault(f"{source.function} in it is no function", Origin(source.path, 0))
    return function


def describe(error: BaseException | None) -> str:
    """
    An error of the administrator's code in one line.
    """
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    lines = f"{type(error).__name__}: {text}".splitlines()
    return lines[0][:200].rstrip(": ")


def line_of(failure: Failure, path: str) -> int:
    """
    The line of a file where a failure happened; 0 if it was elsewhere.
    """
    error = failure.value
    if isinstance(error, SyntaxError) and error.filename == path:
        return error.lineno or 0
    line, step = 0, failure.getTracebackObject()
    while step is not None:
        if step.tb_frame.f_code.co_filename == path:
            line = step.tb_lineno
        step = step.tb_next
    return line
