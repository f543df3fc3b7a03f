"""
The FastRouter as the dialogue between a web server, the router and a node.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from emperor.config.settings import Mapper
from emperor.proxy.fastrouter import BUFFERED_LIMIT, SMALL, body_size, key_of
from emperor.proxy.frontend import Frontend
from emperor.proxy.refusals import Reason
from emperor.routing.mappers import Asked
from emperor.routing.mapping import MapperUnavailable
from emperor.routing.pools import Pool
from emperor.routing.roster import RegistrySettings
from emperor.routing.subscriptions import Registry
from emperor.testing.proxy import FakeStream
from emperor.wire.hops import HOPS_LIMIT, WAY, add_mark, make_mark
from emperor.wire.uwsgi import build_packet, encode_variables
from tests.proxy.dialogue import FASTROUTER, NODE, OTHER, DialogueCase
from tests.routing.nodes import announcement

PAYLOAD = encode_variables([(b"HTTP_HOST", b"a.example"), (b"X", b"y")])
REQUEST = build_packet(9, PAYLOAD, 9)
UPLOAD = build_packet(
    9, encode_variables([(b"HTTP_HOST", b"a.example"), (b"CONTENT_LENGTH", b"100")]), 9
)
ROUTED = build_packet(5, PAYLOAD, 6)


class VariablesTests(SynchronousTestCase):
    def test_precedence(self) -> None:
        """
        UWSGI_FASTROUTER_KEY comes first, then HTTP_HOST, then SERVER_NAME; an
        empty one does not count.
        """
        key, host, name = b"UWSGI_FASTROUTER_KEY", b"HTTP_HOST", b"SERVER_NAME"
        for variables, expected in (
            ({name: b"n", host: b"h", key: b"k"}, b"k"),
            ({key: b"", host: b"h"}, b"h"),
            ({name: b"n"}, b"n"),
            ({}, b""),
        ):
            self.assertEqual(key_of(variables), expected)

    def test_body_size(self) -> None:
        """
        What CONTENT_LENGTH says, nothing without it, -1 where it is no number.
        """
        for value, size in (
            (b"3", 3),
            (b"", 0),
            (b"0", 0),
            (b"x", -1),
            (b"+1", -1),
            (b"9" * 19, -1),
        ):
            self.assertEqual(body_size({b"CONTENT_LENGTH": value}), size)
        self.assertEqual(body_size({}), 0)


class FastRouterCase(DialogueCase):
    settings = FASTROUTER

    def ask(self, request: bytes = REQUEST) -> FakeStream:
        client = self.dialogue.connect()
        client.send(request)
        return client


class RelayTests(FastRouterCase):
    def test_request_and_answer(self) -> None:
        """
        The variables pass untouched, the modifiers become the node's, and the
        answer comes back as it is.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        self.assertEqual(node.take(), ROUTED)
        for piece in (b"HTTP/1.0 200 OK\r\n\r\nany", b"thing"):
            node.send(piece)
            self.assertEqual(client.take(), piece)
        node.lose()
        self.assertIsNotNone(client.lost)
        self.assertFalse(client.aborted)

    def test_any_cut(self) -> None:
        """
        A packet may come a byte at a time.
        """
        wire = self.start()
        client = wire.connect()
        for byte in REQUEST:
            self.assertEqual(wire.dialer.dials, [])
            client.send(bytes([byte]))
        self.assertEqual(wire.dial.accept().take(), ROUTED)

    def test_body(self) -> None:
        """
        What follows the packet is passed on, before and after the node accepts.
        """
        wire = self.start()
        client = self.ask(REQUEST + b"012")
        self.assertFalse(client.reading)
        node = wire.dial.accept()
        self.assertEqual(node.take(), ROUTED + b"012")
        client.send(b"345")
        self.assertEqual(node.take(), b"345")

    def test_flow_control(self) -> None:
        """
        Neither side is read while the other takes nothing.
        """
        wire = self.start()
        client = self.ask(UPLOAD)
        node = wire.dial.accept()
        node.fill()
        self.assertFalse(client.reading)
        node.drain()
        self.assertTrue(client.reading)
        client.fill()
        self.assertFalse(node.reading)
        client.drain()
        self.assertTrue(node.reading)

    def test_flow_control_of_answers(self) -> None:
        """
        A node is not read while the client takes nothing, from the second
        piece of an answer or a large first one on.
        """
        for pieces in ([b"1", b"2"], [b"1" * (SMALL + 1)]):
            wire = self.start()
            client = self.ask()
            node = wire.dial.accept()
            for piece in pieces:
                node.send(piece)
            client.fill()
            self.assertFalse(node.reading)
            client.drain()
            self.assertTrue(node.reading)

    def test_flow_control_of_bodies(self) -> None:
        """
        A body that no CONTENT_LENGTH told of waits for the node's room as well.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        client.send(b"body")
        node.fill()
        self.assertFalse(client.reading)

    def test_half_close(self) -> None:
        """
        The end of a body is passed on, once the node has all of it; the answer
        still comes.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        node.fill()
        client.reading = True
        client.send_end()
        self.assertFalse(node.ended)
        node.drain()
        self.assertTrue(node.ended)
        node.send(b"answer")
        node.lose()
        self.assertEqual(client.take(), b"answer")
        self.assertIsNotNone(client.lost)

    def test_half_close_before_node(self) -> None:
        """
        An end that comes before the node accepts is passed on then.
        """
        wire = self.start()
        client = self.ask()
        client.reading = True
        client.send_end()
        node = wire.dial.accept()
        self.assertEqual(node.take(), ROUTED)
        self.assertTrue(node.ended)

    def test_half_close_without_request(self) -> None:
        """
        A connection that ends without a packet is closed.
        """
        self.start()
        client = self.ask(b"")
        client.send_end()
        self.assertEqual(client.take(), b"")
        self.assertIsNotNone(client.lost)

    def test_half_close_within_packet(self) -> None:
        """
        A part of a packet gets 400.
        """
        self.start()
        client = self.ask(REQUEST[:5])
        client.send_end()
        self.assertTrue(client.take().startswith(b"HTTP/1.1 400 "))
        self.assertIsNotNone(client.lost)

    def test_node_breaks_off(self) -> None:
        """
        An answer that breaks off does not look like a whole one.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        node.send(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        node.break_off()
        self.assertTrue(client.aborted)

    def test_node_leaves_body(self) -> None:
        """
        A node may answer without reading the body, and then its end is a reset.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        client.send(b"body")
        node.send(b"HTTP/1.1 200 OK\r\n\r\nwhole")
        node.break_off()
        self.assertFalse(client.aborted)

    def test_client_leaves(self) -> None:
        """
        A web server that gives up ends the node's request.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        client.break_off()
        self.assertTrue(node.aborted)

    def test_linger(self) -> None:
        """
        The body that a client still sends after the answer is dropped, for a
        while.
        """
        wire = self.start()
        client = self.ask(UPLOAD)
        node = wire.dial.accept()
        node.send(b"answer")
        node.lose()
        client.send(b"more body")
        wire.wait(4)
        self.assertIsNone(client.lost)
        wire.wait(4)
        self.assertIsNotNone(client.lost)
        self.assertFalse(client.aborted)


class RefusalTests(FastRouterCase):
    def refused(self, status: int, *variables: tuple[bytes, bytes]) -> None:
        client = self.ask(build_packet(0, encode_variables(variables), 0))
        answer = client.take()
        self.assert_refused(answer, status)
        self.assertIn(b"\r\nConnection: close\r\n", answer)
        self.assertTrue(client.ended)

    def test_hosts(self) -> None:
        """
        Refusals are HTTP text, which the web server passes on.
        """
        self.start(to=())
        self.refused(404, (b"HTTP_HOST", b"a"))
        self.refused(400, (b"HTTP_HOST", b"a/b"))
        self.refused(400, (b"HTTP_HOST", b"\xff"))
        self.refused(400, (b"OTHER", b"a"))

    def test_malformed(self) -> None:
        """
        A malformed packet gets 400.
        """
        wire = self.start()
        client = self.ask(b"\0\1\0\0\0")
        self.assert_refused(client.take(), 400, b"malformed uwsgi packet")
        self.assertEqual(wire.refusals.counts[Reason.BAD_REQUEST], 1)

    def test_nodes(self) -> None:
        """
        Absent, silent and failing nodes get 503, 504 and 502.
        """
        wire = self.start(timeout=10)
        client = self.ask()
        wire.dial.refuse()
        self.assert_refused(client.take(), 503)
        client = self.ask()
        wire.dial.accept().lose()
        self.assert_refused(client.take(), 502)
        client = self.ask()
        wire.dial.accept()
        wire.wait(13)
        self.assert_refused(client.take(), 504)

    def test_half_an_answer(self) -> None:
        """
        An answer that stops for too long is cut, not followed by a refusal.
        """
        wire = self.start(timeout=10)
        client = self.ask()
        node = wire.dial.accept()
        node.send(b"half")
        wire.wait(9)
        node.send(b"more")
        wire.wait(9)
        self.assertFalse(client.aborted)
        wire.wait(4)
        self.assertEqual(client.take(), b"halfmore")
        self.assertTrue(client.aborted)

    def test_upload_keeps_alive(self) -> None:
        """
        A long upload is no time-out as long as it goes on.
        """
        wire = self.start(timeout=10)
        client = self.ask()
        wire.dial.accept()
        for _ in range(4):
            wire.wait(8)
            client.send(b"more")
        self.assertEqual(client.take(), b"")

    def test_partial(self) -> None:
        """
        A packet that does not come whole gets 408.
        """
        wire = self.start(headers_timeout=10)
        client = self.ask(REQUEST[:3])
        wire.wait(13)
        self.assert_refused(client.take(), 408, b"10 s")

    def test_silent(self) -> None:
        """
        A connection without a byte is closed without a word.
        """
        wire = self.start(headers_timeout=10)
        client = wire.connect()
        wire.wait(13)
        self.assertEqual(client.take(), b"")
        self.assertIsNotNone(client.lost)
        self.assertFalse(client.aborted)


class LoopTests(FastRouterCase):
    """
    Routers that have subscribed to each other.
    """

    def setUp(self) -> None:
        self.mark = make_mark()
        self.registry = Registry(RegistrySettings())
        self.mappers = {Mapper.SUBSCRIPTION: lambda asked: self.registry.lookup(asked.host)}
        self.join("127.0.0.1:4000", self.mark)

    def join(self, address: str, *hops: str) -> None:
        said = announcement(address, key="a.example", modifier1=5, modifier2=6)
        self.registry.announce(said, 0, hops)

    def bearing(self, *marks: str, payload: bytes = PAYLOAD) -> bytes:
        for mark in marks:
            payload = add_mark(payload, mark)
        return build_packet(9, payload, 9)

    def test_marked(self) -> None:
        """
        Only a request that another router gets has a variable more.
        """
        wire = self.start(to=())
        self.ask()
        marked = self.bearing(wire.router.mark)[4:]
        self.assertEqual(wire.dial.accept().take(), build_packet(5, marked, 6))
        self.join("127.0.0.1:5000")
        self.ask()
        self.assertEqual(wire.dial.accept().take(), ROUTED)

    def test_back(self) -> None:
        """
        A request that has come back is refused, whoever its peer is.
        """
        for changes in ({}, {"trusted": (), "trusts_unix": False}):
            wire = self.start(to=(), **changes)
            payload = PAYLOAD + encode_variables([(b"UWSGI_FILE", b"/x")])
            self.ask(build_packet(0, payload, 0))
            client = self.ask(wire.dial.accept().take())
            self.assert_refused(client.take(), 508, b"has come back to this router", b"a.example")
            self.assertEqual(wire.refusals.counts, {Reason.LOOP: 1})

    def test_named(self) -> None:
        """
        A name may lead back to this very router.
        """
        self.registry = Registry(RegistrySettings())
        self.join("router.test:80")
        wire = self.start(to=())
        self.ask()
        client = self.ask(wire.dial.accept().take())
        self.assert_refused(client.take(), 508, b"has come back to this router")

    def test_long_way(self) -> None:
        """
        A request goes through eight routers and no further.
        """
        wire = self.start(to=())
        marks = [make_mark() for _ in range(HOPS_LIMIT)]
        self.ask(self.bearing(*marks[1:]))
        variables, _, _ = self.variables(wire.dial.accept().take())
        self.assertEqual(variables[WAY].decode().split(","), [*marks[1:], wire.router.mark])
        client = self.ask(self.bearing(*marks))
        self.assert_refused(client.take(), 508, b"came through 8 routers")

    def test_passed_over(self) -> None:
        """
        A request does not go to a router that it has come through, if there is
        any other node.
        """
        wire = self.start(to=())
        client = self.ask(self.bearing(self.mark))
        self.assert_refused(client.take(), 508, b"127.0.0.1:4000 is a router that the request")
        self.assertEqual(wire.dialer.dials, [])
        self.join("127.0.0.1:5000", make_mark())
        for _ in range(4):
            self.ask(self.bearing(self.mark))
            self.assertEqual(str(wire.dial.address), "127.0.0.1:5000")

    def test_both_nodes_gone(self) -> None:
        """
        The nodes of two routers have died: the request is refused, where it would
        go round.
        """
        wire = self.start(to=())
        self.join("127.0.0.1:5000")
        client = self.ask()
        wire.dial.refuse()
        self.assertEqual(str(wire.dial.address), "127.0.0.1:4000")
        back = self.ask(wire.dial.accept().take())
        self.assert_refused(back.take(), 508, b"has come back")
        self.assertEqual(client.take(), b"")

    def test_no_room(self) -> None:
        """
        A request that is as long as can be goes to direct nodes only.
        """
        wire = self.start(to=())
        longest = PAYLOAD + encode_variables([(b"LONG", b"x" * (65535 - len(PAYLOAD) - 8))])
        client = self.ask(build_packet(0, longest, 0))
        self.assert_refused(client.take(), 431, b"no room for the mark of a router")
        self.join("127.0.0.1:5000")
        self.ask(build_packet(0, longest, 0))
        self.assertEqual(wire.dial.accept().take(), build_packet(5, longest, 6))


class DrainTests(FastRouterCase):
    def test_drain(self) -> None:
        """
        A router that stops closes connections without a request, and lets the
        others end.
        """
        wire = self.start()
        idle, partial, busy = wire.connect(), self.ask(REQUEST[:5]), self.ask(UPLOAD)
        node = wire.dial.accept()
        drained = wire.factory.drain()
        wire.clock.advance(0)
        self.assertIsNotNone(idle.lost)
        partial.send(REQUEST[5:])
        wire.dial.accept().lose()
        partial.lose()
        node.send(b"answer")
        node.lose()
        self.assertEqual(busy.take(), b"answer")
        self.assertNoResult(drained)
        busy.lose()
        self.successResultOf(drained)

    def test_cut(self) -> None:
        """
        A router that waits no longer ends both sides.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        drained = wire.factory.drain()
        wire.factory.cut()
        wire.clock.advance(0)
        self.assertTrue(client.aborted and node.aborted)
        self.successResultOf(drained)


