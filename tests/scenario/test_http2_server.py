"""HTTP/2 towards clients: streams at once, windows, settings, ends of connections in order."""
import hashlib
import select
import threading
import time

import pytest

from harness import config, raw
from harness.http2 import Code, Http2Client, Kind, Setting, frame, number, settings_payload
from harness.origin import Told, pattern
from harness.waiting import DEADLINE, eventually, stays

MAX_STREAM = 0x7fffffff


@pytest.fixture
def client(web):
    with Http2Client(web.address) as made:
        yield made


class Held:
    """A gateway whose backend answers once it is allowed to."""

    def __init__(self, peers, **options):
        self.go_on = threading.Event()
        self.backend = peers.backend(self._script)
        self.gateway = peers.gateway(config.proxy(self.backend, **options))
        self.client = peers.http2(self.gateway)

    def _script(self, connection):
        while connection.recv_request():
            self.go_on.wait(3 * DEADLINE)
            connection.send(raw.response(200, body=b"late"))

    def ask(self, count=1):
        """Sends requests; returns when the backend has them."""
        streams = [self.client.request(f"/{n}") for n in range(count)]
        self.backend.wait_requests(count)
        return streams


# --- many streams ------------------------------------------------------------------------------
def test_many_streams_at_once_keep_their_bytes_apart(client):
    bodies = {}
    for n in range(50):
        body = bytes([n]) * (2000 + n)
        bodies[client.request(f"/{n}", method="POST", body=body)] = (n, body)
    for stream, (n, body) in bodies.items():
        told = Told(client.answer(stream))
        assert (told.target, told.sha256) == (f"/{n}", hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("said", ["0", None])
def test_no_content_is_told_by_a_length_where_the_backend_told_it_so(peers, said):
    """Over HTTP/2 the end of the stream says it as well."""
    def script(connection):
        while connection.recv_request():
            connection.send(raw.response(200, "Content-Length: 0", length=False))

    backend = (peers.backend(script) if said else
               peers.http2_backend(lambda stream: stream.answer(200)))
    service = {} if said else {"protocol": "http2"}
    client = peers.http2(peers.gateway(config.proxy(backend, service=service)))
    answered = client.answer(client.request("/"))
    assert answered.status == 200 and answered.body == b"" and answered.get("content-length") == said


def test_answers_come_as_they_are_ready_not_in_order(peers):
    go_on = threading.Event()

    def script(connection):
        while message := connection.recv_request():
            if message.target == "/slow":
                go_on.wait(DEADLINE)
            connection.send(raw.response(200, body=message.target.encode()))
    client = peers.http2(peers.gateway(config.proxy(peers.backend(script))))
    slow, quick = client.request("/slow"), client.request("/quick")
    assert client.answer(quick).body == b"/quick"
    go_on.set()
    assert client.answer(slow).body == b"/slow"


def test_more_streams_than_allowed_are_refused_not_lost(peers):
    """Of a client that has not heard of the limit yet (RFC 9113 §5.1.2)."""
    held = Held(peers, listener={"http2": {"max_concurrent_streams": 4}})
    frames = peers.frames(held.gateway)
    frames.send(b"".join(frames.head(stream) for stream in (1, 3, 5, 7, 9)))
    frames.until(Kind.RST_STREAM)
    assert frames.resets == {9: Code.REFUSED_STREAM}
    held.go_on.set()
    answered = {frames.until(Kind.DATA, 1).stream for _ in range(4)}
    assert answered == {1, 3, 5, 7}
    frames.send(frame(Kind.SETTINGS, flags=1) + frames.head(11))
    assert frames.until(Kind.DATA, 1).stream == 11


def test_a_reset_stream_leaves_its_neighbours_alone(peers):
    held = Held(peers)
    first, second = held.ask(2)
    held.client.reset_stream(first)
    held.go_on.set()
    assert held.client.answer(second).body == b"late"
    line = eventually(lambda: [line for line in held.gateway.access_log()
                               if line["path"] == "/0"], "its line")[0]
    assert line["status"] == 0 and line["error"] in ("client_closed", "client_reset")


# --- windows and settings ----------------------------------------------------------------------
def test_a_tiny_window_only_slows_an_answer_down(peers, web):
    with Http2Client(web.address, {Setting.INITIAL_WINDOW_SIZE: 100}) as client:
        answer = client.get("/bytes/20000")
        assert answer.body == b"".join(pattern(20000))


def test_a_closed_window_holds_one_stream_only(web):
    with Http2Client(web.address, {Setting.INITIAL_WINDOW_SIZE: 10}, keeps_windows=True) as client:
        stuck = client.request("/bytes/1000")
        client.until(lambda: client.answers[stuck].body_length == 10, "ten bytes")
        assert client.get("/status/204").status == 204
        client.widen(1000, stuck)
        assert client.answer(stuck).body_length == 1000


def test_a_raised_initial_window_frees_streams_that_wait(web):
    with Http2Client(web.address, {Setting.INITIAL_WINDOW_SIZE: 0}, keeps_windows=True) as client:
        stuck = client.request("/bytes/1000")
        assert client.head(stuck).status == 200
        client.ping()
        assert client.answers[stuck].body_length == 0
        client.h2.update_settings({Setting.INITIAL_WINDOW_SIZE: 5000})
        client.flush()
        assert client.answer(stuck).body_length == 1000


def test_larger_frames_are_sent_only_where_they_are_allowed(web):
    for allowed in (16384, 65536):
        with Http2Client(web.address, {Setting.MAX_FRAME_SIZE: allowed,
                                       Setting.INITIAL_WINDOW_SIZE: 1 << 20}) as client:
            client.widen(1 << 20)
            assert client.get("/bytes/500000").body_length == 500000  # h2 checks the frames


def test_the_windows_are_as_configured(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={"http2": {
        "max_concurrent_streams": 7, "stream_window": "64KiB", "connection_window": "128KiB"}}))
    client = peers.http2(gateway)
    client.until(lambda: client.h2.outbound_flow_control_window > 65535)
    settings = client.h2.remote_settings
    assert settings.max_concurrent_streams == 7 and settings.initial_window_size == 65536
    assert client.h2.outbound_flow_control_window == 131072


