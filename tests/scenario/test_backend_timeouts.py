"""Backends that are slow, silent, absent or full: 502, 503, 504, each with its own code."""
import select
import socket
import threading

import pytest

from harness import backend as backends
from harness import config, raw
from harness.origin import Told
from harness.raw import assert_problem, request
from harness.waiting import eventually


@pytest.fixture
def deaf():
    """An endpoint whose backlog is full: connecting to it never ends."""
    listener, url = backends.listen(backlog=0)
    fillers = []
    while True:
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
        if not select.select([], [filler], [], 0.2)[1]:
            break
    yield url
    for filler in (*fillers, listener):
        filler.close()


def answer_of(peers, backend, **service):
    gateway = peers.gateway(config.proxy(backend, service=service))
    client = peers.client(gateway)
    return gateway, client, client.get("/")


def test_a_backend_that_refuses_connections_is_502(peers):
    listener, url = backends.listen()
    listener.close()
    _, client, answer = answer_of(peers, url)
    assert_problem(answer, 502, "connect_failed", route="all")
    assert client.get("/again").status == 502


def test_a_unix_socket_that_is_not_there_is_502(peers, tmp_path):
    _, _, answer = answer_of(peers, f"unix:{tmp_path}/absent.sock")
    assert_problem(answer, 502, "connect_failed")


def test_an_unreachable_endpoint_is_told_once_and_when_it_works_again(peers):
    listener, url = backends.listen()
    port = listener.getsockname()[1]
    listener.close()
    gateway, client, answer = answer_of(peers, url)
    assert_problem(answer, 502, "connect_failed")
    assert client.get("/again").status == 502
    told, = gateway.events("endpoint_unreachable")
    assert (told["level"], told["service"], told["endpoint"]) == ("warning", "app", url)
    assert told["reason"] == "connect_failed" and "Connection refused" in told["detail"]
    assert "start the backend" in told["hint"]
    assert not gateway.events("endpoint_reachable")
    peers.origin(port=port)
    assert client.get("/").status == 200
    again = gateway.wait_event("endpoint_reachable")
    assert (again["level"], again["service"], again["endpoint"]) == ("info", "app", url)


def test_an_endpoint_that_does_not_answer_is_told_with_its_deadline(peers, deaf):
    gateway, _, answer = answer_of(peers, deaf, timeouts={"connect": "300ms"})
    assert_problem(answer, 504, "connect_timeout")
    told = gateway.wait_event("endpoint_unreachable")
    assert told["reason"] == "connect_timeout" and told["endpoint"] == deaf
    assert "firewall" in told["hint"] and "timeouts.connect" in told["hint"]


def test_a_call_that_gave_no_time_to_connect_blames_no_endpoint(peers, deaf):
    gateway = peers.gateway(config.proxy(deaf))
    call = request("/a.B/c", "Content-Type: application/grpc", "TE: trailers", "grpc-timeout: 20m",
                   method="POST", body=b"\0\0\0\0\0")
    head = peers.client(gateway).send(call).recv_response()
    assert head.get("grpc-status") == "4"
    assert not gateway.events("endpoint_unreachable")


def test_a_missing_socket_file_is_told(peers, tmp_path):
    gateway, _, _ = answer_of(peers, f"unix:{tmp_path}/absent.sock")
    told = gateway.wait_event("endpoint_unreachable")
    assert told["endpoint"] == f"unix:{tmp_path}/absent.sock" and "socket file" in told["hint"]


def test_connecting_has_a_deadline(peers, deaf):
    _, _, answer = answer_of(peers, deaf, timeouts={"connect": "300ms"})
    problem = assert_problem(answer, 504, "connect_timeout", route="all")
    assert problem["detail"] == ("No backend took a connection within 300ms "
                                 "(timeouts.connect of service app).")


def test_connecting_counts_for_the_total_time(peers, deaf):
    _, _, answer = answer_of(peers, deaf, timeouts={"connect": "5s", "total": "300ms"})
    problem = assert_problem(answer, 504, "total_timeout")
    assert problem["detail"] == ("The exchange took longer than 300ms "
                                 "(timeouts.total of service app).")


def test_the_first_byte_has_a_deadline(peers):
    def script(connection):
        connection.recv_request()
        connection.at_end()
    backend = peers.backend(script)
    _, client, answer = answer_of(peers, backend, timeouts={"first_byte": "300ms"})
    assert_problem(answer, 504, "first_byte_timeout", route="all")
    backend.wait_over()
    assert client.get("/again").status == 504
    assert len(backend.connections) == 2


def test_the_whole_exchange_has_a_deadline(peers):
    def script(connection):
        connection.recv_request()
        connection.at_end()
    backend = peers.backend(script)
    _, _, answer = answer_of(peers, backend, timeouts={"first_byte": "60s", "total": "300ms"})
    assert_problem(answer, 504, "total_timeout")
    backend.wait_over()


def cut_answer(peers, script, **timeouts):
    """An answer whose head passed and whose body is cut off; its access log line."""
    backend = peers.backend(script)
    gateway = peers.gateway(config.proxy(backend, service={"timeouts": timeouts}))
    client = peers.client(gateway)
    assert client.send(request("/")).recv_head().status == 200
    rest = client.stream.to_end()
    assert not rest.endswith(b"0\r\n\r\n")
    backend.wait_over()
    return gateway.wait_access_log()[0]


