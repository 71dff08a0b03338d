"""A backend of HTTP/2 refuses a stream whose body is still on its way: what has gone out of it is
asked again, as long as it was kept, and nothing of it is lost or doubled."""
import threading

import pytest

from harness import config
from harness.either import Talk1, Talk2
from harness.http2 import Code
from harness.raw import assert_problem
from harness.tls import server_context
from harness.waiting import DEADLINE, eventually

FIRST, SECOND = b"first " * 500, b"second " * 500
KEPT = 65_535
CLIENTS = pytest.mark.parametrize("kind", [Talk1, Talk2], ids=["http1", "http2"])


def refused_stream(stream):
    stream.reset(Code.REFUSED_STREAM)


def goaway(stream):
    stream.connection.goaway(last=0)


REFUSALS = pytest.mark.parametrize("refuse", [refused_stream, goaway])


class Refusing:
    """A backend that refuses the first requests after `taken` bytes of their bodies, or at their
    ends, and answers the next with its body."""

    def __init__(self, peers, refuse=refused_stream, taken=0, times=1, whole=False, tls=None):
        self.refuse, self.taken, self.whole = refuse, taken, whole
        self.refused, self.trailers, self.left = threading.Event(), None, times
        self.backend = peers.http2_backend(self.script, tls=tls)
        self.gateway = None

    def fronted(self, peers, **settings):
        self.gateway = peers.gateway(config.proxy(self.backend, service={"protocol": "http2"},
                                                  **settings))
        return self

    def script(self, stream):
        if self.left == 0:
            body = stream.recv_body()
            self.trailers = stream.trailers
            stream.answer(200, body=body)
            return
        self.left -= 1
        got = 0
        while self.whole or got < self.taken:
            piece = stream.piece()
            if piece is None:
                break
            got += len(piece)
        self.refuse(stream)
        if self.left == 0:
            self.refused.set()

    def wait(self):
        assert self.refused.wait(DEADLINE), "the request did not come"

    def attempts(self):
        return self.gateway.wait_access_log()[0]["attempts"]


@CLIENTS
@REFUSALS
def test_an_upload_refused_before_its_body_came_is_asked_again(peers, kind, refuse):
    backend = Refusing(peers, refuse).fronted(peers)
    call = peers.client(backend.gateway, kind=kind).open("/")
    backend.wait()
    call.send(FIRST)
    call.send(SECOND)
    call.end()
    answer = call.answer()
    assert (answer.status, answer.body) == (200, FIRST + SECOND)
    assert backend.attempts() == 2


@CLIENTS
@REFUSALS
def test_an_upload_refused_within_its_body_is_asked_again(peers, kind, refuse):
    """Also when it is refused once more."""
    backend = Refusing(peers, refuse, taken=len(FIRST), times=2).fronted(peers)
    call = peers.client(backend.gateway, kind=kind).open("/", length=len(FIRST + SECOND))
    call.send(FIRST)
    backend.wait()
    call.send(SECOND)
    call.end()
    answer = call.answer()
    assert (answer.status, answer.body) == (200, FIRST + SECOND)
    assert backend.attempts() == 3


@CLIENTS
@REFUSALS
def test_an_upload_refused_when_it_was_over_is_asked_again(peers, kind, refuse):
    """With its trailers."""
    backend = Refusing(peers, refuse, whole=True).fronted(peers)
    call = peers.client(backend.gateway, kind=kind).open("/")
    call.send(FIRST)
    call.send(SECOND)
    call.end("x-sum: 7")
    answer = call.answer()
    assert (answer.status, answer.body) == (200, FIRST + SECOND)
    assert ("x-sum", "7") in backend.trailers
    assert backend.attempts() == 2


@CLIENTS
@pytest.mark.parametrize("early", [False, True], ids=["late-answer", "early-answer"])
def test_an_upload_that_nobody_looked_at_is_asked_again_however_long_it_is(peers, kind, early):
    """The backend's window holds it up; its answer may come before it opens."""
    early_answer = threading.Event()

    def script(stream):
        window = stream.connection.h2.remote_flow_control_window
        eventually(lambda: window(stream.stream) == 0, "a full window")
        if len(backend.streams) == 1:
            stream.connection.act(stream, lambda h2: h2.increment_flow_control_window(KEPT))
            stream.reset(Code.REFUSED_STREAM)
            return
        if early:
            stream.begin(200)
            early_answer.wait(DEADLINE)
            stream.data(stream.recv_body(), end=True)
        else:
            stream.answer(200, body=stream.recv_body())
    backend = peers.http2_backend(script)
    gateway = peers.gateway(config.proxy(backend, service={"protocol": "http2"}))
    call = peers.client(gateway, kind=kind).open("/")
    body = bytes(range(256)) * 800
    sending = threading.Thread(target=lambda: [call.send(body), call.end()])
    if early and kind is Talk1:
        sending.start()
        assert call.head().status == 200
        early_answer.set()
        sending.join()
        assert b"".join(iter(call.piece, None)) == body
        return
    early_answer.set()
    call.send(body)
    call.end()
    answer = call.answer()
    assert (answer.status, answer.body) == (200, body)


