"""What the metrics of a service say of its backends: how each attempt ended, how long its response
took, what failed and why, whoever made it: a client's request or a policy's call."""
import threading

import pytest

from harness import config, raw
from harness import websocket as ws
from harness.backend import listen
from harness.either import Talk1
from harness.http2 import Code
from harness.raw import assert_problem, request
from harness.service_metrics import Service
from harness.waiting import DEADLINE, eventually
from harness.websocket_http2 import Http2Socket

SLOW = 0.3  # s: what the backends here take their time for
DURATION, FAILURE = "doorward_service_duration_seconds", "doorward_service_failure_duration_seconds"
WAIT = "doorward_service_wait_seconds"


def front(peers, backend, **service):
    gateway = peers.gateway(config.proxy(backend, service=service))
    return gateway, Service(gateway)


def whole(gateway):
    """The time that requests took from their heads to the ends of their responses."""
    return gateway.metrics().sum("doorward_route_duration_seconds_sum", route="all")


def late(answer):
    """A script: answers each request late."""
    def script(connection):
        while connection.recv_request():
            connection.over.wait(SLOW)
            connection.send(answer)
    return script


def silent(connection):
    connection.recv_request()
    connection.at_end()


def closing(connection):
    connection.recv_request()


def guarded(peers, auth, service=None, **settings):
    """A service "auth" that only the policy asks; its series."""
    policy = {"external_auth": {"service": "auth", "path": "/check", **settings}}
    top = config.proxy(peers.origin(), policies=[policy])
    top["services"]["auth"] = {"endpoints": [getattr(auth, "url", auth)], **(service or {})}
    gateway = peers.gateway(top)
    return gateway, Service(gateway, "auth")


def test_a_late_answer_is_observed_with_the_time_that_it_took(peers):
    gateway, app = front(peers, peers.backend(late(raw.response(200, body=b"here"))))
    assert peers.client(gateway).get("/").status == 200
    count, seconds = app.ended({"2xx": 1}).observed(DURATION)
    assert count == 1 and SLOW <= seconds < DEADLINE
    assert app.observed(FAILURE) == (0, 0)


def test_an_answer_that_never_comes_is_a_failure_with_the_time_that_was_waited(peers):
    gateway, app = front(peers, peers.backend(silent), timeouts={"first_byte": "300ms"})
    assert_problem(peers.client(gateway).get("/"), 504, "first_byte_timeout")
    count, seconds = app.ended({"none": 1}).observed(FAILURE)
    assert count == 1 and SLOW <= seconds < DEADLINE
    assert app.observed(DURATION) == (0, 0)


def test_a_backend_that_closes_is_a_failure_and_no_fast_answer(peers):
    gateway, app = front(peers, peers.backend(closing))
    assert_problem(peers.client(gateway).get("/"), 502, "backend_closed")
    count, seconds = app.ended({"none": 1}).observed(FAILURE)
    assert count == 1 and seconds > 0
    assert app.observed(DURATION) == (0, 0)
    assert app.total("sent_bytes") > len(request("/")), "what was sent in vain counts"


def test_a_connection_that_fails_is_an_attempt_that_failed(peers):
    listener, url = listen()
    listener.close()
    gateway, app = front(peers, url)
    assert_problem(peers.client(gateway).get("/"), 502, "connect_failed")
    assert app.ended({"none": 1}).observed(FAILURE)[0] == 1
    assert app.total("connect_failures") == 1 and app.total("connects") == 0


def test_attempts_of_one_request_are_counted_each(peers):
    listener, url = listen()
    listener.close()
    gateway, app = front(peers, [url, peers.origin()])
    for _ in range(2):
        assert peers.client(gateway).get("/").status == 200
    app.ended({"none": 1, "2xx": 2})
    assert (app.total("retries"), app.total("connect_failures")) == (1, 1)
    assert app.observed(DURATION)[0] == 2 and app.observed(FAILURE)[0] == 1


