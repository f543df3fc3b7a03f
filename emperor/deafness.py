"""
Processes of ours that only the program may end.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

#: What may be sent to all processes of a group, by a terminal or by an init
#: system, and is for the program to decide.
_GROUP_SIGNALS = frozenset(
    {
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGWINCH,
    }
)


@contextmanager
def deaf_children() -> Iterator[None]:
    """
    Processes that are started meanwhile are deaf to signals for a group, from
    their first moment on.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _GROUP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
