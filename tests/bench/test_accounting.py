"""
Tests for L{bench.accounting}.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.accounting import Memory, Stat, cpu, family, memory, parse_rollup, parse_stat

STAT = "{pid} ({name}) S {parent} 7 7 0 -1 4194560 900 0 0 0 {user} {system} 55 66 20 0 1 0 99\n"

ROLLUP = """\
00400000-7ffd0000 ---p 00000000 00:00 0                          [rollup]
Rss:                 100 kB
Pss:                  60 kB
Pss_Dirty:            10 kB
"""


class ParseTests(SynchronousTestCase):
    def test_stat(self) -> None:
        """
        User and system time count, that of children that ended does not.
        """
        text = STAT.format(pid=8, name="uwsgi", parent=5, user=150, system=50)
        self.assertEqual(Stat(parent=5, cpu=2.0), parse_stat(text, ticks=100))

    def test_name(self) -> None:
        """
        A process may have blanks and brackets in its name.
        """
        text = STAT.format(pid=8, name="a) R 1 (b", parent=5, user=1, system=0)
        self.assertEqual(Stat(parent=5, cpu=0.01), parse_stat(text, ticks=100))

    def test_rollup(self) -> None:
        """
        Memory is in bytes.
        """
        self.assertEqual(Memory(pss=61440, rss=102400), parse_rollup(ROLLUP))


class FamilyTests(SynchronousTestCase):
    """
    A router and what it started.
    """

    def setUp(self) -> None:
        """
        A router with two generations, the vassal that it runs, and a stranger.
        """
        self.proc = Path(self.mktemp())
        self.proc.mkdir()
        (self.proc / "uptime").write_text("1 2\n")
        self.process(5, 1)
        self.process(6, 5)
        self.process(7, 6)
        self.process(8, 6, environment=b"HOME=/\0UWSGI_EMPEROR_FD=9\0")
        self.process(9, 8)
        self.process(10, 1)

    def process(
        self, pid: int, parent: int, command: bytes = b"uwsgi\0", environment: bytes = b"HOME=/\0"
    ) -> None:
        entry = self.proc / str(pid)
        entry.mkdir()
        (entry / "cmdline").write_bytes(command)
        (entry / "environ").write_bytes(environment)
        text = STAT.format(pid=pid, name="uwsgi", parent=parent, user=10_000 * pid, system=0)
        (entry / "stat").write_text(text)
        (entry / "smaps_rollup").write_text(ROLLUP)

    def test_vassals(self) -> None:
        """
        What a router started belongs to it; a vassal does not, nor its processes.
        """
        self.assertEqual([5, 6, 7], family(5, self.proc))

    def test_ended(self) -> None:
        """
        A router that has ended has no figures.
        """
        self.process(11, 1, b"")
        self.assertRaises(ProcessLookupError, family, 11, self.proc)

    def test_sums(self) -> None:
        """
        What its processes use is added up.
        """
        self.assertAlmostEqual(cpu([5], self.proc) * 3, cpu([7, 8], self.proc))
        self.assertEqual(Memory(pss=122880, rss=204800), memory([5, 6], self.proc))