def test_a_connection_that_is_opened_counts_as_in_flight(peers):
    """Here nobody answers the TLS handshake."""
    deaf = peers.backend(lambda connection: connection.at_end())
    gateway, app = front(peers, deaf.url.replace("http:", "https:"),
                         tls={"verify": False}, timeouts={"connect": "2s"})
    client = peers.client(gateway).send(request("/"))
    eventually(lambda: app.get("doorward_service_in_flight") == 1, "the attempt")
    assert_problem(client.recv_response(), 502, "backend_tls_failed")
    count, seconds = app.ended({"none": 1}).observed(FAILURE)
    assert count == 1 and seconds >= SLOW


@pytest.mark.parametrize("leave", ["reset", "close"])
def test_an_attempt_that_its_client_leaves_is_no_failure_of_the_backend(peers, leave):
    backend = peers.backend(silent)
    gateway, app = front(peers, backend)
    client = peers.client(gateway).send(request("/"))
    backend.wait_requests()
    getattr(client, leave)()
    app.ended({"abandoned": 1})
    assert app.observed(FAILURE) == app.observed(DURATION) == (0, 0)


def test_a_body_that_is_refused_on_its_way_is_no_failure_of_the_backend(peers):
    def script(connection):
        connection.recv_head()
        connection.at_end()
    backend = peers.backend(script)
    gateway = peers.gateway(config.proxy(backend, listener={"limits": {"body_size": "10B"}}))
    client = peers.client(gateway).send(request("/", "Transfer-Encoding: chunked", method="POST"))
    backend.wait_requests()
    client.send(b"14\r\n" + b"x" * 20 + b"\r\n")
    assert client.recv_response().status == 413
    app = Service(gateway).ended({"abandoned": 1})
    assert app.observed(FAILURE) == (0, 0)


def test_a_slow_client_does_not_make_its_backend_slow(peers):
    """Neither in sending its body, nor in taking the response."""
    def script(connection):
        while connection.recv_request():
            connection.send(raw.response(200, body=b"x" * 20_000_000))
    gateway, app = front(peers, peers.backend(script))
    client = peers.client(gateway, receive_buffer=4096)
    client.send(request("/", "Content-Length: 4", method="POST") + b"ab")
    eventually(lambda: app.get("doorward_service_in_flight") == 1, "the attempt")
    threading.Event().wait(SLOW)
    client.send(b"cd")
    assert client.recv_head().status == 200
    threading.Event().wait(SLOW)
    client.recv_exactly(20_000_000)
    count, seconds = app.ended({"2xx": 1}).observed(DURATION)
    assert count == 1 and seconds <= whole(gateway) - 2 * SLOW


def test_interim_responses_are_no_answer(peers):
    def script(connection):
        connection.recv_request()
        connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        connection.over.wait(SLOW)
        connection.send(raw.response(404))
        connection.at_end()
    gateway, app = front(peers, peers.backend(script))
    assert peers.client(gateway).get("/").status == 404
    count, seconds = app.ended({"4xx": 1}).observed(DURATION)
    assert count == 1 and seconds >= SLOW


def test_a_tunnel_is_as_slow_as_its_handshake(peers):
    backend = ws.Frames(ws.echo)
    gateway, app = front(peers, peers.backend(backend))
    client = ws.opened(peers, gateway)
    client.send(ws.frame(ws.TEXT, b"x" * 1000))
    assert ws.read_frame(client.stream) == (ws.TEXT, b"x" * 1000)
    threading.Event().wait(SLOW)
    client.send(ws.close_frame(1000))
    assert ws.read_close(client.stream) == 1000 and client.at_end()
    count, seconds = app.ended({"1xx": 1}).observed(DURATION)
    lasted = gateway.wait_access_log()[0]["total_us"] / 1e6
    assert count == 1 and seconds <= lasted - SLOW
    assert app.total("sent_bytes") > 1000 and app.total("received_bytes") > 1000