class WaitingTests(FastRouterCase):
    """
    A mapper that takes its time.
    """

    def setUp(self) -> None:
        self.asking: list[Deferred[Pool | None]] = []
        self.cancelled: list[object] = []
        self.mappers = {Mapper.CACHE: self.look}

    def look(self, asked: Asked) -> Deferred[Pool | None]:
        self.asking.append(Deferred(self.cancelled.append))
        return self.asking[-1]

    def test_found(self) -> None:
        """
        The request goes on when the pool is known, also where the web server
        has closed its half by then.
        """
        for half_closed in (False, True):
            wire = self.start()
            client = self.ask(REQUEST + b"body")
            self.assertFalse(client.reading)
            if half_closed:
                client.reading = True
                client.send_end()
            self.asking[-1].callback(None)
            node = wire.dial.accept()
            self.assertEqual(node.take(), ROUTED + b"body")
            self.assertEqual(node.ended, half_closed)

    def test_refused(self) -> None:
        """
        A mapper in trouble refuses the request.
        """
        self.start()
        client = self.ask()
        self.asking[-1].errback(MapperUnavailable("the Redis is away"))
        self.assert_refused(client.take(), 503, b"the Redis is away")

    def test_too_slow(self) -> None:
        """
        What takes longer than the time-out is refused.
        """
        wire = self.start(timeout=5)
        client = self.ask()
        wire.wait(7)
        self.assert_refused(client.take(), 503, b"5 s")
        self.assertEqual(self.cancelled, self.asking)

    def test_drain(self) -> None:
        """
        A router that stops lets it go on.
        """
        wire = self.start()
        client = self.ask()
        wire.factory.drain()
        self.asking[-1].callback(None)
        wire.dial.accept().send(b"answer")
        self.assertEqual(client.take(), b"answer")


