"""
nginx in front: it speaks uwsgi to the FastRouter, which asks the vassals.
"""

from __future__ import annotations

import hashlib

from tests.integration.client import fetch
from tests.integration.programs import ProgramsTestCase
from tests.integration.servers import Emperor, debian_uwsgi, nginx

BIG = 10 * 1024 * 1024


class NginxTests(ProgramsTestCase):
    """
    nginx does not notice that the FastRouter is not uWSGI's, except by its errors.
    """

    async def test_hosts(self) -> None:
        """
        Two server names are answered by two sites, and the third by the last rule.
        """
        _, port = await self._serve("www", "shop", "blog")
        for name in ("www", "shop", "blog"):
            self.assertEqual((await fetch(port, f"{name}.test")).json["site"], name)

    async def test_variables(self) -> None:
        """
        What nginx says of the request reaches the application unchanged.
        """
        _, port = await self._serve("www")
        environ = (await fetch(port, "www.test", "/a%20b?c=d%20e")).json["environ"]
        self.assertEqual(environ["PATH_INFO"], "/a b")
        self.assertEqual(environ["QUERY_STRING"], "c=d%20e")
        self.assertEqual(environ["SERVER_PORT"], str(port))

    async def test_upload(self) -> None:
        """
        Ten megabytes arrive whole.
        """
        _, port = await self._serve("www")
        body = bytes(range(256)) * (BIG // 256)
        reply = await fetch(port, "www.test", method="POST", body=body)
        self.assertEqual(reply.json["sha256"], hashlib.sha256(body).hexdigest())

    async def test_download(self) -> None:
        """
        Ten megabytes are delivered whole.
        """
        _, port = await self._serve("www")
        reply = await fetch(port, "www.test", f"/download?bytes={BIG}")
        self.assertEqual(len(reply.body), BIG)

    async def test_errors_pass(self) -> None:
        """
        Our 404 and 503 come through nginx as they are; uWSGI's silence would be
        a 502.
        """
        _, port = await self._serve()
        self.assertEqual((await fetch(port, "no.such.test")).status, 404)
        self.assertEqual((await fetch(port, "www.test")).status, 503)

    async def test_debian_vassals(self) -> None:
        """
        The vassals may be those of Debian's uWSGI.
        """
        emperor, port = await self._serve("www", options=[f"binary-path = {debian_uwsgi()}"])
        self.assertEqual((await fetch(port, "www.test")).json["site"], "www")
        self.assertIn("debian", emperor.program.log)

    async def _serve(self, *names: str, options: list[str] | None = None) -> tuple[Emperor, int]:
        emperor = Emperor(self, *(options or []))
        port = await nginx(self, emperor.fastrouter_port)
        await emperor.serve(*names)
        return emperor, port
