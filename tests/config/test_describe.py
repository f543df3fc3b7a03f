"""
L{emperor.config.describe}
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.describe import describe, redacted
from emperor.config.loading import load
from tests.config.fixtures import ConfigurationCase


class DescribeTests(ConfigurationCase):
    """
    What C{--check} prints.
    """

    def lines(self, text: str) -> list[str]:
        """
        The lines for one section.
        """
        self.write("test.ini", f"[uwsgi]\n{text}")
        return list(describe(load("test.ini", self.surroundings())))

    def test_origins(self) -> None:
        """
        Each setting says where it comes from; a scalar once, a list whole.
        """
        lines = self.lines(
            "http = :1\nhttp = :2\nhttp-timeout = 5\nhttp-timeout = 6\nhttp-to = :3\n"
        )
        for line in (
            "http = :1  (test.ini:2)",
            "http = :2  (test.ini:3)",
            "http-timeout = 6  (test.ini:5)",
            "http-keepalive = 6  (as http-timeout)",
            "http-gracetime = 30  (default)",
            "emperor =  (default)",
        ):
            self.assertIn(line, lines)
        self.assertNotIn("http-timeout = 5  (test.ini:4)", lines)

    def test_absent_routers(self) -> None:
        """
        A router that does not listen is not described.
        """
        lines = self.lines("emperor = /v\n")
        self.assertFalse([line for line in lines if line.startswith(("http", "fastr"))])

    def test_notes(self) -> None:
        """
        The notes stand at the end.
        """
        self.assertEqual(
            self.lines("master\n")[-1], "note: not ours: a uWSGI worker's options: master"
        )

    def test_secrets(self) -> None:
        """
        A password is not printed.
        """
        text = (
            "emperor = glob://u:hush@h/x\nvassals-set = db-key=hush\nhttp = :1\n"
            "http-use-cache = redis://u:hush@h/1?prefix=a\n"
        )
        self.assertNotIn("hush", "\n".join(self.lines(text)))

    def test_subscriptions(self) -> None:
        """
        Subscriptions are described where somebody can subscribe, or there are
        vassals.
        """
        for text, is_there in (
            ("http = :1\nhttp-to = :2", False),
            ("http = :1\nhttp-subscription-server = :2", True),
            ("http = :1\nemperor = /v", True),
            ("emperor = /v", False),
        ):
            lines = self.lines(f"{text}\n")
            self.assertEqual("subscription-algo = wrr  (default)" in lines, is_there, text)


class RedactedTests(SynchronousTestCase):
    """
    Values without secrets.
    """

    def test_redacted(self) -> None:
        """
        Only what is secret is hidden.
        """
        for text, expected in {
            "amqp://me:a:b@c@host/v": "amqp://me:********@host/v",
            "redis://:pw@host": "redis://:********@host",
            "pg://host=h password=pw dbname=d;S": "pg://host=h password=******** dbname=d;S",
            "pg://password='p w' host=h": "pg://password=******** host=h",
            "API_TOKEN=x": "API_TOKEN=********",
            "/etc/vassals/*.ini": "/etc/vassals/*.ini",
            "http://h:80/a": "http://h:80/a",
        }.items():
            self.assertEqual(redacted(text), expected)
