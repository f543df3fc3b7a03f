"""
The routers on Twisted's own transports: C{transport = twisted}.

The tests that need most of a transport, once more; C{make integration
TRANSPORT=twisted} runs all of them so.
"""

from __future__ import annotations

from tests.integration import test_curl, test_nginx, test_processes


class CurlTests(test_curl.CurlTests):
    """
    Bodies of every kind, and connections that are kept.
    """

    transport = "twisted"


class NginxTests(test_nginx.NginxTests):
    """
    A web server in front, and large bodies.
    """

    transport = "twisted"


class ProcessesTests(test_processes.ProcessesTests):
    """
    Several processes, which share their listening sockets.
    """

    transport = "twisted"
