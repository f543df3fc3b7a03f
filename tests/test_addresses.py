"""
Socket addresses as uWSGI's options write them.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import (
    PATH_LIMIT,
    Address,
    BadAddress,
    BorrowedSocket,
    ListenAddress,
    NamedAddress,
    PassedSocket,
    SharedSocket,
    TcpAddress,
    TlsAddress,
    UnixAddress,
    parse_address,
    parse_announced,
    parse_listen,
    parse_node,
)

ADDRESSES = (
    st.builds(TcpAddress, st.just("") | st.ip_addresses().map(str), st.integers(0, 65535))
    | st.builds(
        lambda name: UnixAddress(b"/" + name), st.binary(max_size=60).map(lambda b: b.strip(b"\0"))
    )
    | st.builds(lambda name: UnixAddress(b"\0%b\0" % name.encode()), st.from_regex(r"\A[a-z]+\Z"))
)

NAMES = st.builds(
    NamedAddress,
    st.from_regex(
        r"\A[a-z_]([a-z0-9-]{0,8}[a-z0-9_])?(\.[a-z_]([a-z0-9-]{0,8}[a-z0-9_])?){0,3}\.?\Z"
    ),
    st.integers(0, 65535),
)
TLS = st.builds(
    TlsAddress,
    NAMES | st.builds(TcpAddress, st.ip_addresses().map(str), st.integers(0, 65535)),
)


def is_plain(address: object) -> bool:
    """
    Whether a path has no NUL in it.
    """
    return not isinstance(address, UnixAddress) or b"\0" not in address.path[1:-1]


class AddressTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """
        Every documented form is understood.
        """
        forms = {
            ":80": TcpAddress("", 80),
            "127.0.0.1:0": TcpAddress("127.0.0.1", 0),
            "[::1]:65535": TcpAddress("::1", 65535),
            "[0:0::1]:1": TcpAddress("::1", 1),
            "[fe80::1%eth0]:80": TcpAddress("fe80::1%eth0", 80),
            "/run/a.sock": UnixAddress(b"/run/a.sock"),
            "/run/a:80": UnixAddress(b"/run/a:80"),
            "./a:80": UnixAddress(b"./a:80"),
            "a.sock": UnixAddress(b"a.sock"),
            "@name": UnixAddress(b"\0name\0"),
            "@a:80": UnixAddress(b"\0a:80\0"),
            "/\udcff": UnixAddress(b"/\xff"),
        }
        for text, address in forms.items():
            self.assertEqual(parse_address(text), address)

    def test_kinds(self) -> None:
        """
        An address knows its family, and whether it is a file.
        """
        self.assertEqual([TcpAddress(h, 1).is_ipv6 for h in ("", "::1", "1.1.1.1")], [0, 1, 0])
        self.assertEqual([UnixAddress(p).is_abstract for p in (b"/a", b"\0a\0")], [0, 1])

    def test_errors(self) -> None:
        """
        What is no address is refused with a message that quotes it.
        """
        for text in (
            "",
            "a\0b",
            "host:80",
            "127.0.0.1:",
            "127.0.0.1:65536",
            "127.0.0.1:-1",
            "127.0.0.1:٣",
            "127.0.0.1:" + "9" * 5000,
            "127.0.0.256:80",
            "::1:80",
            "[127.0.0.1]:80",
            "[::1:80",
            "[]:80",
            "/\ud800",
            "@\ud800",
            "\ud800:80",
        ):
            error = self.assertRaises(BadAddress, parse_address, text)
            self.assertIn(repr(text)[1:20].lstrip("@").rstrip("'"), str(error))

    def test_interface(self) -> None:
        """
        Only a link-local address belongs to an interface.
        """
        for parse in (parse_address, parse_node, parse_listen):
            for text in ("[::1%lo]:80", "[2001:db8::1%1]:80"):
                error = self.assertRaises(BadAddress, parse, text)
                self.assertIn(f"in {text!r}: only a link-local address", str(error))
                self.assertIn("accepted otherwise: [v6]:port", str(error))

    def test_length(self) -> None:
        """
        A path that does not fit into sun_path is refused; an abstract name has
        two bytes more.
        """
        parse_address("/" + "a" * (PATH_LIMIT - 1))
        parse_address("@" + "a" * (PATH_LIMIT - 2))
        self.assertRaises(BadAddress, parse_address, "/" + "a" * PATH_LIMIT)
        self.assertRaises(BadAddress, parse_address, "@" + "a" * (PATH_LIMIT - 1))
        self.assertRaises(BadAddress, parse_address, "/" + "é" * 54)

    @given(ADDRESSES.filter(is_plain))
    def test_round_trip(self, address: TcpAddress | UnixAddress) -> None:
        """
        An address is read again as it is shown.
        """
        self.assertEqual(parse_address(str(address)), address)

    @given(st.text() | st.text(alphabet=":[]@/.0123456789af"))
    def test_any_text(self, text: str) -> None:
        """
        Any text is an address or is refused.
        """
        try:
            parse_address(text)
        except BadAddress as error:
            self.assertTrue(str(error))


class NodeTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """
        A node may have a name, and speak TLS.
        """
        forms: dict[str, Address] = {
            "127.0.0.1:80": TcpAddress("127.0.0.1", 80),
            ":80": TcpAddress("", 80),
            "/run/a.sock": UnixAddress(b"/run/a.sock"),
            "@a:80": UnixAddress(b"\0a:80\0"),
            "app": UnixAddress(b"app"),
            "App.Internal:3031": NamedAddress("app.internal", 3031),
            "my_app-1:80": NamedAddress("my_app-1", 80),
            "app.:80": NamedAddress("app.", 80),
            "tls://app.internal:443": TlsAddress(NamedAddress("app.internal", 443)),
            "tls://192.0.2.1:443": TlsAddress(TcpAddress("192.0.2.1", 443)),
            "tls://[2001:db8::1]:443": TlsAddress(TcpAddress("2001:db8::1", 443)),
        }
        for text, address in forms.items():
            self.assertEqual(parse_node(text), address)

    def test_errors(self) -> None:
        """
        What is no name is refused, above all what looks like a number: it would
        be somebody's IPv4 address.
        """
        for text in (
            "",
            "app:",
            "app:http",
            "a b:80",
            "-app:80",
            "app-:80",
            "a..b:80",
            "ä.de:80",
            "127.1:80",
            "127.0.0.256:80",
            "0x7f000001:80",
            "a.1:80",
            "a.0x1f:80",
            "a" * 64 + ":80",
            "a." * 127 + "a:80",
            "tls://",
            "tls://app",
            "tls://:443",
            "tls:///run/a.sock",
            "http://app:80",
            "\0:80",
            "=0:80",
        ):
            error = self.assertRaises(BadAddress, parse_node, text)
            self.assertTrue(str(error), text)

    @given(ADDRESSES.filter(is_plain) | NAMES | TLS)
    def test_round_trip(self, address: Address) -> None:
        """
        An address is read again as it is shown.
        """
        self.assertEqual(parse_node(str(address)), address)

    @given(st.text() | st.text(alphabet=":[]@/.0123456789afxtls-_"))
    def test_any_text(self, text: str) -> None:
        """
        Any text is an address or is refused.
        """
        try:
            parse_node(text)
        except BadAddress as error:
            self.assertTrue(str(error))


class AnnouncedTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """
        What a node says of itself may be all that a node can be.
        """
        for text in ("127.0.0.1:80", "[::1]:80", ":80", "App:80", "tls://app:443", "/run/a", "@a"):
            self.assertEqual(parse_announced(text), parse_node(text))

    def test_errors(self) -> None:
        """
        A path that is relative to nobody knows what, and a host without a port.
        """
        for text in ("not an address", "127.0.0.1", "localhost", "./a.sock", "run/a", "..:80", ""):
            error = self.assertRaises(BadAddress, parse_announced, text)
            self.assertIn("accepted: :port, ip:port", str(error), text)

    @given(st.text() | st.text(alphabet=":[]@/.0123456789afxtls-_"))
    def test_any_text(self, text: str) -> None:
        """
        Any text is an address or is refused.
        """
        try:
            address = parse_announced(text)
        except BadAddress:
            return
        self.assertEqual(address, parse_node(text))


class ListenTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """
        A router may also listen on what is open already.
        """
        forms: dict[str, ListenAddress] = {
            ":80": TcpAddress("", 80),
            "[::]:80": TcpAddress("::", 80),
            "localhost:80": NamedAddress("localhost", 80),
            "/run/a.sock": UnixAddress(b"/run/a.sock"),
            "=0": SharedSocket(0),
            "=12": SharedSocket(12),
            "fd://3": PassedSocket("3"),
            "fd://03": PassedSocket("3"),
            "fd://http.socket": PassedSocket("http.socket"),
        }
        for text, address in forms.items():
            self.assertEqual(parse_listen(text), address)

    def test_errors(self) -> None:
        """
        What is none of these is refused.
        """
        for text in (
            "",
            "=",
            "=-1",
            "=x",
            "=٣",
            "=123456",
            "fd://",
            "fd://a:b",
            "fd://٣",
            "fd://123456",
            "fd://" + "a" * 256,
            "fd://\n",
            "tls://app:443",
        ):
            error = self.assertRaises(BadAddress, parse_listen, text)
            self.assertTrue(str(error), text)

    def test_shown(self) -> None:
        """
        What is shown can be read again; a borrowed socket says whose it is.
        """
        for text in ("=0", "fd://3", "fd://http", "localhost:80"):
            self.assertEqual(str(parse_listen(text)), text)
        borrowed = BorrowedSocket(TcpAddress("", 80), "fd://3")
        self.assertEqual(str(borrowed), ":80 (fd://3)")

    @given(st.text() | st.text(alphabet="=fd:/@0123456789"))
    def test_any_text(self, text: str) -> None:
        """
        Any text is an address or is refused.
        """
        try:
            parse_listen(text)
        except BadAddress as error:
            self.assertTrue(str(error))
