"""Each limit of a listener: what is below passes, what is above is refused with its own code."""
import json

import pytest

from harness import config, raw
from harness.origin import Told
from harness.raw import Raw, assert_problem, chunked, request
from harness.waiting import eventually


def limited(peers, **limits):
    origin = peers.origin()
    return origin, peers.gateway(config.proxy(origin, listener={"limits": limits}))


def assert_refused(client, answer, status):
    assert answer.status == status and answer.json()["code"], answer
    assert answer.get("connection") == "close" and client.at_end()


def test_header_bytes(peers):
    origin, gateway = limited(peers, header_bytes="2KiB")
    assert peers.client(gateway).get("/", "X-A: " + "a" * 1800).status == 200
    client = peers.client(gateway)
    assert_refused(client, client.get("/", "X-A: " + "a" * 2100), 431)
    assert len(origin.requests) == 1


def test_header_bytes_without_an_end_of_the_head(peers):
    _, gateway = limited(peers, header_bytes="2KiB")
    client = peers.client(gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 3000)
    assert_refused(client, client.recv_response(), 431)


def test_header_count(peers):
    origin, gateway = limited(peers, header_count=10)
    assert peers.client(gateway).get("/", *[f"X-{n}: 1" for n in range(9)]).status == 200
    client = peers.client(gateway)
    assert_refused(client, client.get("/", *[f"X-{n}: 1" for n in range(10)]), 431)
    assert len(origin.requests) == 1


def test_target_length(peers):
    origin, gateway = limited(peers, target_length="1KiB")
    assert peers.client(gateway).get("/" + "a" * 1000).status == 200
    client = peers.client(gateway)
    assert_refused(client, client.get("/" + "a" * 1100), 414)
    assert len(origin.requests) == 1


def test_the_defaults_are_those_of_the_documentation(web):
    with web.client() as client:
        assert client.get("/", "X-A: " + "a" * 30000).status == 200
        assert client.get("/" + "a" * 8000).status == 200
        assert client.get("/", *[f"X-{n}: 1" for n in range(90)]).status == 200
    with web.client() as client:
        assert client.get("/", "X-A: " + "a" * 33000).status == 431
    with web.client() as client:
        assert client.get("/" + "a" * 8300).status == 414
    with web.client() as client:
        assert client.get("/", *[f"X-{n}: 1" for n in range(100)]).status == 431


def test_a_large_content_length_is_refused_at_once(peers):
    origin, gateway = limited(peers, body_size="1KiB")
    client = peers.client(gateway)
    assert Told(client.request(request("/", method="POST", body=b"a" * 1024))).body_length == 1024
    client.send(request("/", "Content-Length: 1025", method="POST"))
    assert_problem(client.recv_response(), 413, "body_too_large")
    assert client.at_end()
    assert len(origin.requests) == 1


def test_a_large_content_length_is_refused_instead_of_100_continue(peers):
    _, gateway = limited(peers, body_size="1KiB")
    client = peers.client(gateway)
    client.send(request("/", "Content-Length: 1025", "Expect: 100-continue", method="POST"))
    answer = client.recv_response()
    assert_problem(answer, 413, "body_too_large")
    assert not answer.interim


def test_a_chunked_body_is_counted_as_it_flows(peers):
    outcome = []

    def script(connection):
        head = connection.recv_head()
        try:
            for _ in connection.body_pieces(head):
                pass
            outcome.append("whole")
            connection.send(raw.response(200))
        except Exception:
            outcome.append("cut")
            raise
    backend = peers.backend(script)
    gateway = peers.gateway(config.proxy(backend, listener={"limits": {"body_size": "1KiB"}}))
    client = peers.client(gateway)
    client.send(request("/", "Transfer-Encoding: chunked", method="POST") + b"400\r\n" +
                b"a" * 1024 + b"\r\n")
    backend.wait_requests()
    client.send(b"1\r\na\r\n")
    assert_problem(client.recv_response(), 413, "body_too_large")
    assert client.at_end()
    backend.wait_over()
    assert outcome == ["cut"]


