"""
A server that is no uWSGI: gunicorn with its uwsgi protocol, announced by our
client, beside a real uWSGI instance.
"""

from __future__ import annotations

import signal
import sys

from tests.integration.client import fetch
from tests.integration.datagrams import subscribe
from tests.integration.nodes import start_router, start_uwsgi
from tests.integration.programs import CHECKOUT, ProgramsTestCase, eventually, free_port
from tests.integration.servers import PROBE, nginx

HOST = "www.test"


class GunicornTests(ProgramsTestCase):
    """
    One pool of different servers.
    """

    async def test_shared_pool(self) -> None:
        """
        Both serve, behind nginx and the FastRouter and over HTTP; when gunicorn
        is told to end it leaves the pool first, and the other serves on.
        """
        fastrouter, http, server = free_port(), free_port(), f"127.0.0.1:{free_port()}"
        other = f"127.0.0.1:{free_port()}"
        router = start_router(
            self,
            f"fastrouter = 127.0.0.1:{fastrouter}",
            f"fastrouter-subscription-server = {server}",
            f"http = 127.0.0.1:{http}",
            f"http-subscription-server = {other}",
        )
        front = await nginx(self, fastrouter)
        await router.says("http takes subscriptions")
        address = f"127.0.0.1:{free_port()}"
        gunicorn = subscribe(
            self,
            *("--server", server, "--server", other, "--key", HOST, "--address", address, "--"),
            *(sys.executable, "-m", "gunicorn", "--protocol", "uwsgi", "--bind", address),
            *(
                "--pythonpath",
                CHECKOUT,
                "--no-control-socket",
                "--env",
                "SITE=gunicorn",
                "tests.integration.probe",
            ),
        )
        uwsgi = start_uwsgi(
            self,
            "uwsgi",
            *("--socket", "127.0.0.1:0", "--master", "--die-on-term", "--wsgi-file", PROBE),
            *("--set", "site=uwsgi", f"--subscribe-to={server}:{HOST}"),
            f"--subscribe-to={other}:{HOST}",
        )
        await eventually(lambda: router.log.count("new node") == 4, "both subscribe to both")
        for port in (front, http):
            replies = [await fetch(port, HOST) for _ in range(4)]
            self.assertEqual([reply.status for reply in replies], [200] * 4)
            self.assertEqual({reply.json["site"] for reply in replies}, {"gunicorn", "uwsgi"})
        gunicorn.send(signal.SIGTERM)
        await gunicorn.end()
        for port in (front, http):
            replies = [await fetch(port, HOST) for _ in range(4)]
            self.assertEqual([reply.status for reply in replies], [200] * 4)
            self.assertEqual({reply.json["site"] for reply in replies}, {"uwsgi"})
        for program in (uwsgi, router):
            await program.stop()
