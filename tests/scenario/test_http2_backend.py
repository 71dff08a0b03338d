"""HTTP/2 towards backends: requests share connections; what a backend refuses or cannot have seen
is asked again, without the client's notice."""
import threading

import pytest

from harness import config, wire
from harness.http2 import Code, Setting
from harness.http2_backend import saying
from harness.raw import assert_problem, request
from harness.waiting import DEADLINE, eventually

CLEAR = {"protocol": "http2"}


def fronted(peers, script, service=None, **options):
    """(backend, gateway)"""
    backend = peers.http2_backend(script, **options)
    return backend, peers.gateway(config.proxy(backend, service={**CLEAR, **(service or {})}))


def held():
    """(event, script that answers once the event is set)"""
    go_on = threading.Event()

    def script(stream):
        stream.recv_body()
        go_on.wait(3 * DEADLINE)
        stream.answer(200, body=stream.target.encode())
    return go_on, script


def ask_at_once(peers, gateway, count):
    """Clients of HTTP/1.1, each with a request under way."""
    clients = [peers.client(gateway) for _ in range(count)]
    for n, client in enumerate(clients):
        client.send(request(f"/{n}"))
    return clients


def numbers(backend):
    return {stream.connection.number for stream in backend.streams}


# --- sharing -----------------------------------------------------------------------------------
def test_requests_at_once_share_a_connection(peers):
    go_on, script = held()
    backend, gateway = fronted(peers, script)
    clients = ask_at_once(peers, gateway, 40)
    backend.wait_requests(40)
    assert len(backend.connections) == 1
    go_on.set()
    assert [client.recv_response().body for client in clients] == [
        f"/{n}".encode() for n in range(40)]
    metrics = gateway.metrics()
    assert metrics.sum("doorward_service_connects_total", service="app") == 1
    assert metrics.sum("doorward_service_connections_open", service="app") == 1


def test_requests_one_after_the_other_share_it_too(peers):
    backend, gateway = fronted(peers, saying(200, body=b"x"))
    client = peers.client(gateway)
    assert [client.get("/").body for _ in range(20)] == [b"x"] * 20
    assert len(backend.connections) == 1


def test_another_connection_is_opened_when_one_is_full(peers):
    go_on, script = held()
    backend, gateway = fronted(peers, script, settings={Setting.MAX_CONCURRENT_STREAMS: 3})
    clients = []
    for n in range(9):
        clients += ask_at_once(peers, gateway, 1)
        backend.wait_requests(n + 1)
        eventually(backend.settled, "the gateway's knowledge of the limit")
    assert [len(connection.http2.streams) for connection in backend.connections] == [3, 3, 3]
    go_on.set()
    assert all(client.recv_response().status == 200 for client in clients)


def test_requests_wait_when_all_connections_are_full(peers):
    go_on, script = held()
    backend, gateway = fronted(peers, script, settings={Setting.MAX_CONCURRENT_STREAMS: 2},
                               service={"pool": {"max_connections": 1}})
    first = ask_at_once(peers, gateway, 1)
    backend.wait_requests(1)
    eventually(backend.settled, "the gateway's knowledge of the limit")
    clients = first + ask_at_once(peers, gateway, 5)
    backend.wait_requests(2)
    eventually(lambda: gateway.metrics().sum("doorward_service_waiting") == 4, "the queue")
    assert len(backend.requests) == 2
    go_on.set()
    assert all(client.recv_response().status == 200 for client in clients)
    assert len(backend.connections) == 1


def test_a_client_that_leaves_frees_its_stream_only(peers):
    go_on, script = held()
    backend, gateway = fronted(peers, script)
    leaving, staying = ask_at_once(peers, gateway, 2)
    streams = backend.wait_requests(2)
    leaving.close()
    gone = next(s for s in streams if s.target == "/0")
    assert gone.wait_gone() and gone.reset_code == Code.CANCEL
    go_on.set()
    assert staying.recv_response().body == b"/1"
    assert len(backend.connections) == 1 and not backend.http2().over.is_set()


def test_unused_connections_are_closed_in_order(peers):
    backend, gateway = fronted(peers, saying(200), service={"pool": {"idle_timeout": "100ms"}})
    assert peers.client(gateway).get("/").status == 200
    connection = backend.http2()
    assert connection.over.wait(DEADLINE) and connection.error is None
    assert connection.goaways[0].code == Code.NO_ERROR


def test_connections_of_removed_services_are_closed(peers):
    backend, gateway = fronted(peers, saying(200))
    assert peers.client(gateway).get("/").status == 200
    gateway.reload(config.respond("new"))
    assert backend.http2().over.wait(DEADLINE)


