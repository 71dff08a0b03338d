"""Backends that break HTTP/2, leave within a frame, or make work for nothing: the request that met it
gets 502, the log and a metric say why, the cost is bounded, and nobody else notices. How many frames
are looked at before a connection is given up: src/codec/h2/backend_attack_test.cc."""
import itertools
import threading

import pytest

from harness.http2 import Code, Kind, frame, number
from harness.http2_backend import Gone
from harness.raw import assert_problem, request
from harness.waiting import DEADLINE, eventually

CLEAR = {"protocol": "http2"}
END_STREAM, END_HEADERS = 1, 4
OK = frame(Kind.HEADERS, b"\x88", END_HEADERS, 1)
WHOLE = frame(Kind.HEADERS, b"\x88", END_HEADERS | END_STREAM, 1)
EARLY_HINTS = frame(Kind.HEADERS, b"\x08\x03103", END_HEADERS, 1)
# One field of 4,000 bytes goes into HPACK's table; each byte behind it names it again.
BOMB = b"\x40\x01x\x7f\xa1\x1e" + b"v" * 4000 + b"\xbe" * 10_000


class Siege:
    """A gateway with a service "bad", each connection of which carries one request, and "good".
    Requests to both are under way while `attack(stream)` answers one to "bad"."""

    def __init__(self, peers, attack):
        self.peers, self.attack, self.go_on = peers, attack, threading.Event()
        self.bad = peers.http2_backend(self.play, settings={3: 1})  # MAX_CONCURRENT_STREAMS
        self.good = peers.http2_backend(self.play)
        self.gateway = peers.gateway({
            "version": 1,
            "listeners": [{"name": "web", "address": "127.0.0.1:0"}],
            "services": {"bad": {"endpoints": [self.bad.url], **CLEAR},
                         "good": {"endpoints": [self.good.url], **CLEAR}},
            "routes": [{"name": "bad", "match": {"path": "/bad/**"}, "service": "bad"},
                       {"name": "good", "service": "good"}]})
        self.waiting = [self.ask("/bad/held"), self.ask("/held")]
        self.bad.wait_requests()
        self.good.wait_requests()
        eventually(self.bad.settled, "the gateway's knowledge of the limit")
        self.memory = self.gateway.resident()
        self.client = self.ask("/bad/attack")

    def play(self, stream):
        if stream.target.endswith("/held"):
            self.go_on.wait(3 * DEADLINE)
        elif stream.target == "/bad/attack":
            self.attack(stream)
            return
        stream.answer(200, body=b"fine")

    def ask(self, target):
        client = self.peers.client(self.gateway)
        client.send(request(target))
        return client

    def broken(self, reason, service="bad"):
        return self.gateway.metrics().sum("doorward_service_http2_connections_broken_total",
                                          service=service, reason=reason)

    def assert_refused(self, code="backend_protocol_error", fault=None):
        """The request that met it."""
        problem = assert_problem(self.client.recv_response(), 502, code)
        line, = [line for line in self.gateway.wait_access_log()
                 if line["path"] == "/bad/attack"]
        assert line["error"] == code and line.get("fault") == fault, line
        return problem["detail"]

    def assert_ended(self, reason, level="warning"):
        """The connection, told once and counted."""
        event = self.gateway.wait_event("backend_http2_broken")
        assert (event["service"], event["reason"], event["level"]) == ("bad", reason, level), event
        assert event["endpoint"] == self.bad.url
        eventually(lambda: self.broken(reason) == 1, f"the count of {reason}")
        return event["detail"]

    def assert_goes_on(self):
        """The connection: nothing is told of it, and the next request takes it."""
        connections = len(self.bad.connections)
        client = self.ask("/bad/next")
        assert client.recv_response().body == b"fine"
        assert len(self.bad.connections) == connections == 2
        assert not self.gateway.events("backend_http2_broken")

    def assert_nobody_else_noticed(self):
        """Neither who has another connection to the same backend, nor other services."""
        assert self.ask("/other").recv_response().body == b"fine"
        assert self.ask("/bad/other").recv_response().body == b"fine"
        self.go_on.set()
        assert [client.recv_response().body for client in self.waiting] == [b"fine"] * 2
        assert len(self.good.connections) == 1
        metrics = self.gateway.metrics()
        assert metrics.sum("doorward_service_http2_connections_broken_total", service="good") == 0
        assert self.gateway.resident() < self.memory + (32 << 20)


def sending(pieces, close=False):
    """An attack: these bytes, a connection's whole life long."""
    def attack(stream):
        for piece in [pieces] if isinstance(pieces, bytes) else pieces():
            stream.connection.send_raw(piece)
        if close:
            stream.connection.end()
    return attack