def test_a_backend_that_reads_slowly_closes_the_clients_window(peers):
    """What is held of a body is the window at most; the connection's other streams go on."""
    go_on = threading.Event()

    def script(connection):
        head = connection.recv_head()
        if head and head.method == "POST":
            go_on.wait(3 * DEADLINE)
        while head:
            got = sum(len(piece) for piece in connection.body_pieces(head))
            connection.send(raw.response(200, body=str(got).encode()))
            head = connection.recv_head()
    gateway = peers.gateway(config.proxy(peers.backend(script)))
    client = peers.http2(gateway)
    client.until(lambda: client.acknowledged)
    stream = client.request("/", method="POST", end=False)
    size = 30_000_000
    sent = threading.Thread(target=client.data, args=(stream, b"x" * size, True), daemon=True)
    sent.start()

    def stuck():
        return client.h2.local_flow_control_window(stream) == 0
    eventually(stuck, "a closed window")
    stays(sent.is_alive, 0.2, "the wait")
    go_on.set()
    sent.join(3 * DEADLINE)
    assert client.answer(stream).body == str(size).encode()


def test_settings_may_change_at_any_time(client):
    for size in (1, 4096, 0, 65536):
        client.h2.update_settings({Setting.HEADER_TABLE_SIZE: size})
        client.flush()
        for _ in range(2):
            assert Told(client.get("/", f"x-size: {size}")).get("x-size") == str(size)