# --- again -------------------------------------------------------------------------------------
@pytest.mark.parametrize("stale", [True, False])
@pytest.mark.parametrize("method,body", [("GET", None), ("POST", b"body")])
def test_a_refused_stream_is_asked_again(peers, method, body, stale):
    """REFUSED_STREAM: nothing of it was done, so even a POST may go out again (RFC 9113 §8.7); that
    is none of the stale connections, which the setting is about."""
    def script(stream):
        if len(backend.streams) == 1:
            stream.reset(Code.REFUSED_STREAM)
        else:
            stream.answer(200, body=stream.recv_body() or b"none")
    backend, gateway = fronted(peers, script, service={"retry": {"stale": stale}})
    answer = peers.client(gateway).request(request("/", method=method, body=body))
    assert (answer.status, answer.body) == (200, body or b"none")
    assert gateway.wait_access_log()[0]["attempts"] == 2
    assert gateway.metrics().sum("doorward_service_retries_total") == 1


def test_a_backend_that_refuses_for_ever_is_a_502(peers):
    backend, gateway = fronted(peers, lambda stream: stream.reset(Code.REFUSED_STREAM))
    answer = peers.client(gateway).get("/")
    assert answer.status in (502, 503) and answer.json()["code"].startswith("backend_")
    assert 2 <= len(backend.streams) < 20


@pytest.mark.parametrize("method,body", [("GET", None), ("POST", b"body")])
def test_streams_beyond_a_goaway_are_asked_again(peers, method, body):
    def script(stream):
        if stream.connection.number == 0:
            stream.connection.goaway(last=0)
            return
        stream.answer(200, body=stream.recv_body() or b"none")
    backend, gateway = fronted(peers, script)
    answer = peers.client(gateway).request(request("/", method=method, body=body))
    assert (answer.status, answer.body) == (200, body or b"none")
    assert numbers(backend) == {0, 1}


def test_streams_within_a_goaway_come_to_their_ends(peers):
    """And new ones go to a new connection meanwhile."""
    go_on = threading.Event()

    def script(stream):
        if stream.target == "/slow":
            stream.connection.goaway()
            go_on.wait(DEADLINE)
        stream.answer(200, body=stream.target.encode())
    backend, gateway = fronted(peers, script)
    slow = peers.client(gateway)
    slow.send(request("/slow"))
    backend.wait_requests()
    eventually(lambda: peers.client(gateway).get("/quick").body == b"/quick" and
               len(backend.connections) == 2, "another connection")
    go_on.set()
    assert slow.recv_response().body == b"/slow"
    assert backend.http2(0).over.wait(DEADLINE)
    assert not backend.http2(1).over.is_set()


@pytest.mark.parametrize("goaway", [True, False], ids=["goaway", "without-a-word"])
def test_a_connection_closed_while_idle_is_not_used_again(peers, goaway):
    backend, gateway = fronted(peers, saying(200, body=b"x"))
    client = peers.client(gateway)
    for count in range(1, 4):
        assert client.get("/").body == b"x"
        connection = backend.http2(count - 1)
        if goaway:
            connection.goaway()
        connection.close()
    assert len(backend.connections) == 3


def test_a_post_that_the_backend_may_have_seen_is_not_asked_again(peers):
    def script(stream):
        stream.recv_body()
        stream.connection.close()
    backend, gateway = fronted(peers, script)
    answer = peers.client(gateway).request(request("/", method="POST", body=b"pay"))
    assert answer.status == 502 and len(backend.streams) == 1


# --- faults ------------------------------------------------------------------------------------
def test_a_reset_before_the_head_is_a_502_and_the_connection_goes_on(peers):
    def script(stream):
        if stream.target == "/bad":
            stream.reset(Code.INTERNAL_ERROR)
        else:
            stream.answer(200)
    backend, gateway = fronted(peers, script)
    client = peers.client(gateway)
    assert_problem(client.get("/bad"), 502, "backend_reset")
    assert client.get("/good").status == 200 and len(backend.connections) == 1


MALFORMED = {
    "no status": [("a", "b")],
    "upper case": [(":status", "200"), ("X-Up", "1")],
    "connection": [(":status", "200"), ("connection", "close")],
    "no number": [(":status", "abc")],
    "status twice": [(":status", "200"), (":status", "200")],
    "a request's pseudo-header": [(":status", "200"), (":path", "/")],
    "CRLF in value": [(":status", "200"), ("x", "a\r\nb: c")],
    "101": [(":status", "101")],
}


