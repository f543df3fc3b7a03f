"""
Redis servers, Sentinels and their certificates, for one test each.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from twisted.internet.task import deferLater
from twisted.trial.unittest import FailTest

from tests.integration.programs import (
    DEADLINE,
    LOOK,
    Program,
    ProgramsTestCase,
    free_port,
    reactor,
)
from tests.integration.servers import found


class Redis:
    """
    One server that keeps nothing on the disk.

    @ivar path: of its UNIX socket.
    @ivar options: further words of its command line.
    """

    def __init__(self, case: ProgramsTestCase, name: str = "redis", *options: str | Path) -> None:
        self.case = case
        self.name = name
        self.port = free_port()
        self.path = case.place / f"{name}.sock"
        self.options = options
        self._program: Program | None = None

    @property
    def program(self) -> Program:
        """
        The running program.
        """
        assert self._program is not None, "start it first"
        return self._program

    async def start(self) -> None:
        """
        Start it and wait until it listens.
        """
        self._program = self.case.start(
            self.name,
            [
                *(found("redis-server", "redis-server"), "--bind", "127.0.0.1"),
                *("--port", str(self.port), "--save", "", "--appendonly", "no"),
                *("--unixsocket", self.path, "--loglevel", "warning", *self.options),
            ],
        )
        await self._program.listens(self.port)

    async def stop(self) -> None:
        """
        End it.
        """
        await self.program.stop()

    async def command(self, *words: str, port: int = 0) -> str:
        """
        Send a command and return what redis-cli prints.

        @param port: of another server.
        """
        arguments = ["-h", "127.0.0.1", "-p", str(port or self.port), *words]
        program = self.case.start("redis-cli", [found("redis-cli", "redis-tools"), *arguments])
        if await program.end() or program.log.startswith(("ERR", "NOAUTH", "NOPERM")):
            raise FailTest(f"{words}: {program.log}")
        return program.log.strip()

    async def says(self, expected: str, *words: str, port: int = 0) -> None:
        """
        Send a command until its answer has this text.
        """
        end = reactor.seconds() + DEADLINE
        while expected not in (answer := await self.command(*words, port=port)):
            if reactor.seconds() > end:
                raise FailTest(f"{words}: {answer}")
            await deferLater(reactor, LOOK)


async def sentinel(case: ProgramsTestCase, master: Redis) -> int:
    """
    Start a Sentinel that calls a server C{main}.

    @return: its port.
    """
    port = free_port()
    path = case.place / f"sentinel-{port}.conf"
    path.write_text(
        f"port {port}\nbind 127.0.0.1\n"
        f"sentinel monitor main 127.0.0.1 {master.port} 1\n"
        "sentinel down-after-milliseconds main 1000\n"
    )
    running = case.start("sentinel", [found("redis-server", "redis-server"), path, "--sentinel"])
    await running.listens(port)
    return port


class Authority:
    """
    Signs the certificates of one test.

    @ivar path: of its own.
    """

    def __init__(self, place: Path, name: str = "authority") -> None:
        self._place = place
        self._key = generate_private_key(SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.path = place / f"{name}.pem"
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        certificate = self._builder(self._name, self._key.public_key()).add_extension(
            constraints, critical=True
        )
        signed = certificate.sign(self._key, SHA256())
        self.path.write_bytes(signed.public_bytes(Encoding.PEM))

    def _builder(self, name: x509.Name, key: object) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)  # type: ignore[arg-type]
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
        )

    def server(self, *names: str) -> tuple[Path, Path]:
        """
        The files of a certificate for these hosts or addresses, and of its key.
        """
        key = generate_private_key(SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        hosts = x509.SubjectAlternativeName([_general(name) for name in names])
        builder = self._builder(subject, key.public_key()).add_extension(hosts, critical=False)
        signed = builder.sign(self._key, SHA256())
        certificate, private = self._place / "server.pem", self._place / "server.key"
        certificate.write_bytes(signed.public_bytes(Encoding.PEM))
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, private


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