def test_unknown_frames_and_settings_are_passed_over(client):
    client.send_raw(frame(0x77, b"?", 0xff, 0) + frame(0x78, b"?", 0, 1) +
                    frame(Kind.SETTINGS, settings_payload({0x99: 1, 0xf000: 2})))
    assert client.get("/").status == 200


def test_priorities_are_taken_and_forgotten(client):
    client.h2.prioritize(1, weight=10, depends_on=0, exclusive=True)
    client.h2.prioritize(3, weight=200, depends_on=1)
    client.flush()
    client.send_raw(frame(0x10, number(1) + b"u=0, i"))  # PRIORITY_UPDATE, RFC 9218
    told = Told(client.get("/", "priority: u=1, i"))
    assert told.get("priority") == "u=1, i"


def test_pings_are_answered(client):
    client.ping(b"12345678")
    assert client.pings == [b"12345678"]


def test_padding_is_taken_away(web, peers):
    frames = peers.frames(web.address).ready()
    block = frames.block(method="POST")
    frames.send(frame(Kind.HEADERS, b"\x04" + block + b"\0" * 4, 4 | 8, 1))
    frames.send(frame(Kind.DATA, b"\x09" + b"body" + b"\0" * 9, 1 | 8, 1))
    body = b""
    while (got := frames.next()) and not (got.kind == Kind.DATA and got.flags & 1):
        body += got.payload if got.kind == Kind.DATA else b""
    assert b'"body": "body"' in body + got.payload


def test_a_head_in_pieces_is_put_together(web, peers):
    frames = peers.frames(web.address).ready()
    block = frames.block(*[f"x-{n}: {'v' * 100}" for n in range(50)])
    pieces = [block[at:at + 1000] for at in range(0, len(block), 1000)]
    frames.send(frame(Kind.HEADERS, pieces[0], 1, 1))
    for piece in pieces[1:-1]:
        frames.send(frame(Kind.CONTINUATION, piece, 0, 1))
    frames.send(frame(Kind.CONTINUATION, pieces[-1], 4, 1))
    assert frames.until(Kind.HEADERS).stream == 1


def test_frames_split_at_every_byte_are_understood(web, peers):
    frames = peers.frames(web.address).ready()
    head = frames.head(1, "x-a: 1", method="POST", end=False) + frame(Kind.DATA, b"body", 1, 1)
    for at in range(len(head)):
        frames.send(head[at:at + 1])
    assert frames.until(Kind.HEADERS).stream == 1
    assert b'"body": "body"' in frames.until(Kind.DATA).payload


# --- ends --------------------------------------------------------------------------------------
def test_a_drain_finishes_the_streams_under_way(peers):
    held = Held(peers)
    streams = held.ask(3)
    held.gateway.signal(15)
    held.gateway.wait_event("draining")
    first = held.client.goaway()
    assert (first.code, first.last) == (Code.NO_ERROR, MAX_STREAM)
    last = held.client.goaway(2)
    assert (last.code, last.last) == (Code.NO_ERROR, streams[-1])
    held.go_on.set()
    assert all(held.client.answer(stream).body == b"late" for stream in streams)
    assert held.client.at_end()
    held.client.close()  # it is waited for, for a while
    assert held.gateway.process.wait(DEADLINE) == 0


def test_a_request_on_its_way_to_a_draining_gateway_is_served(peers):
    """It crossed the first GOAWAY, which promised to take everything."""
    held = Held(peers)
    held.ask()
    held.gateway.signal(15)
    held.gateway.wait_event("draining")
    crossing = held.client.request("/crossing")  # the GOAWAY may be here, but is not read yet
    held.go_on.set()
    assert held.client.answer(crossing).body == b"late"
    assert held.client.at_end()


