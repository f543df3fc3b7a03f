"""
What all connections of an HTTP router have in common.
"""

from __future__ import annotations

from emperor.config.settings import HttpSettings
from emperor.interfaces import IStream
from emperor.proxy.frontend import host_of
from emperor.proxy.router import Router
from emperor.wire.uwsgi import encode_variables
from emperor.wire.variables import connection_variables, server_variables


class HttpSite:
    """
    What all connections of an HTTP router share beside L{Router}.

    @ivar server_name: of the variable SERVER_NAME.
    @ivar extra: the encoded variables of C{http-var}.
    """

    def __init__(self, router: Router, settings: HttpSettings, hostname: str) -> None:
        self.router = router
        self.settings = settings
        self.server_name = hostname.encode("ascii", "replace")
        self._server = server_variables(self.server_name)
        self.extra = encode_variables(
            (name.encode("utf-8", "surrogateescape"), value.encode("utf-8", "surrogateescape"))
            for name, value in settings.variables
        )

    def server(self, host: bytes) -> bytes:
        """
        The variables about the server, for a request to C{host}.
        """
        named = self.settings.server_name_as_http_host
        return server_variables(host) if named else self._server

    def connection(self, stream: IStream) -> bytes:
        """
        The variables about a client's connection; uWSGI has 0.0.0.0 for clients
        of UNIX sockets.
        """
        peer = stream.getPeer()
        return connection_variables(
            server_port=b"%d" % getattr(stream.getHost(), "port", 0),
            remote_address=host_of(peer).encode("ascii") or b"0.0.0.0",
            remote_port=b"%d" % getattr(peer, "port", 0),
        )