class PostBufferingTests(FastRouterCase):
    def upload(self, size: int) -> bytes:
        variables = [(b"HTTP_HOST", b"a.example"), (b"CONTENT_LENGTH", b"%d" % size)]
        return build_packet(0, encode_variables(variables), 0)

    def test_kept(self) -> None:
        """
        A node is asked when the whole body is here, in memory or in a file.
        """
        for buffering in (1, 100):
            wire = self.start(post_buffering=buffering)
            client = self.ask(self.upload(6) + b"abc")
            self.assertEqual(wire.dialer.dials, [])
            client.send(b"def")
            node = wire.dial.accept()
            self.assertTrue(node.take().endswith(b"abcdef"))
            node.send(b"answer")
            node.lose()
            self.assertEqual(client.take(), b"answer")
            self.assertIsNotNone(client.lost)

    def test_early_answer(self) -> None:
        """
        A node that answers without reading the body has answered: its reset is
        no failure.
        """
        wire = self.start(post_buffering=100)
        client = self.ask(self.upload(6))
        client.send(b"abcdef")
        node = wire.dial.accept()
        node.send(b"answer")
        node.break_off()
        self.assertEqual(client.take(), b"answer")
        self.assertFalse(client.aborted)

    def test_nothing_to_keep(self) -> None:
        """
        A request without a body, or with one of unknown length, goes on.
        """
        wire = self.start(post_buffering=1)
        for packet in (REQUEST, self.upload(BUFFERED_LIMIT + 1)):
            self.ask(packet)
            wire.dial.accept()

    def test_incomplete(self) -> None:
        """
        A body that does not come whole is no request for a node.
        """
        wire = self.start(post_buffering=1, timeout=5)
        client = self.ask(self.upload(6) + b"abc")
        wire.wait(7)
        self.assert_refused(client.take(), 408, b"body")
        client = self.ask(self.upload(6) + b"abc")
        client.send_end()
        self.assert_refused(client.take(), 400, b"body")
        self.assertEqual(wire.dialer.dials, [])