def test_a_page_in_the_place_of_a_websocket_is_an_answer(peers):
    """Which the client of HTTP/2 does not get: to it, its status says that the WebSocket is open."""
    gateway, app = front(peers, peers.backend(raw.response(200, body=b"page")))
    socket = Http2Socket(peers.http2(gateway))
    assert socket.answer.status == 502
    assert app.ended({"2xx": 1}).observed(DURATION)[0] == 1


@pytest.mark.parametrize("after", [b"", b"0123"], ids=["at-once", "within-the-body"])
def test_a_response_that_breaks_off_is_told_apart(peers, after):
    """It has a status, and is counted with it, but is not whole."""
    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, "Content-Length: 10", length=False) + after)
    gateway, app = front(peers, peers.backend(script))
    # A head that comes together with the end is a 502, which would leave the client connected.
    client = peers.client(gateway).send(request("/", "Connection: close"))
    client.at_end()
    assert app.ended({"2xx": 1}).observed(DURATION)[0] == 1
    assert app.total("responses_broken") == 1


def test_a_client_that_leaves_within_a_response_did_not_break_it(peers):
    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, "Content-Length: 10", length=False) + b"0123")
        connection.at_end()
    gateway, app = front(peers, peers.backend(script))
    client = peers.client(gateway).send(request("/"))
    client.recv_head()
    client.recv_exactly(4)
    client.reset()
    assert app.ended({"2xx": 1}).total("responses_broken") == 0


def test_who_waits_for_a_connection_is_timed_apart(peers):
    backend = peers.backend(late(raw.response(200)))
    gateway, app = front(peers, backend, pool={"max_connections": 1})
    clients = [peers.client(gateway).send(request("/")) for _ in range(2)]
    assert [client.recv_response().status for client in clients] == [200, 200]
    count, seconds = app.ended({"2xx": 2}).observed(WAIT)
    assert count == 1 and seconds > 0
    assert 2 * SLOW <= app.observed(DURATION)[1] <= whole(gateway) - seconds


def test_a_refused_stream_is_an_attempt_of_its_own(peers):
    """An upload that HTTP/2 refused unseen is sent again."""
    refused = threading.Event()

    def script(stream):
        if not refused.is_set():
            refused.set()
            return stream.reset(Code.REFUSED_STREAM)
        return stream.answer(200, body=stream.recv_body())
    gateway, app = front(peers, peers.http2_backend(script), protocol="http2")
    call = peers.client(gateway, kind=Talk1).open("/")
    assert refused.wait(DEADLINE)
    call.send(b"body")
    call.end()
    assert call.answer().body == b"body"
    app.ended({"none": 1, "2xx": 1})
    assert app.total("retries") == 1
    assert app.observed(DURATION)[0] == 1 and app.observed(FAILURE)[0] == 1


def test_heads_count_as_bytes_over_http2_too(peers):
    backend = peers.http2_backend(lambda s: s.answer(200, "x-long: " + "abcdefgh" * 500))
    gateway = peers.gateway(config.proxy(backend, service={"protocol": "http2"}))
    client = peers.http2(gateway)
    assert client.ask("/", "x-mine: " + "hgfedcba" * 500).status == 200
    app = Service(gateway).ended({"2xx": 1})
    assert app.total("sent_bytes") > 2000 and app.total("received_bytes") > 2000
    line = gateway.wait_access_log()[0]
    assert line["bytes_in"] > 2000 and line["bytes_out"] > 2000


REFUSED = [
    ("bad_status_line", b"HTTP/1.1_200 OK\r\n\r\n", "none"),
    ("content_length_differs",
     b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "none"),
    ("bad_chunk_size", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "2xx"),
]


@pytest.mark.parametrize("code,answer,status", REFUSED, ids=[code for code, _, _ in REFUSED])
def test_malformed_responses_are_counted_by_code(peers, code, answer, status):
    gateway, app = front(peers, peers.backend(answer))
    for _ in range(2):
        peers.client(gateway).send(request("/", "Connection: close")).at_end()
    app.ended({status: 2})
    samples = [(labels["service"], labels["code"], value)
               for name, labels, value in gateway.metrics().samples
               if name == "doorward_service_parser_refusals_total"]
    assert samples == [("app", code, 2)]
    assert gateway.metrics().sum("doorward_parser_refusals_total") == 0


