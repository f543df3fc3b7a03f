"""
C{python -m emperor.keeper}, started by L{emperor.vassals.keeping}, and of no use
to anybody else.

Descriptor L{ORDERS} is the socket for orders, L{NEWS} the pipe for news; what is
printed goes to the program's log.
"""

from __future__ import annotations

import os
from socket import socket

from emperor.keeper.groups import Groups, find_place
from emperor.keeper.keeper import Keeper
from emperor.keeper.kernel import adopt_orphans

#: The descriptors that it is started with.
ORDERS = 3
NEWS = 4


def main() -> None:
    """
    Be the keeper.
    """
    os.setsid()
    adopt_orphans()
    for descriptor in (ORDERS, NEWS):
        os.set_inheritable(descriptor, False)
    Keeper(socket(fileno=ORDERS), NEWS, Groups(find_place())).run()


if __name__ == "__main__":
    main()