class TrustTests(FastRouterCase):
    PACKET = build_packet(
        0,
        encode_variables(
            [(b"UWSGI_FASTROUTER_KEY", b"a"), (b"UWSGI_FILE", b"/x"), (b"REMOTE_ADDR", b"10.0.0.1")]
        ),
        0,
    )

    def got(self, **changes: Any) -> tuple[list[bytes], bytes]:
        """
        The names of the variables that the node got, and who the client is.
        """
        wire = self.start(**changes)
        client = self.ask(self.PACKET)
        found, _, _ = self.variables(wire.dial.accept().take())
        frontend = client.protocol
        assert isinstance(frontend, Frontend)
        return list(found), frontend.client_address()

    def test_stranger(self) -> None:
        """
        A stranger may name the key and steer no worker, nor say who asks.
        """
        names, client = self.got()
        self.assertEqual(names, [b"UWSGI_FASTROUTER_KEY", b"REMOTE_ADDR"])
        self.assertEqual(client, b"192.0.2.7")

    def test_trusted(self) -> None:
        """
        A trusted web server is believed.
        """
        names, client = self.got(trusted=("192.0.2.0/24",))
        self.assertEqual(names, [b"UWSGI_FASTROUTER_KEY", b"UWSGI_FILE", b"REMOTE_ADDR"])
        self.assertEqual(client, b"10.0.0.1")

    def test_header(self) -> None:
        """
        Balancing may ask for headers.
        """
        self.start()
        client = self.ask(
            build_packet(0, encode_variables([(b"HTTP_HOST", b"a"), (b"HTTP_X_A", b"1")]), 0)
        )
        frontend = client.protocol
        assert isinstance(frontend, Frontend)
        self.assertEqual([frontend.header(b"x-a"), frontend.header(b"x-b")], [b"1", b""])

    def test_body_on_the_way(self) -> None:
        """
        A body that nobody told of waits while a second node is asked.
        """
        wire = self.start(to=(NODE, OTHER))
        variables = [(b"HTTP_HOST", b"a"), (b"REQUEST_METHOD", b"GET")]
        client = self.ask(build_packet(0, encode_variables(variables), 0))
        wire.dial.accept().lose()
        client.send(b"late")
        self.assertFalse(client.reading)
        node = wire.dial.accept()
        self.assertTrue(node.take().endswith(b"late"))
        self.assertTrue(client.reading)

    def test_refused_head(self) -> None:
        """
        The answer to HEAD has no body, whoever gives it.
        """
        self.start(to=())
        variables = [(b"HTTP_HOST", b"a"), (b"REQUEST_METHOD", b"HEAD")]
        client = self.ask(build_packet(0, encode_variables(variables), 0))
        head, _, body = client.take().partition(b"\r\n\r\n")
        self.assertIn(b" 404 ", head)
        self.assertEqual(body, b"")

    def test_repeated(self) -> None:
        """
        A GET without a body goes to another node when the first has gone.
        """
        for method, length, dials in ((b"GET", b"", 2), (b"POST", b"", 1), (b"PUT", b"1", 1)):
            wire = self.start(to=(NODE, OTHER))
            variables = [
                (b"HTTP_HOST", b"a"),
                (b"REQUEST_METHOD", method),
                (b"CONTENT_LENGTH", length),
            ]
            self.ask(build_packet(0, encode_variables(variables), 0))
            wire.dial.accept().lose()
            self.assertEqual(len(wire.dialer.dials), dials, method)