@pytest.mark.parametrize("code,line,status", [
    ("connection_specific_header", "connection: close", "none"),
    ("content_length_mismatch", "content-length: 3", "2xx"),
], ids=["in-the-head", "behind-the-head"])
def test_malformed_responses_of_http2_are_counted_by_code(peers, code, line, status):
    backend = peers.http2_backend(lambda stream: stream.begin(200, line, end=True))
    gateway, app = front(peers, backend, protocol="http2")
    assert_problem(peers.client(gateway).get("/"), 502, "backend_protocol_error")
    app.ended({status: 1})
    assert app.total("parser_refusals", code=code) == 1


def test_a_policys_calls_are_counted_like_requests(peers):
    gateway, auth = guarded(peers, peers.backend(late(raw.response(200))))
    client = peers.client(gateway)
    for _ in range(2):
        assert client.get("/").status == 200
    count, seconds = auth.ended({"2xx": 2}).observed(DURATION)
    assert count == 2 and 2 * SLOW <= seconds < DEADLINE
    assert (auth.total("connects"), auth.total("connection_reuses")) == (1, 1)
    assert auth.total("sent_bytes") > 50 and auth.total("received_bytes") > 30
    assert auth.get("doorward_service_connections_open") == 1


def test_a_policys_call_is_in_flight_while_it_waits(peers):
    go_on = threading.Event()

    def script(connection):
        connection.recv_request()
        go_on.wait(DEADLINE)
        connection.send(raw.response(403))
    gateway, auth = guarded(peers, peers.backend(script))
    client = peers.client(gateway).send(request("/"))
    eventually(lambda: auth.get("doorward_service_in_flight") == 1, "the call")
    go_on.set()
    assert client.recv_response().status == 403
    auth.ended({"4xx": 1})


def test_a_policys_calls_that_fail_are_counted(peers):
    gateway, auth = guarded(peers, peers.backend(silent), timeout="300ms")
    assert_problem(peers.client(gateway).get("/"), 503, "auth_unavailable")
    count, seconds = auth.ended({"none": 1}).observed(FAILURE)
    assert count == 1 and seconds >= SLOW


def test_a_policys_connections_that_fail_are_counted(peers):
    listener, url = listen()
    listener.close()
    gateway, auth = guarded(peers, url)
    assert_problem(peers.client(gateway).get("/"), 503, "auth_unavailable")
    assert auth.ended({"none": 1}).total("connect_failures") == 1


def test_a_policys_calls_that_are_sent_again_are_counted(peers):
    """A backend may close its kept connection under the next call."""
    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200))
        if connection.number == 0:
            connection.recv_request()
        else:
            connection.at_end()
    gateway, auth = guarded(peers, peers.backend(script))
    client = peers.client(gateway)
    for _ in range(2):
        assert client.get("/").status == 200
    auth.ended({"2xx": 2, "none": 1})
    assert (auth.total("retries"), auth.total("connects")) == (1, 2)


def test_malformed_answers_to_a_policy_are_counted_by_code(peers):
    gateway, auth = guarded(peers, peers.backend(b"HTTP/1.1 2000 OK\r\n\r\n"))
    assert_problem(peers.client(gateway).get("/"), 503, "auth_unavailable")
    auth.ended({"none": 1})
    assert auth.total("parser_refusals", code="bad_status") == 1


def test_an_answer_to_a_policy_that_breaks_off_is_told_apart(peers):
    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, "Content-Length: 10", length=False) + b"0123")
    gateway, auth = guarded(peers, peers.backend(script))
    assert_problem(peers.client(gateway).get("/"), 503, "auth_unavailable")
    assert auth.ended({"2xx": 1}).total("responses_broken") == 1
