"""
The HTTP router as the dialogue between a client, the router and a node.
"""

from __future__ import annotations

from errno import ENOENT, ENOSPC

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError

from emperor.config.settings import Mapper
from emperor.proxy.http import HEADS_PER_TURN, PIPELINE_LIMIT, HttpFrontend
from emperor.proxy.refusals import Reason
from emperor.proxy.spool import Spool
from emperor.routing.mappers import Asked
from emperor.routing.mapping import MapperUnavailable
from emperor.routing.pools import Pool, SingleNode
from emperor.testing.proxy import FakeStream
from tests.proxy.dialogue import HTTP, NODE, OTHER, DialogueCase

GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UPLOAD = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"


class HttpCase(DialogueCase):
    settings = HTTP

    def ask(self, request: bytes = GET) -> FakeStream:
        """
        A client that has sent this.
        """
        client = self.dialogue.connect()
        client.send(request)
        return client


class AnswerTests(HttpCase):
    def test_request_and_answer(self) -> None:
        """
        A request reaches the node as variables, and its answer comes back.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        found, modifiers, body = self.variables(node.take())
        self.assertEqual(wire.dial.address, NODE.address)
        self.assertEqual(wire.dial.timeout, HTTP.connect_timeout)
        self.assertEqual(found[b"HTTP_HOST"], b"a.example")
        self.assertEqual(found[b"REMOTE_ADDR"], b"192.0.2.7")
        self.assertEqual(found[b"REMOTE_PORT"], b"40000")
        self.assertEqual(found[b"SERVER_PORT"], b"80")
        self.assertEqual(found[b"SERVER_NAME"], b"machine")
        self.assertEqual((modifiers, body), ((5, 6), b""))
        node.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertIsNotNone(node.lost)
        self.assertIsNone(client.lost)

    def test_modifiers_and_variables_of_the_options(self) -> None:
        """
        http-modifier1 and http-var are applied; a modifier of 0 leaves the node's.
        """
        wire = self.start(modifiers=(9, 0), variables=(("A", "b"),))
        self.ask()
        found, modifiers, _ = self.variables(wire.dial.accept().take())
        self.assertEqual(modifiers, (9, 6))
        self.assertEqual(list(found.items())[-1], (b"A", b"b"))

    def test_server_name_is_host(self) -> None:
        """
        http-server-name-as-http-host gives the application the asked host.
        """
        wire = self.start(server_name_as_http_host=True)
        self.ask()
        found, _, _ = self.variables(wire.dial.accept().take())
        self.assertEqual(found[b"SERVER_NAME"], b"a.example")

    def test_keep_alive(self) -> None:
        """
        Several requests go over one client connection, each over its own to a node.
        """
        wire = self.start()
        client = self.ask()
        for count in range(1, 4):
            self.assertEqual(len(wire.dialer.dials), count)
            wire.dial.accept().send(OK)
            self.assertEqual(client.take(), OK)
            client.send(GET)

    def test_connection_close(self) -> None:
        """
        A client that asks for it gets its connection closed after the answer.
        """
        wire = self.start()
        client = self.ask(GET[:-2] + b"Connection: close\r\n\r\n")
        wire.dial.accept().send(OK)
        self.assertIn(b"\r\nConnection: close\r\n", client.take())
        self.assertIsNotNone(client.lost)

    def test_http_1_0(self) -> None:
        """
        HTTP/1.0 without Host goes to the machine's name and ends by closing,
        without chunks.
        """
        wire = self.start()
        client = self.ask(b"GET / HTTP/1.0\r\n\r\n")
        node = wire.dial.accept()
        found, _, _ = self.variables(node.take())
        self.assertEqual(found[b"SERVER_PROTOCOL"], b"HTTP/1.0")
        node.send(b"HTTP/1.0 200 OK\r\n\r\nsome")
        node.lose()
        self.assertEqual(client.take(), b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nsome")
        self.assertIsNotNone(client.lost)

    def test_no_keepalive(self) -> None:
        """
        With http-keepalive off each answer ends the connection.
        """
        wire = self.start(keepalive=0)
        client = self.ask()
        wire.dial.accept().send(OK)
        self.assertIn(b"Connection: close", client.take())
        self.assertIsNotNone(client.lost)

    def test_unsized_answer(self) -> None:
        """
        An answer without a length comes in chunks, and the connection goes on.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        node.send(b"HTTP/1.1 200 OK\r\n\r\nab")
        node.send(b"cde")
        node.lose()
        head, _, body = client.take().partition(b"\r\n\r\n")
        self.assertIn(b"Transfer-Encoding: chunked", head)
        self.assertEqual(body, b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")
        client.send(GET)
        self.assertEqual(len(wire.dialer.dials), 2)

    def test_head(self) -> None:
        """
        The answer to HEAD ends with its head, whatever length it names.
        """
        wire = self.start()
        client = self.ask(b"HEAD" + GET[3:])
        wire.dial.accept().send(OK)
        self.assertEqual(client.take(), OK[:-2])
        client.send(GET)
        self.assertEqual(len(wire.dialer.dials), 2)

    def test_slow_client(self) -> None:
        """
        A node is not read while its client takes nothing.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        node.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na part")
        client.fill()
        self.assertFalse(node.reading)
        client.drain()
        self.assertTrue(node.reading)

    def test_node_that_does_not_close(self) -> None:
        """
        A node gets a few seconds to close after its answer.
        """
        wire = self.start()
        self.ask()
        node = wire.dial.accept()
        node.fill()
        node.send(OK)
        wire.wait(4)
        self.assertIsNone(node.lost)
        wire.wait(4)
        self.assertTrue(node.aborted)


class BrokenAnswerTests(HttpCase):
    def test_truncated(self) -> None:
        """
        Where a sized answer stops too early the client sees a broken connection.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        node.send(OK[:-1])
        node.lose()
        self.assertTrue(client.aborted)

    def test_broken_unsized(self) -> None:
        """
        A node that breaks off does not make an unsized answer look complete.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        node.send(b"HTTP/1.1 200 OK\r\n\r\nab")
        node.break_off()
        self.assertNotIn(b"0\r\n\r\n", client.take())
        self.assertTrue(client.aborted)

    def test_broken_after_upload(self) -> None:
        """
        A reset after an answer is no loss if the request had a body that the
        node did not read.
        """
        wire = self.start()
        client = self.ask(UPLOAD + b"0123456789")
        node = wire.dial.accept()
        node.send(b"HTTP/1.1 200 OK\r\n\r\nab")
        node.break_off()
        self.assertTrue(client.take().endswith(b"0\r\n\r\n"))
        self.assertFalse(client.aborted)

    def test_garbage(self) -> None:
        """
        A node that does not speak HTTP makes a 502, and the client may go on.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        node.send(b"SSH-2.0-OpenSSH\r\n")
        self.assert_refused(client.take(), 502, b"127.0.0.1:3031", b"a.example")
        self.assertTrue(node.aborted)
        client.send(GET)
        self.assertEqual(len(wire.dialer.dials), 2)

    def test_half_a_head(self) -> None:
        """
        A node that closes within its answer's head makes a 502.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        node.send(b"HTTP/1.1 200 OK\r\n")
        node.lose()
        self.assert_refused(client.take(), 502)

    def test_host_that_is_no_text(self) -> None:
        """
        A forced key lets any host through; it can be named all the same.
        """
        wire = self.start(force_key="x")
        client = self.ask(GET.replace(b"a.example", b"\xff"))
        node = wire.dial.accept()
        node.send(OK[:5])
        node.lose()
        self.assert_refused(client.take(), 502, b"\\xff")

    def test_nothing(self) -> None:
        """
        A node that closes without an answer, twice, makes a 502.
        """
        wire = self.start()
        client = self.ask()
        wire.dial.accept().lose()
        wire.dial.accept().lose()
        self.assert_refused(client.take(), 502, b"without an answer")


class RefusalTests(HttpCase):
    def test_unknown_host(self) -> None:
        """
        A host that nobody knows gets 404, and the connection goes on.
        """
        wire = self.start(to=())
        client = self.ask(GET + GET)
        self.assertEqual(client.take().count(b"HTTP/1.1 404 Not Found"), 2)
        self.assertEqual(wire.refusals.counts[Reason.UNKNOWN_HOST], 2)
        self.assertIsNone(client.lost)

    def test_head_refused(self) -> None:
        """
        The refusal of HEAD has no body.
        """
        self.start(to=())
        self.assertTrue(self.ask(b"HEAD" + GET[3:]).take().endswith(b"\r\n\r\n"))

    def test_no_site(self) -> None:
        """
        A host whose socket does not exist is unknown: 404.
        """
        wire = self.start(to=(), base="/run/sites")
        client = self.ask()
        wire.dial.miss(ENOENT)
        self.assert_refused(client.take(), 404, b"/run/sites/a.example")

    def test_bad_hosts(self) -> None:
        """
        A host that is none gets 400 and reaches no node.
        """
        wire = self.start(to=(), base="/run/sites")
        for host in (b"..", b"a/b", b"a b"):
            client = self.ask(GET.replace(b"a.example", host))
            self.assert_refused(client.take(), 400)
        self.assertEqual(wire.dialer.dials, [])

    def test_malformed(self) -> None:
        """
        What is no HTTP gets 400; the rest is read and dropped for a while, so
        that the answer is not lost.
        """
        wire = self.start()
        client = self.ask(b"\x16\x03\x01")
        self.assert_refused(client.take(), 400)
        self.assertTrue(client.ended)
        client.send(GET)
        self.assertEqual(wire.dialer.dials, [])
        wire.wait(4)
        self.assertIsNone(client.lost)
        wire.wait(4)
        self.assertIsNotNone(client.lost)
        self.assertFalse(client.aborted)

    def test_bad_path(self) -> None:
        """
        A malformed escape in the path gets 400.
        """
        self.start()
        self.assert_refused(self.ask(GET.replace(b"GET /", b"GET /%zz")).take(), 400)

    def test_thousands(self) -> None:
        """
        Thousands of refused requests in one piece are answered one by one.
        """
        self.start(to=())
        self.assertEqual(self.ask(GET * 3000).take().count(b"HTTP/1.1 404"), 3000)

    def test_thousands_refused_by_nodes(self) -> None:
        """
        Thousands of requests whose node refuses at once are answered one by one.
        """
        wire = self.start()
        wire.dialer.soon = ConnectionRefusedError()
        client = self.ask(GET * 3000)
        wire.clock.advance(0)
        self.assertEqual(client.take().count(b"HTTP/1.1 503"), 3000)


class PipelineTests(HttpCase):
    def test_order(self) -> None:
        """
        Pipelined requests are asked and answered in their order.
        """
        wire = self.start()
        client = self.ask(GET.replace(b"/ ", b"/1 ") + GET.replace(b"/ ", b"/2 "))
        for path in (b"/1", b"/2"):
            node = wire.dial.accept()
            found, _, _ = self.variables(node.take())
            self.assertEqual(found[b"PATH_INFO"], path)
            node.send(OK)
        self.assertEqual(client.take(), OK * 2)

    def test_after_a_refusal(self) -> None:
        """
        A request behind one whose node did not accept is not forgotten.
        """
        wire = self.start()
        client = self.ask(GET + GET)
        wire.dial.refuse()
        self.assert_refused(client.take(), 503)
        wire.dial.accept().send(OK)
        self.assertEqual(client.take(), OK)

    def test_behind_an_upload(self) -> None:
        """
        What follows a body is the next request.
        """
        wire = self.start()
        client = self.ask(UPLOAD + b"0123456789" + GET)
        node = wire.dial.accept()
        self.assertEqual(self.variables(node.take())[2], b"0123456789")
        node.send(OK)
        wire.dial.accept().send(OK)
        self.assertEqual(client.take(), OK * 2)

    def test_bounded(self) -> None:
        """
        A client that sends many requests and waits for none is not read
        until the earlier ones are answered.
        """
        wire = self.start()
        client = self.ask()
        self.flood(client)
        more = 0
        for _ in range(20):
            node = wire.dial.accept()
            more += self.flood(client)
            node.send(OK)
            more += self.flood(client)
        self.assertLess(more, 2, "a whole buffer for each answered request")

    def test_client_that_takes_nothing(self) -> None:
        """
        No request is read of a client that does not take its answers; when it
        does, all are answered.  Likewise for refusals.
        """
        bad = b"GET / HTTP/1.1\r\nHost: /\r\n\r\n"
        for request in (GET, bad):
            wire = self.start()
            client = self.ask()
            client.fill()
            wire.dial.accept().send(OK)
            client.reading = True
            client.send(request * 3)
            self.assertFalse(client.reading)
            self.assertEqual(len(wire.dialer.dials), 1)
            self.assertEqual(client.take(), OK)
            client.drain()
            if request is GET:
                for _ in range(3):
                    wire.dial.accept().send(OK)
            self.assertEqual(client.take().count(b"HTTP/1.1 "), 3)
            self.assertTrue(client.reading)

    def test_turns(self) -> None:
        """
        Thousands of requests that are answered here leave others their turn.
        """
        wire = self.start()
        client = self.ask(b"")
        bad = b"GET / HTTP/1.1\r\nHost: /\r\n\r\n"
        client.protocol.dataReceived(bad * (HEADS_PER_TURN * 3 + 1))
        self.assertEqual(client.take().count(b"HTTP/1.1 400"), HEADS_PER_TURN)
        self.assertFalse(client.reading)
        wire.clock.advance(0)
        self.assertEqual(client.take().count(b"HTTP/1.1 400"), HEADS_PER_TURN * 2 + 1)
        self.assertTrue(client.reading)
        client.protocol.dataReceived(bad * (HEADS_PER_TURN + 1))
        client.lose()
        wire.clock.advance(0)
        self.assertEqual(client.take().count(b"HTTP/1.1 400"), HEADS_PER_TURN)

    def flood(self, client: FakeStream) -> int:
        pieces = 0
        while client.reading:
            client.send(GET * (PIPELINE_LIMIT // len(GET) // 2))
            pieces += 1
        return pieces

    def test_all_are_answered(self) -> None:
        """
        A flood is answered to its end, and then the client is read again.
        """
        wire = self.start()
        client = self.ask(GET * 2000)
        for _ in range(2000):
            wire.dial.accept().send(OK)
        self.assertEqual(client.take(), OK * 2000)
        self.assertTrue(client.reading)
        client.send(GET)
        self.assertEqual(len(wire.dialer.dials), 2001)


class UploadTests(HttpCase):
    def test_streamed(self) -> None:
        """
        A body is passed on as it comes, once the node has accepted.
        """
        wire = self.start()
        client = self.ask(UPLOAD + b"012")
        self.assertFalse(client.reading)
        node = wire.dial.accept()
        found, _, body = self.variables(node.take())
        self.assertEqual((found[b"CONTENT_LENGTH"], body), (b"10", b"012"))
        client.send(b"3456")
        self.assertEqual(node.take(), b"3456")
        client.send(b"789")
        self.assertEqual(node.take(), b"789")
        node.send(OK)
        self.assertEqual(client.take(), OK)

    def test_slow_node(self) -> None:
        """
        A client is not read while the node takes nothing.
        """
        wire = self.start()
        client = self.ask(UPLOAD)
        node = wire.dial.accept()
        node.fill()
        self.assertFalse(client.reading)
        node.drain()
        self.assertTrue(client.reading)

    def test_too_slow(self) -> None:
        """
        A client that stops within its body gets 408; where the node takes
        nothing it is the node's time-out.
        """
        for full, status in ((False, 408), (True, 504)):
            wire = self.start(timeout=10)
            client = self.ask(UPLOAD)
            node = wire.dial.accept()
            if full:
                node.fill()
            wire.wait(13)
            self.assert_refused(client.take(), status, b"10 s")

    def test_early_answer(self) -> None:
        """
        An answer before the end of the body is passed on; the rest of the body
        is read and dropped for a while.
        """
        wire = self.start()
        client = self.ask(UPLOAD)
        node = wire.dial.accept()
        node.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertTrue(client.ended)
        self.assertIsNone(client.lost)
        client.send(b"0123456789")
        client.send_end()
        self.assertIsNotNone(client.lost)
        self.assertFalse(client.aborted)

    def test_early_answer_of_full_node(self) -> None:
        """
        A client that waits for a full node is read again after the answer.
        """
        wire = self.start()
        client = self.ask(UPLOAD)
        node = wire.dial.accept()
        node.fill()
        node.send(OK)
        self.assertTrue(client.reading)

    def test_continue(self) -> None:
        """
        A client that expects it is told to go on when the node has accepted.
        """
        wire = self.start()
        client = self.ask(UPLOAD[:-2] + b"Expect: 100-continue\r\n\r\n")
        self.assertEqual(client.take(), b"")
        node = wire.dial.accept()
        self.assertEqual(client.take(), b"HTTP/1.1 100 Continue\r\n\r\n")
        found, _, _ = self.variables(node.take())
        self.assertNotIn(b"HTTP_EXPECT", found)

    def test_no_continue_needed(self) -> None:
        """
        A client that does not wait is not told to go on.
        """
        wire = self.start()
        client = self.ask(UPLOAD[:-2] + b"Expect: 100-continue\r\n\r\n0")
        wire.dial.accept()
        self.assertEqual(client.take(), b"")

    def test_refused(self) -> None:
        """
        A refused upload is not read on: the connection closes after the answer.
        """
        wire = self.start()
        client = self.ask(UPLOAD)
        wire.dial.refuse()
        answer = client.take()
        self.assert_refused(answer, 503, b"nothing listens")
        self.assertIn(b"\r\nRetry-After: ", answer)
        self.assertIn(b"\r\nConnection: close\r\n", answer)
        self.assertTrue(client.ended)

    def test_client_ends_within(self) -> None:
        """
        A client that closes its half within the body gets 400, and the node
        does not get a shorter body as if it were whole.
        """
        wire = self.start()
        client = self.ask(UPLOAD)
        node = wire.dial.accept()
        client.send_end()
        self.assert_refused(client.take(), 400)
        self.assertTrue(node.aborted)
        self.assertIsNotNone(client.lost)


class ChunkedUploadTests(HttpCase):
    def test_spooled(self) -> None:
        """
        A chunked body reaches the node whole, with its length.
        """
        wire = self.start()
        client = self.ask(CHUNKED + b"3\r\nabc\r\n")
        client.send(b"2\r\nde\r\n")
        self.assertEqual(wire.dialer.dials, [])
        client.send(b"0\r\n\r\n")
        node = wire.dial.accept()
        found, _, body = self.variables(node.take())
        self.assertEqual((found[b"CONTENT_LENGTH"], body), (b"5", b"abcde"))
        self.assertNotIn(b"HTTP_TRANSFER_ENCODING", found)
        node.send(OK)
        self.assertTrue(client.take().endswith(b"ok"))
        self.assertIsNotNone(client.lost)

    def test_large_body_to_slow_node(self) -> None:
        """
        A large body is sent as fast as the node takes it.
        """
        wire = self.start()
        body = bytes(range(256)) * 1024
        self.ask(CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        node = wire.dial.accept()
        self.assertEqual(self.variables(node.take())[2], body)

    def test_slow_client(self) -> None:
        """
        The node is not read while the client takes nothing, here as well.
        """
        wire = self.start()
        client = self.ask(CHUNKED + b"0\r\n\r\n")
        node = wire.dial.accept()
        client.fill()
        self.assertFalse(node.reading)
        client.drain()
        self.assertTrue(node.reading)

    def test_node_leaves_early(self) -> None:
        """
        A node may answer without taking the body.
        """
        wire = self.start()
        client = self.ask(CHUNKED + b"5\r\nabcde\r\n0\r\n\r\n")
        node = wire.dial.accept(full=True)
        node.send(OK)
        self.assertTrue(client.take().endswith(b"ok"))
        wire.wait(8)
        self.assertTrue(node.aborted)

    def test_continue(self) -> None:
        """
        A chunked body that is waited for is asked for at once.
        """
        self.start()
        client = self.ask(CHUNKED[:-2] + b"Expect: 100-continue\r\n\r\n")
        self.assertEqual(client.take(), b"HTTP/1.1 100 Continue\r\n\r\n")

    def test_no_room(self) -> None:
        """
        A body that cannot be kept is refused with the reason, and asked for
        again later.
        """

        def full(spool: Spool, data: bytes) -> bytes | None:
            raise OSError(ENOSPC, "No space left on device")

        self.start()
        self.patch(Spool, "feed", full)
        client = self.ask(CHUNKED + b"3\r\nabc\r\n")
        self.assert_refused(client.take(), 503, b"No space left")

    def test_limit(self) -> None:
        """
        More than the limit is 413, as soon as it is known.
        """
        wire = self.start(chunked_limit=4)
        client = self.ask(CHUNKED + b"4\r\nabcd\r\n")
        self.assertEqual(client.take(), b"")
        client.send(b"1\r\ne\r\n")
        self.assert_refused(client.take(), 413, b"4 bytes")
        self.assertEqual(wire.dialer.dials, [])
        self.assertEqual(wire.refusals.counts[Reason.TOO_LARGE], 1)

    def test_malformed(self) -> None:
        """
        Malformed chunks get 400.
        """
        self.start()
        self.assert_refused(self.ask(CHUNKED + b"xyz\r\n").take(), 400)

    def test_client_ends_within(self) -> None:
        """
        A client that closes its half before the last chunk gets 400.
        """
        self.start()
        client = self.ask(CHUNKED + b"3\r\nab")
        client.send_end()
        self.assert_refused(client.take(), 400)

    def test_too_slow(self) -> None:
        """
        A client that stops within the chunks gets 408.
        """
        wire = self.start(timeout=10)
        client = self.ask(CHUNKED + b"3\r\nab")
        wire.wait(9)
        self.assertEqual(client.take(), b"")
        wire.wait(4)
        self.assert_refused(client.take(), 408, b"10 s")


class EndTests(HttpCase):
    def test_half_close(self) -> None:
        """
        A client that closes its half after the request still gets the answer.
        """
        wire = self.start()
        client = self.ask()
        client.send_end()
        node = wire.dial.accept()
        node.send(OK)
        self.assertTrue(client.take().endswith(b"ok"))
        self.assertIsNotNone(client.lost)
        self.assertFalse(client.aborted)

    def test_half_close_behind_several(self) -> None:
        """
        A client that sends several requests and closes its half gets all the
        answers.
        """
        wire = self.start()
        client = self.ask(GET * 2)
        client.send_end()
        for _ in range(2):
            wire.dial.accept().send(OK)
            self.assertTrue(client.take().endswith(b"ok"))
        self.assertIsNotNone(client.lost)

    def test_half_close_within_the_next(self) -> None:
        """
        A client that closes its half within its second request is told so at
        once, after its first answer.
        """
        wire = self.start()
        client = self.ask(GET + GET[:10])
        client.reading = True
        client.send_end()
        wire.dial.accept().send(OK)
        answers = client.take()
        self.assertTrue(answers.startswith(OK))
        self.assert_refused(answers[len(OK) :], 400)
        self.assertIsNotNone(client.lost)

    def test_end_is_read_once(self) -> None:
        """
        Nothing reads on behind the end of a client's half.
        """
        wire = self.start()
        client = self.ask()
        client.send_end()
        wire.dial.accept()
        self.assertFalse(client.reading)

    def test_half_close_within_head(self) -> None:
        """
        A client that closes its half within a head gets 400.
        """
        self.start()
        client = self.ask(GET[:-2])
        client.send_end()
        self.assert_refused(client.take(), 400)
        self.assertIsNotNone(client.lost)

    def test_half_close_without_request(self) -> None:
        """
        A client that closes without a request gets nothing.
        """
        self.start()
        client = self.ask(GET[:0])
        client.send_end()
        self.assertEqual(client.take(), b"")
        self.assertIsNotNone(client.lost)

    def test_partial_head(self) -> None:
        """
        A head that does not get complete in time gets 408, however busily it drips.
        """
        wire = self.start(headers_timeout=10)
        client = self.ask(GET[:5])
        for position in range(5, 13):
            client.send(GET[position : position + 1])
            wire.wait(1)
        self.assertEqual(client.take(), b"")
        wire.wait(5)
        self.assert_refused(client.take(), 408, b"10 s")

    def test_idle(self) -> None:
        """
        A connection without a next request is closed without a word.
        """
        wire = self.start(keepalive=10)
        client = self.ask()
        wire.dial.accept().send(OK)
        client.take()
        wire.wait(9)
        self.assertIsNone(client.lost)
        wire.wait(4)
        self.assertIsNotNone(client.lost)
        self.assertFalse(client.aborted)
        self.assertEqual(client.take(), b"")

    def test_idle_with_slow_reader(self) -> None:
        """
        A client that still reads its last answer when the connection counts as
        idle gets all of it.
        """
        wire = self.start(keepalive=10, timeout=30)
        client = self.ask()
        client.fill()
        node = wire.dial.accept()
        node.reading = True
        node.send(OK)
        wire.wait(20)
        self.assertFalse(client.aborted)
        client.drain()
        self.assertIsNotNone(client.lost)
        self.assertFalse(client.aborted)

    def test_drain_idle(self) -> None:
        """
        A router that stops closes idle connections at once.
        """
        wire = self.start()
        client = wire.connect()
        drained = wire.factory.drain()
        wire.clock.advance(0)
        self.assertIsNotNone(client.lost)
        self.successResultOf(drained)

    def test_drain_busy(self) -> None:
        """
        A router that stops answers first, and says that it closes.
        """
        wire = self.start()
        client = self.ask()
        wire.router.draining = True
        drained = wire.factory.drain()
        node = wire.dial.accept()
        self.assertNoResult(drained)
        node.send(OK)
        self.assertIn(b"\r\nConnection: close\r\n", client.take())
        self.assertIsNotNone(client.lost)
        self.successResultOf(drained)

    def test_drain_refusal(self) -> None:
        """
        A refusal of a router that stops ends the connection too.
        """
        wire = self.start(to=(NODE, OTHER))
        client = self.ask()
        wire.router.draining = True
        wire.dial.refuse()
        wire.dial.refuse()
        self.assertIn(b"\r\nConnection: close\r\n", client.take())
        self.assertIsNotNone(client.lost)

    def test_cut(self) -> None:
        """
        A router that waits no longer ends both sides of a request.
        """
        wire = self.start()
        client = self.ask()
        node = wire.dial.accept()
        wire.factory.cut()
        wire.clock.advance(0)
        self.assertTrue(client.aborted)
        self.assertTrue(node.aborted)

    def test_cut_while_connecting(self) -> None:
        """
        A router that waits no longer does not go on connecting.
        """
        wire = self.start()
        self.ask()
        wire.factory.cut()
        self.assertTrue(wire.dial.cancelled)


class WaitingTests(HttpCase):
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
        The request goes on when the pool is known; so does the next one.
        """
        wire = self.start()
        client = self.ask(GET + GET)
        self.assertEqual(wire.dialer.dials, [])
        for _ in range(2):
            self.asking[-1].callback(SingleNode(OTHER, from_host=False))
            self.assertEqual(wire.dial.address, OTHER.address)
            wire.dial.accept().send(OK)
            self.assertEqual(client.take(), OK)

    def test_body(self) -> None:
        """
        A body waits with the request, in either form.
        """
        for lines, body in (
            (b"Content-Length: 3\r\n", b"abc"),
            (b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n0\r\n\r\n"),
        ):
            wire = self.start()
            client = self.ask(b"POST / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n" + body[:2])
            self.assertFalse(client.reading)
            self.asking[-1].callback(None)
            if not wire.dialer.dials:
                client.send(body[2:])
                node = wire.dial.accept()
            else:
                node = wire.dial.accept()
                client.send(body[2:])
            self.assertEqual(self.variables(node.take())[2], b"abc")

    def test_refused(self) -> None:
        """
        A mapper in trouble refuses the request; the connection goes on.
        """
        self.start()
        client = self.ask()
        self.asking[-1].errback(MapperUnavailable("the Redis is away"))
        self.assert_refused(client.take(), 503, b"the Redis is away")
        client.send(GET)
        self.asking[-1].errback(ZeroDivisionError())
        self.assert_refused(client.take(), 502)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_client_leaves(self) -> None:
        """
        Nobody waits for what a client wanted that has gone.
        """
        self.start()
        client = self.ask()
        client.break_off()
        self.assertEqual(self.cancelled, self.asking)

    def test_too_slow(self) -> None:
        """
        What takes longer than the time-out is refused.
        """
        wire = self.start(timeout=5)
        client = self.ask()
        wire.wait(7)
        self.assert_refused(client.take(), 503, b"5 s")
        self.assertEqual(self.cancelled, self.asking)

    def test_half_close(self) -> None:
        """
        A client that has sent all gets its answer.
        """
        wire = self.start()
        client = self.ask()
        client.reading = True
        client.send_end()
        self.asking[-1].callback(None)
        wire.dial.accept().send(OK)
        self.assertIn(b"200 OK", client.take())


class SlowReceiverTests(HttpCase):
    def test_progress(self) -> None:
        """
        A request whose receivers take something, however little, goes on; one
        of whose nothing is taken ends.
        """
        wire = self.start(timeout=5)
        client = self.ask()
        node = wire.dial.accept()
        node.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
        client.fill()
        for stream in (client, node, client):
            stream.taken += 1
            wire.wait(6)
            self.assertIsNone(client.lost)
        wire.wait(6)
        self.assertIsNotNone(client.lost)


class PostBufferingTests(HttpCase):
    def test_kept(self) -> None:
        """
        A node is asked when the whole body is here; what follows is the next
        request.
        """
        wire = self.start(post_buffering=2)
        client = self.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
        self.assertEqual(wire.dialer.dials, [])
        client.send(b"def" + GET)
        node = wire.dial.accept()
        variables, _, body = self.variables(node.take())
        self.assertEqual((variables[b"CONTENT_LENGTH"], body), (b"6", b"abcdef"))
        node.send(OK)
        self.assertEqual(client.take(), OK)
        wire.dial.accept().send(OK)
        self.assertEqual(client.take(), OK)

    def test_longer_than_is_kept(self) -> None:
        """
        A body over the limit is passed on as it comes.
        """
        wire = self.start(post_buffering=2, chunked_limit=5)
        self.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
        self.assertEqual(self.variables(wire.dial.accept().take())[2], b"abc")


class SeekerTests(HttpCase):
    def test_header(self) -> None:
        """
        Balancing may ask for headers and for the client.
        """
        self.start()
        client = self.ask(GET[:-2] + b"Cookie: a=1\r\nX-A: 1\r\nX-A: 2\r\ncookie: b=2\r\n\r\n")
        frontend = client.protocol
        assert isinstance(frontend, HttpFrontend)
        self.assertEqual(frontend.header(b"cookie"), b"a=1; b=2")
        self.assertEqual(frontend.header(b"x-a"), b"1, 2")
        self.assertEqual(frontend.header(b"x-b"), b"")
        self.assertEqual(frontend.client_address(), b"192.0.2.7")

    def test_repeated(self) -> None:
        """
        A request without a body and with an idempotent method goes to another
        node when the first has gone; others do not.
        """
        post = GET.replace(b"GET", b"POST")
        put = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
        for request, repeated in ((GET, True), (post, False), (put, False)):
            wire = self.start(to=(NODE, OTHER))
            client = self.ask(request)
            wire.dial.accept().lose()
            self.assertEqual(len(wire.dialer.dials), 2 if repeated else 1, request)
            if repeated:
                wire.dial.accept().send(OK)
                self.assertEqual(client.take(), OK)
            else:
                self.assert_refused(client.take(), 502)