@CLIENTS
def test_an_upload_of_which_too_much_has_gone_is_a_502(peers, kind):
    backend = Refusing(peers, taken=200_000).fronted(peers)
    call = peers.client(backend.gateway, kind=kind).open("/")
    call.send(bytes(200_000))
    assert_problem(call.answer(), 502, "backend_reset")
    assert len(backend.backend.streams) == 1


def test_an_upload_is_asked_again_as_far_as_it_is_kept(peers):
    """To the last byte, in pieces of any size."""
    backend = Refusing(peers, taken=KEPT).fronted(peers)
    call = peers.client(backend.gateway, kind=Talk2).open("/")
    body = b""
    while len(body) < KEPT:
        piece = bytes([len(body) % 251]) * min(1 + len(body) // 3, KEPT - len(body))
        call.send(piece)
        body += piece
    backend.wait()
    call.end()
    answer = call.answer()
    assert (answer.status, answer.body) == (200, body)


@CLIENTS
def test_what_is_asked_again_counts_once_against_limits(peers, kind):
    size = len(FIRST + SECOND)
    backend = Refusing(peers, taken=len(FIRST), times=2).fronted(
        peers, policies=[{"size_limit": {"max": f"{size}B"}}])
    call = peers.client(backend.gateway, kind=kind).open("/")
    call.send(FIRST)
    backend.wait()
    call.send(SECOND)
    call.end()
    assert call.answer().status == 200
    assert backend.attempts() == 3


@CLIENTS
def test_a_refused_expectation_is_passed_on_again(peers, kind):
    """The client's 100 comes from the backend that wants the body."""
    def script(stream):
        if len(backend.streams) == 1:
            stream.reset(Code.REFUSED_STREAM)
            return
        stream.interim(100)
        stream.answer(200, body=stream.recv_body())
    backend = peers.http2_backend(script)
    gateway = peers.gateway(config.proxy(backend, service={"protocol": "http2"}))
    call = peers.client(gateway, kind=kind).open("/", "expect: 100-continue", length=len(FIRST))
    assert call.interim().status == 100
    call.send(FIRST)
    call.end()
    answer = call.answer()
    assert (answer.status, answer.body) == (200, FIRST)


@CLIENTS
@pytest.mark.parametrize("method,repeated", [("PUT", True), ("POST", False)])
def test_an_upload_cut_off_with_its_connection(peers, kind, method, repeated):
    """Is asked again on another when it may be done twice: the first connection had been used, and
    nothing of an answer came."""
    def script(stream):
        if stream.target == "/first":
            stream.answer(200)
        elif len(backend.streams) == 2:
            stream.piece()
            stream.connection.close()
        else:
            stream.answer(200, body=stream.recv_body())
    backend = peers.http2_backend(script)
    gateway = peers.gateway(config.proxy(backend, service={"protocol": "http2"}))
    assert peers.client(gateway).get("/first").status == 200
    call = peers.client(gateway, kind=kind).open("/", method=method)
    call.send(FIRST)
    assert backend.http2(0).over.wait(DEADLINE)
    if repeated:
        call.send(SECOND)
        call.end()
        answer = call.answer()
        assert (answer.status, answer.body) == (200, FIRST + SECOND)
    else:
        assert call.answer().status == 502
    assert len(backend.streams) == (3 if repeated else 2)


@CLIENTS
def test_a_client_that_leaves_a_refused_upload_ends_it(peers, kind):
    backend = Refusing(peers, taken=len(FIRST)).fronted(peers)
    call = peers.client(backend.gateway, kind=kind).open("/")
    call.send(FIRST)
    backend.backend.wait_requests(2)
    call.abort()
    assert backend.backend.streams[1].wait_gone()
    assert backend.gateway.wait_access_log()[0]["error"].startswith("client_")


@CLIENTS
def test_a_refusal_does_not_hide_that_the_body_is_too_large(peers, kind):
    """Whichever is noticed first."""
    backend = Refusing(peers).fronted(peers, policies=[{"size_limit": {"max": "1KiB"}}])
    for _ in range(10):
        backend.left = 1
        call = peers.client(backend.gateway, kind=kind).open("/")
        call.send(FIRST)
        assert_problem(call.answer(), 413, "body_too_large")


@CLIENTS
@pytest.mark.parametrize("whole", [False, True])
def test_a_refused_upload_may_go_on_by_http1(peers, certificates, kind, whole):
    """The endpoints choose by ALPN, and are asked in turns."""
    refusing = Refusing(peers, taken=len(FIRST), times=99, whole=whole,
                        tls=server_context(certificates.server, ["h2"]))
    got = []

    def script(connection):
        message = connection.recv_request()
        got.append((message.body, message.trailers))
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    http1 = peers.backend(script, tls=server_context(certificates.server, ["http/1.1"]))
    gateway = peers.gateway(config.proxy([refusing.backend, http1], service=certificates.service()))
    for _ in range(2):
        call = peers.client(gateway, kind=kind).open("/")
        call.send(FIRST)
        call.send(SECOND)
        call.end("x-sum: 7")
        assert call.answer().body == b"ok"
        body, trailers = got.pop()
        assert body == FIRST + SECOND and ("x-sum", "7") in trailers
    assert refusing.backend.streams, "it was never its turn"
