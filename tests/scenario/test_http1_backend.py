"""HTTP/1.1 towards backends: every form of answer a backend may give, and bodies on the way."""
import threading

import pytest

from harness import config, raw
from harness.origin import Told
from harness.raw import chunked, request


def proxied(peers, script, **options):
    backend = peers.backend(script)
    return backend, peers.client(peers.gateway(config.proxy(backend, **options)))


def test_chunked_answers_arrive_with_trailers(peers):
    _, client = proxied(peers, raw.response(200, "Transfer-Encoding: chunked", "Trailer: X-Sum",
                                            length=False) +
                        chunked(b"one", b"two", extension=";a", trailers=["X-Sum: 7"]))
    answer = client.get("/", "TE: trailers")
    assert (answer.body, answer.framing) == (b"onetwo", "chunked")
    assert [(n.lower(), v) for n, v in answer.trailers] == [("x-sum", "7")]


@pytest.mark.parametrize("size", [1, 3, 50])
def test_answers_in_small_segments_are_understood(peers, size):
    text = (raw.response(200, "Transfer-Encoding: chunked", length=False) +
            chunked(b"abc", b"x" * 99))

    def script(connection):
        while connection.recv_request():
            for at in range(0, len(text), size):
                connection.send(text[at:at + size])
    _, client = proxied(peers, script)
    assert client.get("/").body == b"abc" + b"x" * 99
    assert client.get("/").body == b"abc" + b"x" * 99


def test_close_delimited_answers_are_whole_and_the_client_stays_connected(peers):
    def script(connection):
        connection.recv_request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100000)
    backend, client = proxied(peers, script)
    for _ in range(2):
        answer = client.get("/")
        assert answer.body == b"x" * 100000 and answer.framing == "chunked"
    assert len(backend.connections) == 2


def test_close_delimited_answers_to_http_1_0_clients_end_with_the_close(peers):
    def script(connection):
        connection.recv_request()
        connection.send(b"HTTP/1.0 200 OK\r\n\r\nabc")
    _, client = proxied(peers, script)
    answer = client.request(request("/", version="1.0"))
    assert answer.body == b"abc" and not answer.has("transfer-encoding")
    assert client.at_end()


def test_http_1_0_backends_are_not_reused_unless_they_say_so(peers):
    def script(connection):
        connection.recv_request()
        connection.send(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc")
        connection.at_end()
    backend, client = proxied(peers, script)
    assert [client.get("/").body for _ in range(3)] == [b"abc"] * 3
    assert len(backend.connections) == 3


def test_a_backends_connection_close_is_honoured_and_not_passed_on(peers):
    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, "Connection: close", body=b"abc"))
        connection.at_end()
    backend, client = proxied(peers, script)
    for _ in range(3):
        answer = client.get("/")
        assert answer.body == b"abc" and "close" not in answer.get("connection", "")
    assert len(backend.connections) == 3


def test_hop_by_hop_headers_of_answers_stay_behind(peers):
    _, client = proxied(peers, raw.response(
        200, "Connection: x-hop", "X-Hop: 1", "Keep-Alive: timeout=5", "Proxy-Connection: a",
        "X-End: 2", body=b"abc"))
    answer = client.get("/")
    assert answer.get("x-end") == "2"
    for name in ("x-hop", "keep-alive", "proxy-connection"):
        assert not answer.has(name), name


def test_interim_answers_pass_in_order(peers):
    _, client = proxied(peers, b"HTTP/1.1 102 Processing\r\n\r\n"
                        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" +
                        raw.response(200, body=b"abc"))
    answer = client.get("/")
    assert answer.body == b"abc"
    assert [one.status for one in answer.interim] == [102, 103]
    assert answer.interim[1].get("link") == "</a.css>"


def test_an_interim_answer_passes_before_the_final_one_exists(peers):
    seen = threading.Event()

    def script(connection):
        connection.recv_request()
        connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        assert seen.wait(20)
        connection.send(raw.response(200, body=b"abc"))
    _, client = proxied(peers, script)
    client.send(request("/"))
    assert client.recv_head().status == 103
    seen.set()
    assert client.recv_response().body == b"abc"


def test_reason_phrases_and_unknown_statuses_pass(peers):
    _, client = proxied(peers, raw.response(299, reason="Own Idea"))
    answer = client.get("/")
    assert (answer.status, answer.reason) == (299, "Own Idea")


def test_an_empty_reason_phrase_is_accepted(peers):
    _, client = proxied(peers, b"HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\nabc")
    assert client.get("/").body == b"abc"


def test_head_answers_with_a_length_leave_the_connection_in_step(peers):
    backend, client = proxied(peers, raw.response(200, "Content-Length: 1000", length=False))
    for _ in range(3):
        assert client.get("/", method="HEAD").get("content-length") == "1000"
    assert len(backend.connections) == 1


def test_not_modified_with_a_length_leaves_the_connection_in_step(peers):
    backend, client = proxied(peers, raw.response(304, "Content-Length: 1000", "ETag: \"a\"",
                                                  length=False, reason="Not Modified"))
    for _ in range(3):
        answer = client.get("/")
        assert (answer.status, answer.get("etag")) == (304, '"a"')
    assert len(backend.connections) == 1


