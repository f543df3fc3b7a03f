"""
The statistics of a FastRouter, under uWSGI and under us: the same names in the
same order with values of the same types.

Both know the same fixed node, and the same two that have subscribed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, socket
from typing import Any

from emperor.wire.uwsgi import build_packet, encode_variables
from tests.integration.client import exchange, read_reply, request
from tests.integration.programs import ProgramsTestCase, free_port, unavailable
from tests.integration.servers import our_program

#: Names that only some builds of uWSGI have: those with OpenSSL, and the
#: development version.
SOME_BUILDS = {"sni_enabled", "algo", "vassal", "backup", "proto"}
SOME_BUILDS |= {"suspended", "adopted", "attrs"}

#: What is equal, not only of the same type.
EQUAL = {"name", "key", "hash", "modifier1", "modifier2", "cores", "load", "weight"}

#: Read by both programs.
CONFIGURATION = """\
[uwsgi]
master = true
fastrouter = 127.0.0.1:{router}
fastrouter-subscription-server = 127.0.0.1:{servers}
fastrouter-to = 127.0.0.1:1
fastrouter-stats = 127.0.0.1:{stats}
"""

#: Two nodes, by their ports.
PORTS = (3031, 3032)
KEYS = ("foo.com", "bar.com:8080")


def wheel() -> Path:
    """
    The uWSGI of the wheel pyuwsgi, which has the routers.

    @raise SkipTest: there is none.
    """
    path = Path(sys.executable).with_name("uwsgi")
    if not path.exists():
        raise unavailable(f"no {path}; it is made by: pip install pyuwsgi")
    return path


def announced(key: str, port: int) -> bytes:
    """
    The datagram of a node.
    """
    said = {"key": key, "address": f"127.0.0.1:{port}", "modifier1": "5", "modifier2": "6"}
    said |= {"cores": "4", "load": "0", "weight": "3"}
    variables = encode_variables((name.encode(), value.encode()) for name, value in said.items())
    return build_packet(224, variables, 0)


def differences(theirs: Any, ours: Any, where: str = "") -> Iterator[str]:
    """
    What a program that reads theirs could miss in ours.
    """
    if type(theirs) is not type(ours):
        yield f"{where}: {theirs!r} / {ours!r}"
    elif isinstance(theirs, dict):
        common = [name for name in ours if name not in SOME_BUILDS]
        if list(theirs) != common[: len(theirs)]:
            yield f"{where}: {list(theirs)} / {list(ours)}"
        for name in theirs.keys() & ours.keys():
            yield from differences(theirs[name], ours[name], f"{where}/{name}")
    elif isinstance(theirs, list):
        if len(theirs) != len(ours):
            yield f"{where}: {len(theirs)} / {len(ours)} items"
        for number, (one, other) in enumerate(zip(theirs, ours, strict=False)):
            yield from differences(one, other, f"{where}/{number}")
    elif where.rpartition("/")[2] in EQUAL and theirs != ours:
        yield f"{where}: {theirs!r} / {ours!r}"


def by_key(shown: Any) -> Any:
    """
    With pools in one order; uWSGI's is that of its table.
    """
    pools = sorted(shown["subscriptions"], key=lambda pool: str(pool["key"]))
    return {**shown, "subscriptions": pools}


class StatsTests(ProgramsTestCase):
    async def test_names(self) -> None:
        """
        Who reads uWSGI's statistics can read ours.
        """
        theirs, ours = map(json.loads, await self.both())
        self.assertEqual([], list(differences(by_key(theirs), by_key(ours))))

    async def test_http(self) -> None:
        """
        So can who reads them with HTTP.
        """
        theirs, ours = await self.both("stats-http = true", "stats-min = true")
        self.assertEqual(theirs.partition(b"\r\n")[0], ours.partition(b"\r\n")[0])
        for name, value in read_reply(theirs).headers:
            self.assertEqual(value, read_reply(ours).header(name), name)
        for answer in (theirs, ours):
            self.assertNotIn(b"\n", answer.partition(b"\r\n\r\n")[2])

    async def both(self, *options: str) -> list[bytes]:
        """
        What each program shows of the nodes that have subscribed.
        """
        programs: dict[str, list[str | Path]] = {
            "uwsgi": [wheel(), "--die-on-term", "--ini"],
            "emperor": [*our_program(), "--config"],
        }
        return [await self.shown(*each, options) for each in programs.items()]

    async def shown(self, name: str, command: list[str | Path], options: tuple[str, ...]) -> bytes:
        stats, servers = free_port(), free_port()
        configuration = self.place / f"{name}.ini"
        text = CONFIGURATION.format(router=free_port(), stats=stats, servers=servers)
        configuration.write_text("\n".join([text, *options, ""]))
        program = self.start(name, [*command, configuration])
        await program.listens(stats)
        answer = b""
        for _ in range(100):
            with socket(AF_INET, SOCK_DGRAM) as sender:
                for key in KEYS:
                    for port in PORTS:
                        sender.sendto(announced(key, port), ("127.0.0.1", servers))
            answer = await exchange(stats, request("a"))
            if answer.count(b'"death_mark"') == len(KEYS) * len(PORTS):
                return answer
        self.fail(f"{name} does not show the nodes: {answer!r}")
