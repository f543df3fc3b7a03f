"""
L{emperor.config.attributes}
"""

from __future__ import annotations

import contextlib
import os

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SkipTest

from emperor.config import attributes as module
from emperor.config.attributes import (
    COLLECTED_LENGTH,
    COLLECTED_LIMIT,
    Attributes,
    Domain,
    attributes,
    parse_domain,
)
from emperor.config.launchsettings import LaunchSettings
from emperor.config.settings import EmperorSettings
from emperor.config.values import BadValue
from emperor.config.vassalfile import HIDDEN, SIZE_LIMIT
from emperor.identity import NOBODY
from tests.config.fixtures import BOUNDED, ConfigurationCase


class AttributesTests(ConfigurationCase):
    """
    What a vassal's file says to the Emperor.
    """

    def found(self, name: str, settings: EmperorSettings | None = None) -> Attributes:
        """
        The attributes of a file.
        """
        return attributes(
            name,
            self.cwd,
            settings or EmperorSettings(),
            self.surroundings({"DOMAIN": "env.com"}, hostname="elsewhere"),
        )

    def keys(self, name: str, settings: EmperorSettings | None = None) -> list[str]:
        """
        The keys that a file names, which has nothing wrong.
        """
        found = self.found(name, settings)
        self.assertEqual(found.problems, ())
        return [domain.key for domain in found.domains]

    def problems(self, text: str) -> list[str]:
        """
        What is wrong with a section.
        """
        self.write("a.ini", f"[emperor]\n{text}")
        return [str(problem) for problem in self.found("a.ini").problems]

    def test_colon(self) -> None:
        """
        A file that uWSGI would not read, because it takes its name for another file's
        and a section, is not started; if there is that other one, it is told.
        """
        self.write("a:b.ini", "[emperor]\ndomain = a.com\n")
        (refusal,) = self.found("a:b.ini").refusals
        self.assertIn("a: this file is read for 'a:b.ini', in its section [b.ini]", str(refusal))
        self.assertEqual(self.found("a:b.ini").domains, ())
        self.assertIn(refusal, self.found("a:b.ini").problems)
        wrapped = EmperorSettings(launch=LaunchSettings(wrapper="/wrap"))
        self.assertEqual(self.found("a:b.ini", wrapped).refusals, ())
        self.write("c.ini:b.ini", "")
        self.write("c.ini", "[emperor]\ndomain = c.com\n")
        self.assertEqual(self.found("c.ini:b.ini").refusals, ())
        self.assertIn("rename", str(self.found("c.ini:b.ini").problems))
        self.assertEqual(self.keys("c.ini:zerg"), ["c.com"])

    def test_in_no_file(self) -> None:
        """
        What is in no file is read in the format of its name, with the templates; it
        has no magic variables of a file.
        """
        self.write("b.ini", "[emperor]\ndomain = b.com\n")
        self.write("a.json", "{}")
        found = attributes(
            "a.json",
            self.cwd,
            EmperorSettings(include_before=("b.ini",)),
            self.surroundings(),
            b'{"emperor": {"domain": ["a%n.com", "%o"], "listen-fds": true}}',
        )
        keys = [domain.key for domain in found.domains]
        self.assertEqual(["b.com", "a.com", "emperor://a.json"], keys)
        self.assertEqual(((), True), (found.problems, found.listen_fds))

    def test_templates_alone(self) -> None:
        """
        Of a vassal whose configuration only it can know, the templates count.
        """
        self.write("b.ini", "[emperor]\npids-max = 9\n")
        settings = EmperorSettings(include_before=("b.ini",), inherit=("b.ini",))
        self.write("a.ini", "[emperor]\nlisten-fds = true\n")
        for asked, expected in ((settings, ["pids-max"] * 2), (EmperorSettings(), [])):
            found = attributes("a.ini", self.cwd, asked, self.surroundings(), HIDDEN)
            self.assertEqual(expected, [each.key for each in found.limits])
            self.assertFalse(found.listen_fds)

    @given(st.binary(max_size=200), st.sampled_from(["a.ini", "a.json", "a.yaml", "a.xml", "a"]))
    def test_any_configuration(self, config: bytes, name: str) -> None:
        """
        Whatever a monitor finds somewhere, it is read or complained of.
        """
        text = b"[emperor]\n" + config if name == "a.ini" else config
        attributes(name, self.cwd, EmperorSettings(), self.surroundings(), text)

    def test_listen_fds(self) -> None:
        """
        C{listen-fds} is on or off; the last line counts.
        """
        for text, expected in (
            ("", False),
            ("listen-fds = true\n", True),
            ("listen-fds\n", True),
            ("listen-fds = 1\nlisten-fds = off\n", False),
        ):
            self.write("a.ini", f"[emperor]\n{text}")
            self.assertIs(expected, self.found("a.ini").listen_fds)

    def test_limits(self) -> None:
        """
        Limits come in their order, those of templates too; one that is wrong
        keeps the vassal from running.
        """
        self.write("b.ini", "[emperor]\npids-max = 9\n")
        self.write("a.ini", "[emperor]\nmemory-max = 1K\npids-max = 5\nrlimit-as = x\n")
        found = self.found("a.ini", EmperorSettings(include_before=("b.ini",)))
        keys = [(limit.key, limit.amount) for limit in found.limits]
        self.assertEqual(keys, [("pids-max", 9), ("memory-max", 1024), ("pids-max", 5)])
        self.assertEqual(found.problems, ())
        (refusal,) = map(str, found.refusals)
        self.assertIn("a.ini:4: rlimit-as: 'x' is no size", refusal)

    def test_values(self) -> None:
        """
        Keys that options name are read; one that cannot be told keeps the
        vassal from running.
        """
        self.write("a.ini", "[emperor]\nprogram = /opt/%n\nother = x\nplace = @(exec://x)\n")
        launch = LaunchSettings(wrapper_attribute="program", chdir_attribute="place")
        found = self.found("a.ini", EmperorSettings(launch=launch))
        self.assertEqual(found.values[0], ("program", "/opt/a"))
        self.assertEqual(len(found.values), 2)
        self.assertIn("a.ini:4: place: ", str(found.refusals[0]))
        self.assertEqual(self.found("a.ini").values, ())

    def test_collected(self) -> None:
        """
        Keys that are only shown are kept in their order, as they are, and not
        without bounds.
        """
        text = "customer = %n\nother = x\ncustomer = @(exec://x)\n"
        self.write("a.ini", f"[emperor]\n{text}long = {'y' * 2000}\n")
        launch = LaunchSettings(collected=("customer", "long"))
        settings = EmperorSettings(launch=launch)
        found = self.found("a.ini", settings)
        pairs = (("customer", "a"), ("customer", "@(exec://x)"), ("long", "y" * COLLECTED_LENGTH))
        self.assertEqual(found.collected, pairs)
        self.assertEqual((found.values, found.refusals), ((), ()))
        self.write("a.ini", "[emperor]\n" + "customer = 1\n" * 200)
        self.assertEqual(len(self.found("a.ini", settings).collected), COLLECTED_LIMIT)

    def test_domains(self) -> None:
        """
        Domains with and without words, in their order.
        """
        self.write(
            "a.ini",
            "[uwsgi]\ndomain = no.com\n[emperor]\ndomain = foo.com\n"
            "domain = bar.com, modifier1=5,modifier2=1, weight=2,backup=3,algo=chash:cookie:S\n",
        )
        self.assertEqual(
            self.found("a.ini").domains,
            (Domain("foo.com"), Domain("bar.com", 5, 1, 2, 3, "chash:cookie:S")),
        )

    def test_names(self) -> None:
        """
        One template, many links: a link's own name is a domain; so is what
        the environment, the logic and placeholders give.
        """
        self.write(
            "template",
            "[emperor]\ndomain = %n\ndomain = $(DOMAIN)\nbase = x.org\n"
            "for = a b\ndomain = %(_).%(base)\nendfor\n",
        )
        os.symlink("template", os.path.join(self.cwd, "foo.com.ini"))
        self.assertEqual(self.keys("foo.com.ini"), ["foo.com", "env.com", "a.x.org", "b.x.org"])

    def test_formats(self) -> None:
        """
        A vassal in YAML, and one whose own section has a name.
        """
        self.write("a.yml", "uwsgi:\n  socket: /a\nemperor:\n  domain: [a.com, b.com]\n")
        self.write("z.ini", "[zerg]\nsocket = /z\n[emperor]\ndomain = z.com\n")
        self.assertEqual(self.keys("a.yml"), ["a.com", "b.com"])
        self.assertEqual(self.keys("z.ini:zerg"), ["z.com"])

    def test_templates(self) -> None:
        """
        The section of a template counts for all vassals; a placeholder that the
        Emperor sets is no domain.
        """
        self.write("t.ini", "[emperor]\ndomain = %N.%(zone)\n")
        self.write("v.ini", "[uwsgi]\nmaster = true\n")
        settings = EmperorSettings(include=("t.ini",), set=("domain=no.com", "zone=org"))
        self.assertEqual(self.keys("v.ini", settings), ["v.org"])

    def test_problems(self) -> None:
        """
        What is wrong is told with its place, and the rest counts.
        """
        self.write("a.ini", "[emperor]\ndomain = a.com,weight=0\ndomain = b.com\n")
        found = self.found("a.ini")
        self.assertEqual(found.domains, (Domain("b.com"),))
        self.assertEqual(
            [str(problem) for problem in found.problems],
            ["a.ini:2: domain: 0 is out of range; accepted: 1 to 1000000"],
        )

    def test_kinds_of_problems(self) -> None:
        """
        Each slip has its own sentence.
        """
        for text, sentence in {
            "": "'' is no key",
            "a b": "'a b' is no key",
            "*.a.com": "leads nowhere",
            "%(none)": "leads nowhere",
            "@(exec://touch ran)": "leads nowhere",
            "a.com,5": "'5' in 'a.com,5' is nothing known; accepted: domain = HOST",
            "a.com,modifier1=256": "accepted: 0 to 255",
            "a.com,weight=1,weight=2": "weight comes twice",
            "a.com,algo=rr": "'rr' is no way to choose a node",
            "k" * 256: "at most 255",
        }.items():
            (problem,) = self.problems(f"domain = {text}\n")
            self.assertTrue(problem.startswith("a.ini:2: domain: "), problem)
            self.assertIn(sentence, problem)
        self.assertEqual(os.listdir(self.cwd), ["a.ini"])

    def test_twice(self) -> None:
        """
        A domain given twice counts once.
        """
        (problem,) = self.problems("domain = a.com\ndomain = a.com,weight=2\n")
        self.assertIn("a.com is there already", problem)

    def test_limit(self) -> None:
        """
        A vassal does not fill the routers' memory.
        """
        self.patch(module, "DOMAIN_LIMIT", 2)
        (problem,) = self.problems("domain = a\ndomain = b\ndomain = c\n")
        self.assertIn("at most 2 domains", problem)

    def test_bad_files(self) -> None:
        """
        A bad file is uWSGI's to complain of; an error in a section that only
        the Emperor reads is told by the Emperor.
        """
        self.write("a.ini", "[uwsgi]\nsocket = /a\n;" + "x" * SIZE_LIMIT)
        for name in ("no.ini", "a.txt", "a\0.ini", "", "a.ini"):
            self.assertEqual(self.found(name), Attributes(), name)
        (problem,) = self.problems("domain = a.com\nif-env = X\ndomain = b.com\n")
        self.assertIn("if-env is never closed", problem)

    def tyrants(self, name: str, **templates: tuple[str, ...]) -> list[str]:
        """
        Why a tyrant's vassal is not started; of one that is, its limits.
        """
        shared = EmperorSettings(launch=LaunchSettings(tyrant=True), **templates)  # type: ignore[arg-type]
        found = attributes(name, self.cwd, shared, self.surroundings(reads_as=NOBODY))
        return [str(each) for each in found.refusals] or [each.key for each in found.limits]

    def test_not_to_the_end(self) -> None:
        """
        With C{emperor-tyrant} a section that cannot be read to its end starts nothing:
        the limits of the templates would be missing, or of the file itself.
        """
        os.chmod(self.cwd, 0o755)
        self.write("t.ini", "[emperor]\npids-max = 9\n")
        path = self.write("a.ini", "")
        loops = "x = %s\n" % ("y" * 2000) + "".join(f"b{n} = {'%(x)' * 10}\n" for n in range(300))
        for text, why in (
            ("#" + "x" * SIZE_LIMIT, "is longer than"),
            ("exit = 1", "says exit = 1"),
            ("ini = no.ini", "No such file"),
            ("ini = a.ini:emperor", "too many files"),
            ("ini = no.ini\n" * 300, "No such file"),
            ("if-env = X", "never closed"),
            ("for-glob = *", "is not followed"),
            (loops, "too large"),
            ("\0", "NUL"),
        ):
            self.write(path, f"[emperor]\n{text}")
            for word in ("include_before", "inherit_before", "include", "inherit"):
                first, *more = self.tyrants(path, **{word: ("t.ini",)})
                self.assertIn("its user cannot read to the end", first)
                self.assertIn(why, first)
                self.assertLess(len(more), 3)
            self.assertEqual((), self.found(path).refusals)
        self.write(path, "[emperor]\n")
        self.assertIn("No such file", self.tyrants(path, include=("no.ini",))[0])

    def test_unknown_kind(self) -> None:
        """
        A file that only its own program can read says nothing, and the templates
        count.
        """
        os.chmod(self.cwd, 0o755)
        self.write("t.ini", "[emperor]\npids-max = 9\n")
        self.write("a.conf", "[emperor]\nmemory-max = 9M\n")
        self.assertEqual(["pids-max"], self.tyrants("a.conf", include=("t.ini",)))

    def test_of_another_user(self) -> None:
        """
        What a user cannot read himself he does not get read; our own templates need
        not be readable for him, if they are the same for all vassals.
        """
        if os.geteuid():
            raise SkipTest("only root can read as somebody else")
        os.chmod(self.cwd, 0o755)
        self.write("my.cnf", "[client]\npassword = hunter2\n", 0o600)
        self.write("home/open.cnf", "[client]\npassword = hunter2\n")
        self.write("t.ini", "[emperor]\npids-max = 9\n", 0o600)
        self.write("a.t.ini", "[emperor]\npids-max = 9\n", 0o600)
        self.write("a.ini", "[emperor]\n")
        os.chmod(f"{self.cwd}/home", 0o700)
        self.assertEqual(["pids-max"], self.tyrants("a.ini", include=("t.ini",)))
        for templates in (("%n.t.ini",), ("t.ini", "%(y)")):
            self.write("a.ini", "[emperor]\ny = a.t.ini\n")
            (first, *_) = self.tyrants("a.ini", inherit=templates)
            self.assertIn("a.t.ini cannot be read: Permission denied", first)
        for line in ("ini = my.cnf:client", "ini = home/open.cnf:client", "inherit = t.ini"):
            self.write("a.ini", f"[emperor]\n{line}\nrlimit-nofile = 5\n")
            (first,) = self.tyrants("a.ini", include=("t.ini",))
            self.assertIn("Permission denied", first)

    @settings(deadline=BOUNDED)
    @given(st.binary() | st.text().map(lambda text: b"[emperor]\ndomain = " + text.encode()))
    def test_anything(self, content: bytes) -> None:
        """
        No file ends in an error.
        """
        self.write("g.ini", content)
        self.found("g.ini")

    @given(st.text() | st.from_regex(r"a(,(weight|algo|modifier1)=.{0,5}){0,3}", fullmatch=True))
    def test_any_domain(self, text: str) -> None:
        """
        A value is a domain or a sentence.
        """
        with contextlib.suppress(BadValue):
            parse_domain(text)
