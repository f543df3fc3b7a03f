"""
A router's decisions for a request.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from emperor.proxy.refusals import Reason
from emperor.proxy.router import Refused, Router
from tests.proxy.dialogue import FASTROUTER, NODE, Dialogue


class PoolTests(SynchronousTestCase):
    def router(self, **changes: Any) -> Router:
        dialogue = Dialogue(replace(FASTROUTER, **changes))
        self.addCleanup(dialogue.router.deadlines.stop)
        return dialogue.router

    def reason(self, router: Router, host: bytes) -> Reason:
        refused: Refused = self.assertRaises(Refused, router.pool_for, host)
        return refused.refusal.reason

    def test_found(self) -> None:
        """
        A host that the configuration knows has a pool.
        """
        self.assertEqual(self.router().pool_for(b"A:80").pick(0, ()), NODE)

    def test_unknown(self) -> None:
        """
        A host that nobody knows is refused, and named as it was sent.
        """
        refused = self.assertRaises(Refused, self.router(to=()).pool_for, b"A:80")
        self.assertEqual(refused.refusal.reason, Reason.UNKNOWN_HOST)
        self.assertEqual(refused.refusal.host, "A:80")
        self.assertIn("the host a", refused.refusal.detail)

    def test_bad(self) -> None:
        """
        A host that is none, or that is unsafe, is refused.
        """
        router = self.router(base="/run")
        for host in (b"", b"\xff", b"a/b", b"a..b", b"[::1]"):
            self.assertEqual(self.reason(router, host), Reason.BAD_HOST)

    def test_raw(self) -> None:
        """
        raw-host-key keeps the host as it was sent.
        """
        for raw, path in ((True, "/run/A"), (False, "/run/a")):
            pool = self.router(base="/run", raw_host_key=raw).pool_for(b"A")
            node = pool.pick(0, ())
            assert node is not None
            self.assertEqual(str(node.address), path)