def test_repeated_fields_of_answers_are_kept_apart(peers):
    _, client = proxied(peers, raw.response(200, "Set-Cookie: a=1", "Set-Cookie: b=2"))
    assert client.get("/").all("set-cookie") == ["a=1", "b=2"]


def test_an_early_final_answer_reaches_the_client_while_its_body_still_arrives(peers):
    def script(connection):
        connection.recv_head()
        connection.send(raw.response(413, "Connection: close", body=b"too big", reason="Too Big"))
        connection.at_end()
    _, client = proxied(peers, script)
    client.send(request("/", "Content-Length: 100000000", method="POST") + b"x" * 1000)
    answer = client.recv_response()
    assert (answer.status, answer.body) == (413, b"too big")


def test_an_early_answer_does_not_cut_the_rest_of_a_body(peers):
    whole = threading.Event()

    def script(connection):
        head = connection.recv_head()
        connection.send(raw.response(200, "Transfer-Encoding: chunked", length=False) +
                        b"5\r\nearly\r\n")
        got = sum(len(piece) for piece in connection.body_pieces(head))
        assert got == 300000
        whole.set()
        connection.send(b"0\r\n\r\n")
        connection.at_end()
    _, client = proxied(peers, script)
    client.send(request("/", "Content-Length: 300000", method="POST") + b"x" * 1000)
    head = client.recv_head()
    assert head.status == 200
    assert client.recv_exactly(10) == b"5\r\nearly\r\n"
    client.send(b"x" * 299000)
    assert whole.wait(20)
    assert client.recv_exactly(5) == b"0\r\n\r\n"


def test_after_an_early_answer_the_backend_connection_is_not_used_again(peers):
    """The backend answers without reading the body and keeps open: what is left of the body must
    never be taken for a request."""
    def script(connection):
        while connection.recv_head():
            connection.send(raw.response(200, body=b"early"))
    backend = peers.backend(script)
    gateway = peers.gateway(config.proxy(backend))
    client = peers.client(gateway)
    client.send(request("/", "Content-Length: 200000", method="POST") + b"x" * 100)
    assert client.recv_response().body == b"early"
    client.close()
    assert peers.client(gateway).get("/other").body == b"early"
    assert all(len(c.requests) == 1 for c in backend.connections)


def test_pieces_pass_as_they_come_in_both_directions(peers):
    """No buffering: an echo of single chunks, one at a time."""
    def script(connection):
        head = connection.recv_head()
        connection.send(raw.response(200, "Transfer-Encoding: chunked", length=False))
        for piece in connection.body_pieces(head):
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")
    _, client = proxied(peers, script)
    client.send(request("/", "Transfer-Encoding: chunked", method="POST"))
    for number in range(5):
        client.send(b"2\r\n%02d\r\n" % number)
        if number == 0:
            assert client.recv_head().status == 200
        assert client.recv_exactly(7) == b"2\r\n%02d\r\n" % number
    client.send(b"0\r\n\r\n")
    assert client.recv_exactly(5) == b"0\r\n\r\n"


def test_server_sent_events_pass_unbuffered(peers):
    more = threading.Event()

    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, "Content-Type: text/event-stream", length=False) +
                        b"data: 1\n\n")
        assert more.wait(20)
        connection.send(b"data: 2\n\n")
    _, client = proxied(peers, script)
    client.send(request("/"))
    assert client.recv_head().status == 200
    assert client.recv_exactly(14) == b"9\r\ndata: 1\n\n\r\n"
    more.set()
    assert client.recv_exactly(14) == b"9\r\ndata: 2\n\n\r\n"
    assert client.recv_exactly(5) == b"0\r\n\r\n"


def test_bytes_after_an_answer_do_not_become_the_next_answer(peers):
    """Response splitting: surplus bytes on a pooled connection are never read as an answer."""
    def script(connection):
        while connection.recv_request():
            connection.send(raw.response(200, body=b"good") + raw.response(200, body=b"evil"))
    backend, client = proxied(peers, script)
    assert [client.get("/").body for _ in range(4)] == [b"good"] * 4
    assert all(len(c.requests) == 1 for c in backend.connections)


def test_host_is_preserved_by_default(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    assert Told(peers.client(gateway).get("/", host="shop.example.com")).get(
        "host") == "shop.example.com"


def test_host_can_be_the_endpoints(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin, service={"host": "endpoint"}))
    assert Told(peers.client(gateway).get("/")).get("host") == origin.url.removeprefix("http://")


def test_host_can_be_a_literal(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), service={"host": "inner.example.com"}))
    assert Told(peers.client(gateway).get("/")).get("host") == "inner.example.com"


@pytest.mark.parametrize("limit,extra", [({"header_bytes": "2KiB"}, ["X-Big: " + "x" * 3000]),
                                         ({"header_count": 10}, [f"X-{n}: 1" for n in range(12)])])
def test_answers_with_too_much_head_become_502(peers, limit, extra):
    backend, client = proxied(peers, raw.response(200, *extra), service={"limits": limit})
    for count in (1, 2):
        answer = client.get("/")
        assert answer.status == 502 and answer.json()["code"] == "backend_protocol_error"
        assert len(backend.connections) == count
