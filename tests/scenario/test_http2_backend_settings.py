"""`http2` of a service: what its shared connections announce and bear, and how a dead one is told
from a slow one."""
import datetime
import threading
import time

from harness import config
from harness.http2 import (END_HEADERS, END_STREAM, PREFACE, FrameReader, Kind, Setting, frame,
                           settings_payload)
from harness.http2_backend import saying
from harness.raw import assert_problem, request
from harness.waiting import DEADLINE, eventually

BROKEN = "doorward_service_http2_connections_broken_total"
SETTINGS_ACK = frame(Kind.SETTINGS, flags=1)


def between(peers, backend, service=None, **http2):
    return peers.gateway(config.proxy(backend, service={"protocol": "http2", "http2": http2,
                                                        **(service or {})}))


def deaf(connection):
    """Speaks HTTP/2 well enough for a request to come, and then answers nothing."""
    connection.send(frame(Kind.SETTINGS, settings_payload({})) + SETTINGS_ACK)
    connection.stream.to_end()


def test_windows_are_announced(peers):
    backend = peers.http2_backend(saying(200))
    gateway = between(peers, backend, stream_window="32KiB", connection_window="3MiB")
    assert peers.client(gateway).get("/").status == 200
    engine = backend.http2().h2
    assert engine.remote_settings[Setting.INITIAL_WINDOW_SIZE] == 32 * 1024
    assert engine.outbound_flow_control_window == 3 * 1024 * 1024


def test_a_full_connection_is_followed_by_another(peers):
    go_on = threading.Event()

    def script(stream):
        assert go_on.wait(3 * DEADLINE)
        stream.answer(200)
    backend = peers.http2_backend(script)
    gateway = between(peers, backend, max_concurrent_streams=2)
    clients = [peers.client(gateway) for _ in range(5)]
    for count, client in enumerate(clients, 1):
        client.send(request("/"))
        backend.wait_requests(count)
    assert [len(connection.http2.streams) for connection in backend.connections] == [2, 2, 1]
    go_on.set()
    assert all(client.recv_response().status == 200 for client in clients)


def test_a_backend_that_answers_no_ping_is_given_up(peers):
    backend = peers.backend(deaf)
    gateway = between(peers, backend, ping_every="100ms", ping_timeout="100ms")
    clients = [peers.client(gateway) for _ in range(2)]
    for client in clients:
        client.send(request("/", method="POST", body=b"once"))
    for client in clients:
        problem = assert_problem(client.recv_response(), 504, "backend_ping_timeout")
        assert "100ms (http2.ping_timeout of service app)" in problem["detail"]
    assert gateway.wait_event("backend_http2_broken")["reason"] == "ping_timeout"
    assert gateway.metrics().sum(BROKEN, service="app", reason="ping_timeout") == 1
    assert bytes(backend.connections[0].stream.received).count(frame(Kind.PING, bytes(8))) == 1


class Mortal:
    """A backend whose first connection answers one request and is dead from then on."""

    def __init__(self, peers, **settings):
        self.backend = peers.backend(self.script)
        self.gateway = between(peers, self.backend, **settings)
        self.client = peers.client(self.gateway)
        assert self.client.get("/").body == b"0"

    def script(self, connection):
        connection.send(frame(Kind.SETTINGS, settings_payload({})) + SETTINGS_ACK)
        frames = FrameReader(connection.sock)
        frames.stream = connection.stream
        frames.stream.exactly(len(PREFACE), "a preface")
        while got := frames.next():
            if got.kind == Kind.HEADERS and (connection.number > 0 or got.stream == 1):
                body = str(connection.number).encode()
                connection.send(frame(Kind.HEADERS, b"\x88", END_HEADERS, got.stream) +
                                frame(Kind.DATA, body, END_STREAM, got.stream))


def test_what_a_dead_connection_swallowed_is_asked_again(peers):
    mortal = Mortal(peers, ping_every="200ms", ping_timeout="200ms")
    assert mortal.client.get("/").body == b"1"
    assert mortal.gateway.wait_access_log(2)[1]["attempts"] == 2
    assert mortal.gateway.wait_event("backend_http2_broken")["reason"] == "ping_timeout"


def test_what_must_not_be_done_twice_is_not(peers):
    """That nothing of it was acknowledged proves nothing: the way back may be what is cut."""
    mortal = Mortal(peers, ping_every="200ms", ping_timeout="200ms")
    answer = mortal.client.request(request("/", method="POST", body=b"pay"))
    assert_problem(answer, 504, "backend_ping_timeout")
    assert len(mortal.backend.connections) == 1


def test_after_a_long_silence_the_first_request_takes_a_ping_along(peers):
    """So that a connection that died meanwhile is found dead after one timeout, not both."""
    mortal = Mortal(peers, ping_every="1s", ping_timeout="200ms")
    first = mortal.gateway.wait_access_log()[0]["time"]
    eventually(lambda: age(first) > 1.2, "a long silence")
    assert mortal.client.get("/").body == b"1"
    took = mortal.gateway.wait_access_log(2)[1]["total_us"]
    assert 150_000 < took < 950_000


def age(stamp):
    """Seconds since a time of the access log."""
    return time.time() - datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def test_a_slow_backend_that_answers_pings_is_waited_for(peers):
    """Several of them: the timeout is far shorter than the answer takes."""
    go_on = threading.Event()

    def script(stream):
        assert go_on.wait(3 * DEADLINE)
        stream.answer(200, body=b"at last")
    backend = peers.http2_backend(script)
    gateway = between(peers, backend, ping_every="50ms", ping_timeout="5s")
    client = peers.client(gateway)
    client.send(request("/"))
    backend.wait_requests()
    eventually(lambda: backend.http2().pings >= 3, "three PINGs")
    go_on.set()
    assert client.recv_response().body == b"at last"


def test_without_pings_the_response_is_due_as_usual(peers):
    backend = peers.backend(deaf)
    gateway = between(peers, backend, {"timeouts": {"first_byte": "300ms"}}, ping_every="0")
    assert_problem(peers.client(gateway).get("/"), 504, "first_byte_timeout")
    assert frame(Kind.PING, bytes(8)) not in bytes(backend.connections[0].stream.received)
