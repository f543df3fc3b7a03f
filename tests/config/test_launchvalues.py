"""
L{emperor.config.launchvalues}
"""

from __future__ import annotations

from contextlib import suppress as ignore

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.launchsettings import Grant
from emperor.config.launchvalues import capabilities, command, grant, hook, namespaces
from emperor.config.values import BadValue
from emperor.wire.hooks import Command


class LaunchValuesTests(SynchronousTestCase):
    def test_capabilities(self) -> None:
        """
        Names are numbers of the kernel's, with and without cap_.
        """
        self.assertEqual(capabilities("setgid, CAP_SETUID,checkpoint_restore"), (6, 7, 40))
        error = self.assertRaises(BadValue, capabilities, "setgid,fly")
        self.assertIn("'fly' is no capability; accepted: chown", str(error))

    def test_namespaces(self) -> None:
        """
        uWSGI's words for the same namespace are one.
        """
        self.assertEqual(namespaces("pid,ns, fs,mount,uts"), ("pid", "mount", "uts"))
        self.assertIn("accepted: ipc", str(self.assertRaises(BadValue, namespaces, "space")))

    def test_refused_namespaces(self) -> None:
        """
        What cannot work says why.
        """
        error = self.assertRaises(BadValue, namespaces, "pid,user")
        self.assertIn("user is not in txemperor, because", str(error))

    def test_grant(self) -> None:
        """
        A user and hosts, in lower case.
        """
        self.assertEqual(
            grant("blog: Blog.example.com., *.blog.example.com,localhost"),
            Grant("blog", ("blog.example.com", "*.blog.example.com", "localhost")),
        )
        self.assertEqual(grant("1000:*"), Grant("1000", ("*",)))

    def test_bad_grants(self) -> None:
        """
        What is no user's, or no host, is refused.
        """
        for text in ("blog", ":a", "*:a", "a b:c", "blog:", "blog:a,,b"):
            self.assertRaises(BadValue, grant, text)
        for text in ("root:a", "0:a", "00:a"):
            self.assertIn("no vassal runs as root", str(self.assertRaises(BadValue, grant, text)))
        for word in ("a:80", "a.*", "*a", "a..b", ".a", "a/b", "\xe9.com", "**", "*."):
            error = self.assertRaises(BadValue, grant, f"blog:{word}")
            self.assertIn(f"{word!r} is no host", str(error))

    @given(st.text())
    def test_any_grant(self, text: str) -> None:
        """
        Whatever is written, it is a grant or refused.
        """
        with ignore(BadValue):
            found = grant(text)
            self.assertEqual(found, grant(f"{found.user}:{','.join(found.patterns)}"))

    def test_hook(self) -> None:
        """
        An action is a command for the shell, which the log shows unless it has
        an exclamation mark.
        """
        self.assertEqual(
            hook("hook-as-vassal", "exec:mount -t proc none /proc"),
            Command(
                "hook-as-vassal 'mount -t proc none /proc'",
                ("/bin/sh", "-c", "mount -t proc none /proc"),
            ),
        )
        self.assertEqual(
            hook("hook-as-vassal", "!exec:secret"),
            Command("hook-as-vassal", ("/bin/sh", "-c", "secret")),
        )
        self.assertLess(len(hook("h", "exec:" + "x" * 500).name), 80)

    def test_other_actions(self) -> None:
        """
        Other actions are refused with what can be done instead.
        """
        for text in ("mount:none /shared", "call:f", "!mount:x", "exec", "exec: "):
            error = self.assertRaises(BadValue, hook, "hook-as-vassal", text)
            self.assertIn("accepted: exec:COMMAND", str(error))

    def test_command(self) -> None:
        """
        A command is one line for the shell.
        """
        self.assertEqual(
            command("exec-as-vassal", "a | b"),
            Command("exec-as-vassal 'a | b'", ("/bin/sh", "-c", "a | b")),
        )
        self.assertRaises(BadValue, command, "exec-as-vassal", " ")

    @given(st.text(max_size=30))
    def test_garbage(self, text: str) -> None:
        """
        Anything else is a bad value.
        """
        for parse in (capabilities, namespaces):
            with ignore(BadValue):
                parse(text)
        with ignore(BadValue):
            hook("hook-as-vassal", text)
