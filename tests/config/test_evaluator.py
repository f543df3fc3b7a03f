"""
L{emperor.config.evaluator}
"""

from __future__ import annotations

from contextlib import suppress as suppressed

from hypothesis import given, settings
from hypothesis import strategies as st

from emperor.config.errors import ConfigurationError
from emperor.config.loading import evaluate_file
from tests.config.fixtures import BOUNDED, ConfigurationCase

_LINES = st.sampled_from(
    [
        "[uwsgi]",
        "a = x%(a)",
        "b = %(a + b) $(A) @(/nope)",
        "a = %(b)%(b)",
        "ini = f.ini",
        "inherit = f.ini",
        "include = :x",
        "for = 1 2 3",
        "for-times = 9999",
        "if-env = A",
        "else",
        "endif",
        "set = ini=f.ini",
        "set = b=%(_)",
        "exit = 1",
    ]
)


class EvaluatorTests(ConfigurationCase):
    """
    The order in which a configuration takes effect.
    """

    def test_order(self) -> None:
        """
        A file included stands where it is named; one inherited stands at
        the end, and its references stay as written.
        """
        self.write("inc.ini", "[uwsgi]\nb = %(a)")
        self.write("heir.ini", "[uwsgi]\nc = %(a) $(A)\nfor = 1 2\nd = %(_)\nend")
        found = self.read("inherit = heir.ini\na = 1\ninclude = inc.ini\nz = %(b)")
        self.assertEqual(
            [pair for pair in found if len(pair[0]) == 1],
            [("a", "1"), ("b", "1"), ("z", "1"), ("c", "%(a) $(A)"), ("d", "1"), ("d", "2")],
        )

    def test_placeholders(self) -> None:
        """
        The first value counts, wherever it stands; the environment comes
        first.
        """
        found = self.read(
            "a = [%(b)] $(HOME)\nb = 1\nb = 2\nset = c=3\nd = %(c + b)", environ={"HOME": "/h"}
        )
        self.assertEqual(dict(found)["a"], "[1] /h")
        self.assertEqual(dict(found)["d"], "4")

    def test_source(self) -> None:
        """
        A file's text, without its last line end.
        """
        self.write("secret.txt", "hush\n")
        self.assertEqual(self.read("a = <@(secret.txt)>"), [("a", "<hush>")])

    def test_loops(self) -> None:
        """
        Each line of a loop is read for each turn.
        """
        found = self.read("for = x y\na = %(_)%(_)\nset = k%(_)=%(_)\nendfor\nb = %(_)")
        self.assertEqual([value for key, value in found if key == "a"], ["xx", "yy"])
        self.assertEqual(dict(found)["ky"], "y")
        self.assertEqual(dict(found)["b"], "%(_)")

    def test_else(self) -> None:
        """
        One half of a condition is read, in whatever file.
        """
        self.write("inc.ini", "[uwsgi]\nif-env = NOPE\na = 1\nelse\na = 2\nendif\n")
        found = self.read("if-env = A\nini = inc.ini\nelse\na = 3\nendif", environ={"A": ""})
        self.assertEqual([value for key, value in found if key == "a"], ["2"])

    def test_last_ini(self) -> None:
        """
        C{ini = :section} is a section of the ini file loaded last.
        """
        self.write("parts.ini", "[x]\na = 1\n[y]\na = 2\n")
        found = self.read("ini = parts.ini:x\nini = :y")
        self.assertEqual([value for key, value in found if key == "a"], ["1", "2"])

    def test_formats(self) -> None:
        """
        One file may load files of every other format.
        """
        self.write("a.yml", "uwsgi:\n  y: %n\n  endif:\n")
        self.write("b.json", '{"uwsgi": {"j": "%N"}}')
        self.write("c.xml", "<uwsgi><x>%s</x></uwsgi>")
        found = self.read("include = a.yml\njson = b.json\nxml = c.xml")
        self.assertEqual(dict(found)["y"], "a")
        self.assertEqual(dict(found)["j"], "test")
        self.assertEqual(dict(found)["x"], "c.xml")

    def test_blocks_end(self) -> None:
        """
        Blocks do not nest and end in their own file.
        """
        self.write("open.ini", "[uwsgi]\nfor = a\n")
        self.assert_refused("test.ini:3: if-env inside for: ", self.read, "for = a\nif-env = A")
        self.assert_refused("test.ini:2: if-env is never closed", self.read, "if-env = NOPE\na = 1")
        self.assert_refused("open.ini:2: for is never", self.read, "ini = open.ini\nendfor")

    def test_files_without_end(self) -> None:
        """
        Files that load each other are an error with a place.
        """
        for option in ("ini", "include", "inherit"):
            self.assert_refused("test.ini:2: too many files", self.read, f"{option} = test.ini")

    def test_budget(self) -> None:
        """
        A small file cannot become an endless one.
        """
        loop = "for-times = 9999\na = " + "x" * 999 + "\nendfor\n"
        self.assert_refused("grows without end", self.read, loop)

    def test_refused(self) -> None:
        """
        What cannot be used says why.
        """
        self.assert_refused("accepted is NAME=VALUE", self.read, "set = x")
        self.assert_refused("test.ini:2: the configuration says exit = 3", self.read, "exit = 3")
        self.assert_refused("unknown kind of file", self.read, "include = x.txt")

    def test_file_that_cannot_be_read(self) -> None:
        """
        A file that another one asks for is a problem of the line that asks,
        and what follows is still read.
        """
        self.write("test.ini", "[uwsgi]\nini = no.ini\na = 1\n")
        found = evaluate_file("test.ini", self.surroundings())
        self.assertEqual([pair.key for pair in found.pairs], ["ini", "a"])
        (problem,) = found.problems
        self.assertRegex(str(problem), r"^test\.ini:2: .*no\.ini: cannot be read")

    def test_whole(self) -> None:
        """
        After a line that cannot be used the others are looked at, and it is known
        what cannot be judged.
        """
        self.write(
            "test.ini",
            "[uwsgi]\na = @(nofile) @(none)\nb = %(a)\nc = 1%(d)\nd = x\nset = y\ne = %(later)\n",
        )
        found = evaluate_file("test.ini", self.surroundings())
        told = [(problem.origin.line, problem.message.split()[0]) for problem in found.problems]
        self.assertEqual([line for line, _ in told], [7 - 1, 2, 2])
        self.assertEqual([pair.key for pair in found.known], ["c", "d", "set"])
        self.assertFalse(found.whole)

    def test_block_that_cannot_be_used(self) -> None:
        """
        Nothing of it is read, up to its own end.
        """
        self.write(
            "test.ini",
            "[uwsgi]\nif-hostname-match = (\na = 1\nelse\na = 2\nendif\n"
            "for = x\nif-env = A\na = 3\nelse\na = 4\nendif\na = 5\nendfor\na = 6\n"
            "for-times = 99999\na = 7\n",
        )
        found = evaluate_file("test.ini", self.surroundings())
        self.assertEqual([pair.value for pair in found.pairs if pair.key == "a"], ["2", "6"])
        lines = [problem.origin.line for problem in found.problems]
        self.assertEqual(lines, [2, 8, 16, 16])

    def test_end(self) -> None:
        """
        What ends the reading is told with what was found before.
        """
        problems = self.refused(self.read, "set = x\nexit = 1\nset = y")
        self.assertEqual([line[:11] for line in problems], ["test.ini:2:", "test.ini:3:"])

    def test_notes(self) -> None:
        """
        What is printed, and a section that is not there, go to the log.
        """
        self.write("test.ini", "[uwsgi]\na = 1\nprint = a is %(a)\nini = test.ini:no")
        evaluator = evaluate_file("test.ini", self.surroundings())
        self.assertEqual(evaluator.notes, ["test.ini: there is no section [no]", "a is 1"])

    @settings(deadline=BOUNDED)
    @given(st.lists(_LINES, max_size=12).map("\n".join) | st.text())
    def test_anything(self, text: str) -> None:
        """
        Every file comes to an end, if need be with an error.
        """
        self.write("f.ini", ("[uwsgi]\n" + text).encode("utf-8", "surrogatepass"))
        with suppressed(ConfigurationError):
            evaluate_file("f.ini", self.surroundings())

    @settings(deadline=BOUNDED)
    @given(st.binary(), st.sampled_from(["ini", "yml", "json", "xml"]))
    def test_any_bytes(self, content: bytes, extension: str) -> None:
        """
        No bytes end in another error.
        """
        self.write(f"g.{extension}", content)
        with suppressed(ConfigurationError):
            evaluate_file(f"g.{extension}", self.surroundings())
