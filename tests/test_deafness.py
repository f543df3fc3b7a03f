"""
Tests for L{emperor.deafness}.
"""

import signal

from twisted.trial.unittest import SynchronousTestCase

from emperor.deafness import deaf_children


class DeafTests(SynchronousTestCase):
    def test_deaf(self) -> None:
        """
        What is started meanwhile has the signals blocked; we do not.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        with deaf_children():
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        self.assertTrue({signal.SIGTERM, signal.SIGINT, signal.SIGHUP} <= blocked)
        self.assertNotIn(signal.SIGCHLD, blocked)
        self.assertEqual(before, signal.pthread_sigmask(signal.SIG_BLOCK, []))
