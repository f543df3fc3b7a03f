"""
curl against the HTTP router: what real clients do with a connection.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from tests.integration.programs import ProgramsTestCase
from tests.integration.servers import Emperor, curl

BIG = 10 * 1024 * 1024


class CurlTests(ProgramsTestCase):
    """
    One site behind the HTTP router, asked by curl.
    """

    async def test_get(self) -> None:
        """
        A plain request has a plain answer.
        """
        await self._serve()
        answer = json.loads(await self._curl(self._url("/page?x=1")))
        self.assertEqual(answer["environ"]["REQUEST_METHOD"], "GET")
        self.assertEqual(answer["environ"]["QUERY_STRING"], "x=1")

    async def test_head(self) -> None:
        """
        HEAD has the headers of GET, and curl does not wait for a body.
        """
        await self._serve()
        text = await self._curl("--head", self._url("/"))
        self.assertRegex(text, r"^HTTP/1\.1 200 OK\r\n")
        self.assertRegex(text, r"(?i)content-length: [1-9]")

    async def test_http_1_0(self) -> None:
        """
        A client of HTTP/1.0 is served.
        """
        await self._serve()
        answer = json.loads(await self._curl("--http1.0", self._url("/")))
        self.assertEqual(answer["environ"]["SERVER_PROTOCOL"], "HTTP/1.0")

    async def test_post_with_expect(self) -> None:
        """
        A large upload that waits for 100 Continue is told to go on, and arrives.
        """
        await self._serve()
        path, digest = self._big_file()
        url = self._url("/")
        answer, log = await self._talk(
            "--verbose", "--header", "Expect: 100-continue", "--data-binary", f"@{path}", url
        )
        self.assertEqual(self._received(answer), (BIG, digest))
        self.assertIn("100 Continue", log)

    async def test_chunked_upload(self) -> None:
        """
        An upload whose size is not known before arrives whole, with a
        Content-Length, as WSGI needs.
        """
        await self._serve()
        path, digest = self._big_file()
        url = self._url("/")
        answer = await self._curl(
            "--header", "Transfer-Encoding: chunked", "--upload-file", path, url
        )
        self.assertEqual(self._received(answer), (BIG, digest))
        self.assertEqual(json.loads(answer)["environ"]["CONTENT_LENGTH"], str(BIG))

    async def test_download(self) -> None:
        """
        Ten megabytes are delivered whole.
        """
        await self._serve()
        target = self.place / "download"
        await self._curl("--output", target, self._url(f"/download?bytes={BIG}"))
        self.assertEqual(target.stat().st_size, BIG)

    async def test_keep_alive(self) -> None:
        """
        Several requests go over one connection, also after an answer without a
        body and one whose length was not known.
        """
        await self._serve()
        urls = [self._url(path) for path in ("/", "/empty", "/headers", "/")]
        _, log = await self._talk("--verbose", "--fail", *urls)
        self.assertEqual(len(re.findall(r"< HTTP/1\.1 20", log)), len(urls))
        self.assertEqual(len(re.findall(r"(?m)^\* Connected to ", log)), 1, log)

    async def test_pieces_arrive_when_they_are_written(self) -> None:
        """
        The beginning of an answer is there while the application still works on
        the rest.
        """
        await self._serve()
        program = self._start("--no-buffer", self._url("/slow?seconds=2"))
        await program.says("begun\n")
        self.assertNotIn("ended", program.log)
        self.assertEqual(await program.end(), 0)
        self.assertIn("ended\n", program.log)

    async def _serve(self) -> None:
        self.emperor = Emperor(self)
        await self.emperor.serve("www")

    def _url(self, target: str) -> str:
        return f"http://www.test:{self.emperor.port}{target}"

    def _big_file(self) -> tuple[Path, str]:
        content = bytes(range(256)) * (BIG // 256)
        path = self.place / "upload"
        path.write_bytes(content)
        return path, hashlib.sha256(content).hexdigest()

    def _received(self, answer: str) -> tuple[int, str]:
        value: dict[str, Any] = json.loads(answer)
        return value["size"], value["sha256"]

    def _start(self, *arguments: str | Path) -> Any:
        return curl(self, "--resolve", f"www.test:{self.emperor.port}:127.0.0.1", *arguments)

    async def _talk(self, *arguments: str | Path) -> tuple[str, str]:
        program = self._start(*arguments)
        self.assertEqual(await program.end(), 0)
        return program.stdout.decode(), program.stderr.decode()

    async def _curl(self, *arguments: str | Path) -> str:
        return (await self._talk(*arguments))[0]
