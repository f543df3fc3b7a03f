"""
L{emperor.config.names}
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.classify import STRUCTURE
from emperor.config.names import ABSENT, NEEDLESS, REFUSED, UNSUPPORTED, WORKER
from emperor.config.options import BY_NAME

#: uWSGI's options about the Emperor and vassals, those of 2.1 among them.
EMPEROR = """
    binary-path call-as-emperor call-as-emperor1 call-as-emperor2 call-as-emperor4
    call-as-vassal call-as-vassal1 call-as-vassal3 die-on-idle early-emperor emperor
    emperor-broodlord emperor-cap emperor-chdir-attr emperor-collect-attr
    emperor-collect-attribute emperor-command-socket emperor-curse-tolerance
    emperor-extra-ext emperor-extra-extension emperor-fork-server-attr emperor-freq
    emperor-graceful-shutdown emperor-magic-exec emperor-max-throttle
    emperor-no-blacklist emperor-nofollow emperor-on-demand-dir
    emperor-on-demand-directory emperor-on-demand-exec emperor-on-demand-ext
    emperor-on-demand-extension emperor-pidfile emperor-procname emperor-proxy-socket
    emperor-required-heartbeat emperor-stats emperor-stats-server emperor-subreaper
    emperor-throttle emperor-trigger-socket emperor-tyrant emperor-tyrant-initgroups
    emperor-tyrant-nofollow emperor-use-clone emperor-use-fork-server
    emperor-wait-for-command emperor-wait-for-command-ignore emperor-wrapper
    emperor-wrapper-attr emperor-wrapper-fallback emperor-wrapper-override
    exec-as-emperor exec-as-vassal exit-on-reload fastrouter-emperor-socket fork-server
    fork-socket heartbeat hook-as-emperor hook-as-emperor-before-vassal
    hook-as-emperor-setns hook-as-on-config-vassal hook-as-on-demand-vassal
    hook-as-vassal hook-as-vassal-before-drop hook-emperor-lost hook-emperor-reload
    hook-emperor-start hook-emperor-stop idle imperial-monitor-list
    imperial-monitors-list mount-as-emperor mount-as-vassal privileged-binary-patch
    privileged-binary-patch-arg reload-mercy subscription-tolerance-inactive
    subscription-vassal-required umount-as-emperor umount-as-vassal
    unprivileged-binary-patch unprivileged-binary-patch-arg vassal-cap vassal-fork-base
    vassal-set vassal-sos vassal-sos-backlog vassals-cap vassals-include
    vassals-include-before vassals-inherit vassals-inherit-before vassals-set
    vassals-start-hook vassals-stop-hook zerg zerg-fallback zerg-pool zerg-server zeus
"""

#: Those that are refused so far.
NOT_YET = """
    emperor-magic-exec
"""


class NamesTests(SynchronousTestCase):
    """
    The names of uWSGI's other options.
    """

    def test_apart(self) -> None:
        """
        No name is in two tables.
        """
        tables = [
            *map(frozenset, (UNSUPPORTED, WORKER, STRUCTURE, BY_NAME, REFUSED, NEEDLESS, ABSENT))
        ]
        self.assertEqual(sum(map(len, tables)), len(frozenset().union(*tables)))

    def test_refused_families(self) -> None:
        """
        Whatever belongs to the Emperor or a router is not passed over.
        """
        families = ("emperor", "fastrouter", "route-", "subscri", "rawrouter", "vassals")
        self.assertEqual([name for name in WORKER if name.startswith(families)], [])

    def test_emperor(self) -> None:
        """
        Each option that uWSGI has about its Emperor is known by name: it works,
        is refused with its reason, does nothing for a reason, or is a vassal's.
        """
        known = {*BY_NAME, *ABSENT, *NEEDLESS, *WORKER, *REFUSED}
        missing = {name for name in EMPEROR.split() if name not in known}
        self.assertEqual(missing, set(NOT_YET.split()))
        self.assertLessEqual(missing, UNSUPPORTED)

    def test_worker_families(self) -> None:
        """
        Sockets of a worker are its own.
        """
        for name in ("socket", "http-socket", "https-socket", "processes", "plugins", "wsgi-file"):
            self.assertIn(name, WORKER)
