"""
L{emperor.config.limits}
"""

from __future__ import annotations

import resource
from contextlib import suppress as ignore
from math import inf

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.limits import (
    LIMITS,
    Limit,
    chosen,
    group_limits,
    parse_limit,
    resource_limits,
)
from emperor.config.values import BadValue
from emperor.wire.rights import GroupLimit, ResourceLimit


class LimitsTests(SynchronousTestCase):
    def test_resources(self) -> None:
        """
        Bytes, seconds and counts become numbers; the kernel has all names.
        """
        limits = [
            parse_limit("rlimit-as", "512M"),
            parse_limit("rlimit-nofile", "100"),
            parse_limit("rlimit-cpu", "0.5"),
            parse_limit("rlimit-core", "unlimited"),
            parse_limit("memory-max", "1G"),
        ]
        self.assertEqual(
            resource_limits(limits),
            (
                ResourceLimit("as", 512 * 1024**2),
                ResourceLimit("nofile", 100),
                ResourceLimit("cpu", 1),
                ResourceLimit("core", resource.RLIM_INFINITY),
            ),
        )
        for key in LIMITS:
            if key.startswith("rlimit-"):
                self.assertTrue(hasattr(resource, key.upper().replace("-", "_")), key)

    def test_groups(self) -> None:
        """
        Those of a control group are what its files want.
        """
        limits = [
            parse_limit("memory-max", "1K"),
            parse_limit("memory-high", "unlimited"),
            parse_limit("cpu-max", "150%"),
            parse_limit("pids-max", "7"),
            parse_limit("rlimit-as", "1K"),
        ]
        self.assertEqual(
            group_limits(limits),
            (
                GroupLimit("memory.max", "1024"),
                GroupLimit("memory.high", "max"),
                GroupLimit("cpu.max", "150000 100000"),
                GroupLimit("pids.max", "7"),
            ),
        )
        self.assertEqual(
            group_limits([Limit("cpu-max", inf)]), (GroupLimit("cpu.max", "max 100000"),)
        )

    def test_chosen(self) -> None:
        """
        The last one counts; or the lowest, where the file is not trusted.
        """
        limits = [Limit("pids-max", 5), Limit("rlimit-as", 1), Limit("pids-max", 9)]
        self.assertEqual(chosen(limits, lowest=False), [Limit("pids-max", 9), limits[1]])
        self.assertEqual(chosen(limits, lowest=True), limits[:2])
        unlimited = [Limit("pids-max", 5), Limit("pids-max", inf)]
        self.assertEqual(chosen(unlimited, lowest=True), unlimited[:1])

    def test_bad(self) -> None:
        """
        What is no limit says what is accepted.
        """
        for key, text in (
            ("cpu-max", "50"),
            ("cpu-max", "0%"),
            ("memory-max", "much"),
            ("pids-max", "0"),
            ("rlimit-nofile", "-1"),
        ):
            self.assertIn("accepted", str(self.assertRaises(BadValue, parse_limit, key, text)))

    @given(st.sampled_from(LIMITS), st.text(max_size=20))
    def test_garbage(self, key: str, text: str) -> None:
        """
        Anything else is a bad value.
        """
        with ignore(BadValue):
            parse_limit(key, text)