# --- frames that are wrong ---------------------------------------------------------------------
WRONG = {  # bytes; what the log says of them
    "garbage": (b"\xff" * 100, "frame size"),
    "content that is too large": (b"\xff\xff\xff\x00\x00" + number(1), "frame size"),
    "PING of five bytes": (frame(Kind.PING, b"short"), "FRAME_SIZE_ERROR"),
    "HPACK nonsense": (frame(Kind.HEADERS, b"\xff\xff\xff\xff\xff", 4, 1), "COMPRESSION_ERROR"),
    "PUSH_PROMISE": (frame(Kind.PUSH_PROMISE, number(2) + b"\x82", 4, 1), "PUSH_PROMISE"),
    "a head on a stream that nobody opened": (frame(Kind.HEADERS, b"\x88", 5, 99), "HEADERS"),
    "content before any head": (frame(Kind.DATA, b"x", 0, 1), "DATA"),
    "a window of the connection that overflows": (
        frame(Kind.WINDOW_UPDATE, number(0x7fffffff)), "FLOW_CONTROL_ERROR"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_frames_that_are_wrong_end_their_connection(peers, fault):
    data, rule = WRONG[fault]
    siege = Siege(peers, sending(data))
    assert "the backend broke HTTP/2" in siege.assert_refused()
    assert rule in siege.assert_ended("protocol_error")
    siege.assert_nobody_else_noticed()


CUT_OFF = {  # bytes before the connection's end; what the log says
    "a frame": (frame(Kind.HEADERS, b"x" * 100, 4, 1)[:50],
                "within a frame of type HEADERS on stream 1, after 41 of its 100 bytes"),
    "the head of a frame": (OK[:5], "after 5 of the 9 bytes of a frame's head"),
    "a header block": (frame(Kind.HEADERS, b"\x88", 0, 1), "within a header block on stream 1"),
}


@pytest.mark.parametrize("cut", CUT_OFF)
def test_a_close_within_a_frame_is_told_from_a_lost_connection(peers, cut):
    data, place = CUT_OFF[cut]
    siege = Siege(peers, sending(data, close=True))
    assert place in siege.assert_refused("backend_closed")
    detail = siege.assert_ended("closed_mid_frame")
    assert place in detail and detail.endswith("requests under way: 1")
    siege.assert_nobody_else_noticed()


def test_a_close_between_frames_is_a_lost_connection(peers):
    siege = Siege(peers, sending(b"", close=True))
    assert siege.assert_refused("backend_closed") == "the backend closed the connection"
    assert siege.assert_ended("reset", "info") == (
        "the backend closed the connection; requests under way: 1")
    siege.assert_nobody_else_noticed()


def test_a_close_within_content_cuts_the_response_off(peers):
    siege = Siege(peers, sending(OK + frame(Kind.DATA, b"x" * 100, 0, 1)[:50], close=True))
    assert siege.client.recv_head().status == 200
    assert siege.client.at_end() is not None
    assert "within a frame of type DATA on stream 1" in siege.assert_ended("closed_mid_frame")
    siege.assert_nobody_else_noticed()


SPOKEN = {  # what a backend says to HTTP/2's preface
    "http1_spoken": (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
                     "the backend speaks HTTP/1.1 where HTTP/2 is configured"),
    "tls_spoken": (b"\x15\x03\x01\x00\x02\x02\x46",
                   "the backend speaks TLS where cleartext is configured"),
}


@pytest.mark.parametrize("reason", SPOKEN)
def test_another_protocol_is_named(peers, reason):
    said, detail = SPOKEN[reason]
    backend = peers.backend(lambda connection: connection.send(said).at_end())
    gateway = peers.gateway({
        "version": 1, "listeners": [{"name": "web", "address": "127.0.0.1:0"}],
        "services": {"app": {"endpoints": [backend.url], **CLEAR}},
        "routes": [{"name": "all", "service": "app"}]})
    problem = assert_problem(peers.client(gateway).get("/"), 502, "backend_protocol_error")
    assert problem["detail"] == f"{reason}: {detail}"
    assert gateway.wait_access_log()[0]["fault"] == reason
    event = gateway.wait_event("backend_http2_broken")
    assert (event["level"], event["reason"], event["detail"]) == ("warning", reason, detail)
    assert gateway.metrics().sum("doorward_service_http2_connections_broken_total", service="app",
                                 reason=reason) == 1


# --- frames that are too many ------------------------------------------------------------------
def again_and_again(data, first=b"", times=20_000):
    return lambda: itertools.chain([first] if first else [], itertools.repeat(data, times))


FLOODS = {
    "settings_flood": again_and_again(frame(Kind.SETTINGS)),
    "ping_flood": again_and_again(frame(Kind.PING, b"12345678")),
    "priority_flood": again_and_again(frame(Kind.PRIORITY, number(0) + b"\x10", 0, 1)),
    "window_flood": again_and_again(frame(Kind.WINDOW_UPDATE, number(1))),
    "unknown_flood": again_and_again(frame(0x77, b"?")),
    "continuation_flood": again_and_again(frame(Kind.CONTINUATION, b"", 0, 1),
                                          frame(Kind.HEADERS, b"\x88", 0, 1)),
    "hpack_bomb": again_and_again(frame(Kind.HEADERS, b"\x88" + BOMB, END_HEADERS, 1), times=1),
}


@pytest.mark.parametrize("reason", FLOODS)
def test_frames_of_no_use_end_their_connection(peers, reason):
    siege = Siege(peers, sending(FLOODS[reason]))
    siege.assert_refused(fault=reason)
    siege.assert_ended(reason)
    siege.assert_nobody_else_noticed()


def test_empty_content_without_end_cuts_the_response_off(peers):
    siege = Siege(peers, sending(again_and_again(frame(Kind.DATA, b"", 0, 1), OK)))
    assert siege.client.recv_head().status in (200, 502)
    siege.assert_ended("empty_flood")
    siege.assert_nobody_else_noticed()


AFTERWARDS = {  # frames for a stream that is over
    "RST_STREAM": frame(Kind.RST_STREAM, number(Code.NO_ERROR), 0, 1) * 500,
    "content": frame(Kind.DATA, b"x" * 16_000, 0, 1),
    "empty content": frame(Kind.DATA, b"", 0, 1) * 500,
    "header blocks": frame(Kind.HEADERS, BOMB, END_HEADERS, 1),
}


@pytest.mark.parametrize("what", AFTERWARDS)
def test_frames_behind_the_end_are_taken_as_far_as_they_can_have_been_on_their_way(peers, what):
    siege = Siege(peers, sending(again_and_again(AFTERWARDS[what], WHOLE)))
    assert siege.client.recv_response().status == 200
    siege.assert_ended("closed_flood")
    siege.assert_nobody_else_noticed()


def downloading(afterwards):
    """Sends content, as the windows allow, until RST_STREAM; then what `afterwards` says."""
    def attack(stream):
        stream.begin(200)
        try:
            while True:
                stream.data(b"x" * 16_000)
        except Gone:
            for piece in afterwards:
                stream.connection.send_raw(piece)
    return attack


def test_content_without_end_for_a_client_that_left(peers):
    siege = Siege(peers, downloading([frame(Kind.DATA, b"x" * 16_000, 0, 1)] * 20_000))
    assert siege.client.recv_head().status == 200
    siege.client.close()
    siege.assert_ended("closed_flood")
    siege.assert_nobody_else_noticed()


def test_a_few_frames_behind_the_end_are_no_attack(peers):
    """They were on their way when the client left."""
    siege = Siege(peers, downloading([frame(Kind.DATA, b"x" * 16_000, 0, 1)] * 14 +
                                     [frame(Kind.RST_STREAM, number(Code.CANCEL), 0, 1)]))
    assert siege.client.recv_head().status == 200
    siege.client.close()
    eventually(lambda: siege.bad.http2(1).streams[1].over.is_set(), "the last of them")
    siege.assert_goes_on()
    siege.assert_nobody_else_noticed()


# --- responses that are wrong, on connections that are not -------------------------------------
def head_of(block, piece=16_000):
    """HEADERS and as many CONTINUATIONs as it needs."""
    pieces = [block[at:at + piece] for at in range(0, len(block), piece)]
    kinds = [Kind.HEADERS] + [Kind.CONTINUATION] * (len(pieces) - 1)
    flags = [0] * (len(pieces) - 1) + [END_HEADERS]
    return b"".join(map(frame, kinds, pieces, flags, [1] * len(pieces)))


LARGE = b"".join(b"\x00\x03x%02d" % n + b"\x7f\xa1\x1e" + b"v" * 4000 for n in range(20))
REFUSED = {  # bytes; the fault
    "a header list over the limit": (head_of(b"\x88" + LARGE), "head_too_large"),
    "a window that overflows": (
        frame(Kind.WINDOW_UPDATE, number(0x7fffffff), 0, 1), "bad_stream_frame"),
    "content behind an interim head": (
        EARLY_HINTS + frame(Kind.DATA, b"x", 0, 1), "data_before_head"),
    "an end behind an interim head": (
        EARLY_HINTS + frame(Kind.DATA, b"", END_STREAM, 1), "data_before_head"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_response_that_is_wrong_is_refused_alone(peers, what):
    data, fault = REFUSED[what]
    siege = Siege(peers, sending(data))
    assert siege.assert_refused(fault=fault).startswith(fault)
    siege.assert_goes_on()
    siege.assert_nobody_else_noticed()


def test_interim_responses_without_end_are_refused(peers):
    siege = Siege(peers, sending(again_and_again(EARLY_HINTS, times=500)))
    answer = siege.client.recv_response()
    assert_problem(answer, 502, "backend_protocol_error")
    assert len(answer.interim) <= 16
    assert siege.gateway.wait_access_log()[0]["fault"] == "too_many_interim"
    siege.assert_goes_on()
    siege.assert_nobody_else_noticed()
