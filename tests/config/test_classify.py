"""
L{emperor.config.classify}
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from emperor.config.classify import Classified, classify
from emperor.config.pairs import Pair
from tests.config.fixtures import HERE


def sorted_out(*keys: str, used: tuple[str, ...] = ()) -> Classified:
    """
    Options that all have the value 1.
    """
    return classify([Pair(key, "1", HERE) for key in keys], set(used))


class ClassifyTests(SynchronousTestCase):
    """
    Whose an option is.
    """

    def test_ours(self) -> None:
        """
        Options are found under their name, whatever alias is used.
        """
        found = sorted_out("httprouter", "http", "include", "endif")
        self.assertEqual([pair.key for pair in found.options["http"]], ["httprouter", "http"])
        self.assertEqual((found.problems, found.notes), ([], []))

    def test_worker(self) -> None:
        """
        A worker's options are named once, in one sentence.
        """
        found = sorted_out("processes", "master", "processes")
        self.assertEqual(found.notes, ["not ours: a uWSGI worker's options: processes, master"])

    def test_unsupported(self) -> None:
        """
        What would change the Emperor or a router is refused with its place.
        """
        for key in (
            "rawrouter",
            "route",
            "https",
        ):
            self.assertEqual(
                [str(problem) for problem in sorted_out(key).problems],
                [f"test.ini:7: {key} is not supported by this version of txemperor"],
            )

    def test_absent(self) -> None:
        """
        What never can be there is refused with the reason.
        """
        for key in ("call-as-vassal1", "emperor-proxy-socket", "umount-as-emperor", "zeus"):
            (problem,) = map(str, sorted_out(key).problems)
            self.assertIn(f"{key} is not in txemperor, because ", problem)

    def test_needless(self) -> None:
        """
        What is done anyway is only noted, so that an old file starts.
        """
        found = sorted_out("http-auto-chunked")
        self.assertEqual([], found.problems)
        self.assertEqual(
            "test.ini:7: http-auto-chunked is not needed here: an answer without a length"
            " always goes out in chunks",
            found.notes[0],
        )

    def test_twistd(self) -> None:
        """
        A user is set with twistd and nowhere else; a log is only noted.
        """
        for key in ("uid", "gid", "chroot"):
            self.assertIn(f"start twistd with --{key}", str(sorted_out(key).problems[0]))
        self.assertIn("twistd has --logfile", sorted_out("daemonize").notes[0])

    def test_refused(self) -> None:
        """
        What cannot be had here is refused, with what to do instead.
        """
        for key, instead in (
            ("fastrouter-uid", "start twistd with --uid and --gid"),
            ("http-use-socket", "give http-to the address of that socket"),
            ("subscribe2", "into the configuration of the server that subscribes"),
        ):
            (problem,) = sorted_out(key).problems
            self.assertIn(f"{key} is not ours: ", str(problem))
            self.assertIn(instead, str(problem))

    def test_flag(self) -> None:
        """
        A flag with another word than those for on and off is on, which is noted.
        """
        for word in ("", "TRUE", "on", "yes", "1", "False", "off", "no", "0"):
            self.assertEqual([], classify([Pair("emperor-tyrant", word, HERE)], set()).notes)
        self.assertEqual(
            [
                "test.ini:7: emperor-tyrant = yess is on, as all is but false, off, no and 0;"
                " on is written true, on, yes or 1"
            ],
            classify([Pair("emperor-tyrant", "yess", HERE)], set()).notes,
        )

    def test_slip(self) -> None:
        """
        A name that nobody knows and nothing uses is named with its nearest.
        """
        found = sorted_out("emperor-frequ", "name", "path", used=("name",))
        self.assertEqual(
            found.notes,
            [
                "test.ini:7: 'emperor-frequ' is no option and nothing uses it;"
                " did you mean emperor-freq?",
                "test.ini:7: 'path' is no option and nothing uses it",
            ],
        )

    def test_strict(self) -> None:
        """
        Under C{strict} a slip is an error, wherever C{strict} stands.
        """
        found = sorted_out("slip", "strict")
        self.assertIn("'slip' is no option", str(found.problems[0]))
        off = classify([Pair("strict", "false", HERE), Pair("slip", "", HERE)], set())
        self.assertEqual(off.problems, [])

    def test_many_slips(self) -> None:
        """
        A file that is no configuration does not fill the log.
        """
        notes = sorted_out(*(f"slip{number}" for number in range(1000))).notes
        self.assertEqual(len(notes), 21)
        self.assertEqual(notes[-1], "980 more names are no options")