def test_an_answer_that_stops_is_cut(peers):
    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, "Transfer-Encoding: chunked", length=False) +
                        b"3\r\nabc\r\n")
        connection.at_end()
    line = cut_answer(peers, script, idle="300ms")
    assert "backend_idle_timeout" in line.values(), line


def test_an_answer_that_never_ends_meets_the_total_deadline(peers):
    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, "Transfer-Encoding: chunked", length=False))
        try:
            while True:
                connection.send(b"1\r\nx\r\n")
        except OSError:
            pass
    line = cut_answer(peers, script, total="500ms")
    assert "total_timeout" in line.values(), line


def test_a_slow_but_steady_answer_meets_no_deadline(peers):
    step = threading.Event()

    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, "Content-Length: 10", length=False))
        for _ in range(10):
            step.wait(0.1)
            connection.send(b"x")
    _, _, answer = answer_of(peers, peers.backend(script),
                             timeouts={"idle": "800ms", "first_byte": "800ms"})
    assert answer.body == b"x" * 10


def test_a_backend_that_does_not_read_the_request_meets_a_deadline(peers):
    ended = threading.Event()

    def script(connection):
        connection.recv_head()
        ended.wait(20)
    gateway = peers.gateway(config.proxy(peers.backend(script), service={
        "timeouts": {"idle": "500ms", "first_byte": "500ms"}}))
    client = peers.client(gateway)
    client.send(request("/", "Content-Length: 1000000000", method="POST"))

    def pour():
        try:
            while True:
                client.sock.sendall(b"x" * 65536)
        except OSError:
            pass
    threading.Thread(target=pour, daemon=True).start()
    try:
        answer = client.recv_response()
        assert answer.status == 504, answer
    except ConnectionResetError:
        pass  # our surplus bytes met a closed connection
    line = gateway.wait_access_log()[0]
    ended.set()
    assert 504 in line.values() or "504" in line.values(), line


@pytest.mark.parametrize("queue", [{"size": 0}, {"timeout": "200ms"}])
def test_a_full_pool_is_503(peers, queue):
    def script(connection):
        connection.recv_request()
        connection.at_end()
    backend = peers.backend(script)
    gateway = peers.gateway(config.proxy(backend, service={
        "pool": {"max_connections": 2, "queue": queue}}))
    for count in (1, 2):
        peers.client(gateway).send(request("/wait"))
        backend.wait_requests(count)
    assert_problem(peers.client(gateway).get("/"), 503, "pool_exhausted", route="all")


def test_a_name_that_cannot_be_resolved_is_502(peers):
    gateway = peers.gateway(config.proxy("http://no-such-host.invalid:80", service={
        "timeouts": {"connect": "15s"}}))
    assert_problem(peers.client(gateway).get("/"), 502, "name_unresolved", route="all")


def test_a_gateway_with_a_dead_backend_serves_its_other_routes(peers):
    listener, url = backends.listen()
    listener.close()
    settings = config.proxy(url, route={"match": {"path": "/dead"}})
    settings["services"]["living"] = {"endpoints": [peers.origin().url]}
    settings["routes"].append({"name": "rest", "service": "living"})
    client = peers.client(peers.gateway(settings))
    for _ in range(3):
        assert client.get("/dead").status == 502
        assert client.get("/living").status == 200


def test_a_backend_that_comes_back_is_used_again(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin))
    client = peers.client(gateway)
    assert client.get("/").status == 200
    port = origin.port
    origin.finish()
    assert client.get("/").status == 502
    peers.origin(port=port)
    eventually(lambda: client.get("/").status == 200, "the backend's return", 5)


def test_the_first_byte_is_due_when_the_body_has_gone_out(peers):
    """A long upload is no slow backend."""
    client = peers.client(peers.gateway(config.proxy(peers.origin(), service={
        "timeouts": {"first_byte": "600ms"}})))
    client.send(request("/", "Content-Length: 10", method="POST"))
    for _ in range(10):
        assert client.silent(0.15)
        client.send(b"x")
    assert Told(client.recv_response()).body == "x" * 10


def test_the_first_byte_has_a_deadline_after_an_upload_too(peers):
    ended = threading.Event()

    def script(connection):
        connection.recv_request()
        ended.wait(20)
    client = peers.client(peers.gateway(config.proxy(peers.backend(script), service={
        "timeouts": {"first_byte": "300ms"}})))
    client.send(request("/", "Content-Length: 10", method="POST"))
    assert client.silent(0.1)
    client.send(b"0123456789")
    assert_problem(client.recv_response(), 504, "first_byte_timeout")
    ended.set()


def test_a_refusal_is_told_while_the_client_still_sends(peers):
    """The rest of the body is not waited for, nor passed on."""
    def script(connection):
        connection.recv_head()
        connection.send(raw.response(413, "Connection: close", body=b"too much", reason="No"))
        connection.at_end()
    gateway = peers.gateway(config.proxy(peers.backend(script)))
    for _ in range(5):
        client = peers.client(gateway)
        client.send(request("/", "Content-Length: 100000000", method="POST") + b"x" * 300000)
        assert client.recv_response().body == b"too much"