@pytest.mark.parametrize("fields", MALFORMED.values(), ids=MALFORMED)
def test_malformed_heads_are_a_502_and_the_connection_goes_on(peers, fields):
    def script(stream):
        if stream.target == "/bad":
            stream.connection.act(stream, lambda h2: h2.send_headers(stream.stream, fields))
            stream.wait_gone()
        else:
            stream.answer(200, body=b"fine")
    _, gateway = fronted(peers, script)
    client = peers.client(gateway)
    assert_problem(client.get("/bad"), 502, "backend_protocol_error")
    assert client.get("/good").body == b"fine"


@pytest.mark.parametrize("length", [1, 10])
def test_an_answer_that_is_not_as_long_as_announced_is_cut_off(peers, length):
    def script(stream):
        stream.begin(200, f"content-length: {length}")
        stream.data(b"four", end=True)
    _, gateway = fronted(peers, script)
    client = peers.client(gateway)
    client.send(request("/"))
    try:
        answer = client.recv_response()
    except (wire.Closed, ConnectionResetError):
        return
    assert answer.status == 502


def test_a_backend_that_takes_nothing_of_a_body_is_given_up(peers):
    """Its window stays closed."""
    backend, gateway = fronted(peers, lambda stream: stream.wait_gone(), service={
        "timeouts": {"idle": "200ms", "first_byte": "200ms"}})
    answer = peers.client(gateway).request(request("/", method="POST", body=b"x" * 500_000))
    assert answer.status == 504 and backend.streams[0].wait_gone()


def test_a_backend_that_stops_answering_is_given_up(peers):
    def script(stream):
        if stream.target == "/stuck":
            stream.wait_gone()
        stream.answer(200)
    backend, gateway = fronted(peers, script, service={"timeouts": {"first_byte": "200ms"}})
    client = peers.client(gateway)
    assert_problem(client.get("/stuck"), 504, "first_byte_timeout")
    assert client.get("/").status == 200 and len(backend.connections) == 1


def test_a_slow_client_closes_the_backends_window(peers):
    """And not that of the connection: others go on."""
    sent, size = [0], 30_000_000

    def script(stream):
        if stream.target != "/large":
            stream.answer(200, body=b"quick")
            return
        stream.begin(200, f"content-length: {size}")
        while sent[0] < size:
            stream.data(b"x" * 100_000)
            sent[0] += 100_000
        stream.data(end=True)
    backend, gateway = fronted(peers, script)
    slow = peers.client(gateway, receive_buffer=4096)
    slow.send(request("/large"))
    assert slow.recv_head().status == 200
    for _ in range(20):
        assert peers.client(gateway).get("/quick").body == b"quick"
    assert sent[0] < size and len(backend.connections) == 1
    assert sum(len(piece) for piece in slow.stream.pieces(size)) == size


# --- fields ------------------------------------------------------------------------------------
def test_what_a_request_becomes(peers):
    backend, gateway = fronted(peers, saying(200))
    client = peers.client(gateway)
    client.get("/a?b=c", "X-Mixed: 1", "TE: trailers, deflate;q=0.5", "Connection: te, x-hop",
               "X-Hop: 1", "Keep-Alive: 5", "Cookie: a=b", host="shop.example.com:81")
    stream, = backend.wait_requests()
    assert (stream.method, stream.target, stream.scheme) == ("GET", "/a?b=c", "http")
    assert stream.authority == "shop.example.com:81" and not stream.has("host")
    assert stream.get("te") in (None, "trailers") and stream.get("x-mixed") == "1"
    for name in ("connection", "keep-alive", "x-hop", "transfer-encoding"):
        assert not stream.has(name), name
    assert all(name == name.lower() for name, _ in stream.headers)


def test_te_trailers_reaches_the_backend(peers):
    """gRPC servers insist on it."""
    backend, gateway = fronted(peers, saying(200, "content-type: application/grpc", body=b"x",
                                             trailers=["grpc-status: 0"]))
    client = peers.http2(gateway)
    answer = client.get("/", "te: trailers", "content-type: application/grpc", method="POST",
                        body=b"\0\0\0\0\0")
    assert answer.trailers == [("grpc-status", "0")] and answer.body == b"x"
    assert backend.requests[0].get("te") == "trailers"


def test_an_answer_of_trailers_only_passes(peers):
    """A head that ends the stream, as gRPC servers fail."""
    _, gateway = fronted(peers, saying(200, "grpc-status: 12", "grpc-message: no"))
    answer = peers.http2(gateway).get("/", method="POST", body=b"")
    assert (answer.get("grpc-status"), answer.body, answer.trailers) == ("12", b"", [])
