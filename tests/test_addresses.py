"""
Socket addresses as uWSGI's options write them.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from emperor.addresses import (
    PATH_LIMIT,
    BadAddress,
    TcpAddress,
    UnixAddress,
    parse_address,
)

ADDRESSES = (
    st.builds(TcpAddress, st.just("") | st.ip_addresses().map(str), st.integers(0, 65535))
    | st.builds(
        lambda name: UnixAddress(b"/" + name), st.binary(max_size=60).map(lambda b: b.strip(b"\0"))
    )
    | st.builds(lambda name: UnixAddress(b"\0%b\0" % name.encode()), st.from_regex(r"\A[a-z]+\Z"))
)


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

    @given(ADDRESSES.filter(lambda a: isinstance(a, TcpAddress) or b"\0" not in a.path[1:-1]))
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
