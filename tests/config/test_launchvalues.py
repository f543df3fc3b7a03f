"""
L{emperor.config.launchvalues}
"""

from __future__ import annotations

from contextlib import suppress as ignore

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.launchvalues import capabilities, namespaces
from emperor.config.values import BadValue


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

    @given(st.text(max_size=30))
    def test_garbage(self, text: str) -> None:
        """
        Anything else is a bad value.
        """
        for parse in (capabilities, namespaces):
            with ignore(BadValue):
                parse(text)