def test_an_idle_connection_ends_with_a_drain(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    client = peers.http2(gateway)
    assert client.get("/").status == 200
    gateway.signal(15)
    assert client.goaway().code == Code.NO_ERROR and client.at_end()
    client.close()
    assert gateway.process.wait(DEADLINE) == 0


def test_a_connection_that_is_too_old_is_drained(peers):
    held = Held(peers, listener={"max_connection_age": "1s"})
    stream, = held.ask()
    assert held.client.goaway().code == Code.NO_ERROR
    held.go_on.set()
    assert held.client.answer(stream).body == b"late"
    assert held.client.at_end()
    with Http2Client(held.gateway.address()) as fresh:
        assert fresh.get("/").body == b"late"


def test_an_old_connection_of_http1_says_close(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={"max_connection_age": "1s"}))
    client = peers.client(gateway)
    assert client.at_end()


def test_connections_that_came_together_do_not_age_at_once(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={"max_connection_age": "1s"}))
    begun = time.monotonic()
    open_ones = {peers.client(gateway).sock for _ in range(8)}
    ends = []
    while open_ones:
        ended, _, _ = select.select(open_ones, [], [], DEADLINE)
        assert ended, f"{len(open_ones)} connections stay open"
        ends += [time.monotonic() - begun] * len(ended)
        open_ones -= set(ended)
    assert ends[0] > 0.85 and ends[-1] - ends[0] > 0.01, ends


def test_listeners_may_go_while_an_earlier_one_still_serves(peers):
    held = Held(peers)
    stream, = held.ask()
    for name in ("second", "third", "fourth"):
        settings = config.respond(name)
        settings["listeners"][0]["name"] = name
        held.gateway.reload(settings)
        with Http2Client(held.gateway.address(name)) as fresh:
            assert fresh.get("/").body == name.encode()
    held.go_on.set()
    assert held.client.answer(stream).body == b"late"
    assert held.client.at_end()


def test_connections_of_a_removed_listener_are_drained(peers):
    held = Held(peers)
    stream, = held.ask()
    settings = config.respond("new")
    settings["listeners"][0]["name"] = "other"
    held.gateway.reload(settings)
    assert held.client.goaway().code == Code.NO_ERROR
    held.go_on.set()
    assert held.client.answer(stream).body == b"late"
    assert held.client.at_end()


def test_requests_per_connection_end_it_in_order(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={
        "limits": {"requests_per_connection": 3}}))
    client = peers.http2(gateway)
    assert [client.get("/").status for _ in range(3)] == [200] * 3
    assert client.goaway().code == Code.NO_ERROR and client.at_end()


def test_an_idle_connection_ends_in_time(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={"timeouts": {"idle": "100ms"}}))
    client = peers.http2(gateway)
    assert client.get("/").status == 200
    assert client.goaway().code == Code.NO_ERROR and client.at_end()


def test_a_client_that_says_goaway_gets_its_answers(peers):
    held = Held(peers)
    stream, = held.ask()
    held.client.send_raw(frame(Kind.GOAWAY, number(0) + number(Code.NO_ERROR)))
    held.go_on.set()
    assert held.client.answer(stream).body == b"late"
    assert held.client.at_end()


def test_a_client_that_closes_cancels_all_of_its_requests(peers):
    gone = []

    def script(connection):
        connection.recv_request()
        gone.append(connection.at_end())
    backend = peers.backend(script)
    client = peers.http2(peers.gateway(config.proxy(backend)))
    for n in range(3):
        client.request(f"/{n}")
    backend.wait_requests(3)
    client.close()
    backend.wait_over(3)
    assert gone == [True] * 3


def test_http2_may_be_switched_off(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={"http2": {"enabled": False}}))
    client = peers.client(gateway)
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert client.recv_response().json()["code"] == "http2_preface"


def test_changed_limits_hold_for_new_requests(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    client = peers.http2(gateway)
    target = "/" + "a" * 2000
    assert client.get(target).status == 200
    gateway.reload(config.proxy(peers.origin(), listener={"limits": {"target_length": "1KiB"}}))
    client.get("/")  # with the settings from before
    assert client.get(target).status == 414