def test_zero_means_no_limit_of_body_size(peers):
    _, gateway = limited(peers, body_size=0)
    client = peers.client(gateway)
    assert Told(client.request(request("/", method="POST", body=b"a" * 3000000))
                ).body_length == 3000000


def test_connections_of_a_listener(peers):
    _, gateway = limited(peers, connections=3)
    clients = [peers.client(gateway) for _ in range(3)]
    assert all(client.get("/").status == 200 for client in clients)
    surplus = peers.client(gateway)
    answer = surplus.get("/")
    assert_problem(answer, 503, "too_many_connections")
    assert '"connections"' in json.loads(answer.body)["detail"] and answer.has("date")
    assert surplus.at_end()
    assert gateway.metrics().sum("doorward_replies_total", code="too_many_connections") == 1
    assert clients[0].get("/").status == 200
    clients[1].close()
    def admitted():
        with Raw(gateway.address()) as client:
            return client.get("/").status == 200
    eventually(admitted, "the place of a closed connection")


def test_connections_per_ip(peers):
    _, gateway = limited(peers, connections_per_ip=2)
    clients = [peers.client(gateway) for _ in range(2)]
    assert all(client.get("/").status == 200 for client in clients)
    surplus = peers.client(gateway)
    assert_problem(surplus.get("/"), 503, "too_many_connections")
    clients[0].close()
    def admitted():
        with Raw(gateway.address()) as client:
            return client.get("/").status == 200
    eventually(admitted, "the place of a closed connection")


def test_connections_from_before_a_limit_per_ip_do_not_free_places_of_it(peers):
    origin = peers.origin()
    def settings(limit):
        return config.proxy(origin, listener={"limits": {"connections_per_ip": limit}})
    gateway = peers.gateway(settings(0))
    before = [peers.client(gateway) for _ in range(2)]
    assert all(client.get("/").status == 200 for client in before)
    gateway.reload(settings(2))
    counted = [peers.client(gateway) for _ in range(2)]
    assert all(client.get("/").status == 200 for client in counted)
    for client in before:
        client.close()
    eventually(lambda: gateway.metrics().sum("doorward_connections_open", listener="web") == 2,
               "the end of the first connections")
    assert_problem(peers.client(gateway).get("/"), 503, "too_many_connections")


def test_requests_per_connection(peers):
    _, gateway = limited(peers, requests_per_connection=2)
    client = peers.client(gateway)
    client.send(request("/1") + request("/2") + request("/3"))
    assert "close" not in client.recv_response().get("connection", "")
    assert client.recv_response().get("connection") == "close"
    assert client.at_end()


@pytest.mark.parametrize("lines", [
    "1" + "0" * 30 + "\r\n", "5;" + "x" * 70000 + "\r\nhello\r\n0\r\n\r\n"])
def test_oversized_chunk_lines_are_refused(web, lines):
    with web.client() as client:
        client.send(request("/", "Transfer-Encoding: chunked", method="POST"))
        try:
            client.send(lines.encode())
        except ConnectionError:
            pass
        answer = client.recv_response()
        assert answer.status == 400 and answer.json()["code"]


def test_oversized_trailers_are_refused(web):
    with web.client() as client:
        client.send(request("/", "Transfer-Encoding: chunked", method="POST"))
        client.send(chunked(b"a", trailers=["X-T: " + "t" * 40000]))
        answer = client.recv_response()
        assert answer.status in (400, 431) and answer.json()["code"]


def test_limits_hold_for_each_listener_by_itself(peers):
    settings = config.proxy(peers.origin(), listener={"limits": {"target_length": "100B"}})
    settings["listeners"].append({"name": "wide", "address": "127.0.0.1:0"})
    gateway = peers.gateway(settings)
    target = "/" + "a" * 200
    assert peers.client(gateway.address("web")).get(target).status == 414
    assert peers.client(gateway.address("wide")).get(target).status == 200
