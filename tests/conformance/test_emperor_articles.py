"""
The files of two articles on the Emperor, as they print them, with our Emperor and
real uWSGI.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.integration.programs import ProgramsTestCase, free_port
from tests.integration.servers import Emperor, debian_uwsgi, until

#: The template that every site of the first article has beside its application, in
#: its own words but for the place of the sockets and the name of the application.
TEMPLATE = """\
[uwsgi]
app_root = @(exec://dirname $(realpath %P))
chdir = %(app_root)
plugin = python3
wsgi-file = app.py
processes = 2 # number of cores on machine
max-requests = 5000
chmod-socket = 666
master = True
vacuum = True
socket = {place}/%n.api.sock
home = %(app_root)/venv-bottle
"""

APPLICATION = """\
import os, sys

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{where} in {{os.getcwd()}} with {{sys.prefix}}".encode()]
"""

#: The vassals of the second article, with Python in the place of Ruby.
VASSALS = {
    "werkzeug.xml": """\
<uwsgi>
    <plugin>python3</plugin>
    <module>site_of_the_article:test_app</module>
    <pythonpath>{place}</pythonpath>
    <master/>
    <processes>4</processes>
    <socket>127.0.0.1:{port}</socket>
</uwsgi>
""",
    "trac.ini": """\
[uwsgi]
plugin = python3
pythonpath = {place}
master = true
processes = 2
module = site_of_the_article:test_app
env = TRAC_ENV=/opt/project001
socket = 127.0.0.1:{port}
""",
    "rails.yml": """\
uwsgi:
    plugins: python3
    module: site_of_the_article:test_app
    master: 1
    processes: 8
    socket: 127.0.0.1:{port}
    post-buffering: 4096
    chdir: {place}
""",
    "django.ini": """\
[uwsgi]
plugin = python3
socket = 127.0.0.1:{port}
threads = 40
master = 1
env = DJANGO_SETTINGS_MODULE=myapp.settings
module = site_of_the_article:test_app
chdir = {place}
""",
    "node.json": """\
{{"uwsgi": {{
    "plugin": "python3", "chdir": "{place}", "module": "site_of_the_article:test_app",
    "master": true, "processes": 2, "socket": ["127.0.0.1:{port}"]
}}}}
""",
}

MODULE = """\
import os, uwsgi

def test_app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    number, known = len(uwsgi.workers()), os.environ.get("TRAC_ENV", "")
    return [f"{number} {uwsgi.opt.get('threads', b'').decode()} {known}".encode()]
"""


class TemplateTests(ProgramsTestCase):
    """
    "uWSGI emperor mode & nginx".
    """

    def release(self, name: str) -> Path:
        """
        Make a directory with an application, its virtual environment, and the
        template.
        """
        place = self.place / "sites" / name
        place.mkdir(parents=True)
        (place / "app.py").write_text(APPLICATION.format(where=name))
        (place / "app.uwsgi.ini").write_text(TEMPLATE.format(place=self.place))
        python = ["/usr/bin/python3", "-m", "venv", "--without-pip", "venv-bottle"]
        subprocess.run(python, cwd=place, check=True, timeout=60)
        return place

    async def test_links(self) -> None:
        """
        A link to the template is a site: the link has the name, what it leads to the
        application.  Another release is another target, and no other file is written.
        """
        old, new = self.release("prod"), self.release("uat")
        rule = rf"route-host = ^([^.]+)\.api\.mycompany\.com$ uwsgi:{self.place}/$1.api.sock,0,0"
        emperor = Emperor(self, rule, f"binary-path = {debian_uwsgi()}")
        for name, target in (("service1", old), ("service1-beta", new)):
            (emperor.directory / f"{name}.ini").symlink_to(target / "app.uwsgi.ini")
        await emperor.start().listens(emperor.port)
        await self.answers(emperor, "service1", old)
        await self.answers(emperor, "service1-beta", new)
        draft = self.place / "draft"
        draft.symlink_to(new / "app.uwsgi.ini")
        draft.rename(emperor.directory / "service1.ini")
        await self.answers(emperor, "service1", new)

    async def answers(self, emperor: Emperor, site: str, release: Path) -> None:
        """
        Ask a site until it answers from a release.
        """
        expected = f"{release.name} in {release} with {release}/venv-bottle"
        host = f"{site}.api.mycompany.com"
        await until(
            emperor.port, host, lambda reply: reply.text == expected, f"answer of {release}"
        )


class FormatsTests(ProgramsTestCase):
    """
    "Imperial monitors".
    """

    async def test_formats(self) -> None:
        """
        Every format of files is a site, each with its own options.
        """
        (self.place / "site_of_the_article.py").write_text(MODULE)
        ports = {name: free_port() for name in VASSALS}
        rules = [
            rf"route-host = ^{name.partition('.')[0]}\.article$ uwsgi:127.0.0.1:{port},0,0"
            for name, port in ports.items()
        ]
        emperor = Emperor(self, f"binary-path = {debian_uwsgi()}", *rules)
        for name, text in VASSALS.items():
            path = emperor.directory / name
            path.write_text(text.format(place=self.place, port=ports[name]))
        await emperor.start().listens(emperor.port)
        found = [
            (
                await until(
                    emperor.port,
                    f"{name.partition('.')[0]}.article",
                    lambda reply: reply.status == 200,
                    "answer",
                )
            ).text
            for name in VASSALS
        ]
        self.assertEqual(["4  ", "2  /opt/project001", "8  ", "1 40 ", "2  "], found)
