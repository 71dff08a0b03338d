"""`timeouts.deadline_header`: the client says how long it waits, the backend is told what is left."""
import json
import threading

import pytest

from harness import backend as backends
from harness import config, raw
from harness.raw import assert_problem, request
from harness.waiting import DEADLINE

HEADER = "x-deadline-ms"


def service(**timeouts):
    return {"timeouts": {"deadline_header": HEADER, **timeouts}}


def told(peers, *headers, **timeouts):
    """What the backend finds in the header."""
    origin = peers.origin()
    client = peers.client(peers.gateway(config.proxy(origin, service=service(**timeouts))))
    assert client.get("/", *headers).status == 200
    return origin.requests[-1].get(HEADER)


def silent(peers):
    def script(connection):
        connection.recv_request()
        connection.at_end()
    return peers.backend(script)


def test_the_backend_is_told_what_is_left_of_the_clients_time(peers):
    assert 0 < int(told(peers, f"{HEADER}: 20000")) < 20000


def test_the_backend_is_told_what_is_left_of_the_services_time(peers):
    assert 0 < int(told(peers, total="20s")) < 20000


def test_the_earlier_time_is_told(peers):
    assert int(told(peers, f"{HEADER}: 3600000", total="20s")) < 20000
    assert int(told(peers, f"{HEADER}: 20000", total="1h")) < 20000


def test_of_several_times_the_earliest_counts_and_one_is_told(peers):
    left = told(peers, f"{HEADER}: 20000", f"{HEADER}: 900000", "X-DEADLINE-MS: 40000")
    assert 0 < int(left) < 20000


def test_nobody_is_told_of_a_time_that_is_not_limited(peers):
    assert told(peers) is None


def test_the_clients_time_ends_the_exchange(peers):
    backend = silent(peers)
    gateway = peers.gateway(config.proxy(backend, service=service(total="60s")))
    problem = assert_problem(peers.client(gateway).get("/", f"{HEADER}: 300"), 504,
                             "deadline_exceeded", route="all")
    assert problem["detail"] == f"The request took longer than its client allows ({HEADER})."
    backend.wait_over()
    assert gateway.wait_access_log()[0]["error"] == "deadline_exceeded"


def test_the_services_time_ends_it_when_that_is_earlier(peers):
    gateway = peers.gateway(config.proxy(silent(peers), service=service(total="300ms")))
    assert_problem(peers.client(gateway).get("/", f"{HEADER}: 60000"), 504, "total_timeout")


def test_a_client_that_has_no_time_costs_the_backend_nothing(peers):
    """Neither a request nor the connection that is kept for the next one."""
    origin = peers.origin()
    client = peers.client(peers.gateway(config.proxy(origin, service=service())))
    assert client.get("/").status == 200
    assert_problem(client.get("/", f"{HEADER}: 0"), 504, "deadline_exceeded")
    assert client.get("/").status == 200
    assert len(origin.requests) == 2 and len(origin.connections) == 1


def test_a_client_in_a_hurry_harms_no_endpoint(peers):
    """The backend takes the connection and says nothing in TLS: the others still wait for it."""
    listener, url = backends.listen()  # the kernel takes it
    with listener:
        gateway = peers.gateway(config.proxy([url.replace("http:", "https:")] * 3,
                                             service=service()))
        for _ in range(3):
            answer = peers.client(gateway).get("/", f"{HEADER}: 100")
            assert_problem(answer, 504, "deadline_exceeded")
        metrics = gateway.metrics()
        assert metrics.sum("doorward_service_connect_failures_total") == 3
        assert metrics.sum("doorward_service_retries_total") == 0


def test_what_policies_wait_for_counts_too(peers):
    """They have timeouts of their own; when all of it is over, no backend is asked."""
    go_on = threading.Event()

    def slow(connection):
        while connection.recv_request():
            go_on.wait(DEADLINE)
            connection.send(raw.response(200))
    auth, origin = peers.backend(slow), peers.origin()
    settings = config.proxy(origin, service=service(), policies=[
        {"external_auth": {"service": "auth", "timeout": "60s"}}])
    settings["services"]["auth"] = {"endpoints": [auth.url]}
    client = peers.client(peers.gateway(settings))
    client.send(request("/", f"{HEADER}: 50"))
    auth.wait_requests(1)
    assert client.silent(0.2)
    go_on.set()
    assert_problem(client.recv_response(), 504, "deadline_exceeded")
    assert not origin.requests


@pytest.mark.parametrize("value", ["", "soon", "-1", "1.5", "10s", "0x10", "1 0", "1234567890"])
def test_a_time_that_cannot_be_read_is_refused(peers, value):
    origin = peers.origin()
    client = peers.client(peers.gateway(config.proxy(origin, service=service())))
    problem = assert_problem(client.get("/", f"{HEADER}: {value}"), 400, "deadline_invalid")
    assert HEADER in problem["detail"] and not origin.requests
    # One with a body too: the connection goes on.
    refused = client.send(request("/", f"{HEADER}: {value}", method="POST",
                                  body=b"abc")).recv_response()
    assert_problem(refused, 400, "deadline_invalid")
    assert client.get("/").status == 200


def test_without_the_setting_the_header_is_any_other(peers):
    origin = peers.origin()
    client = peers.client(peers.gateway(config.proxy(origin)))
    assert client.get("/", f"{HEADER}: soon").status == 200
    assert origin.requests[-1].get(HEADER) == "soon"


def test_grpc_gets_what_is_left_of_the_earlier_time_too(peers):
    origin = peers.origin()
    client = peers.client(peers.gateway(config.proxy(origin, service={
        "timeouts": {"total": "20s"}})))
    client.request(request("/", "Content-Type: application/grpc", "grpc-timeout: 1H", method="POST",
                           body=b""))
    left = origin.requests[-1].get("grpc-timeout")
    assert int(left[:-1]) * {"u": 1e-6, "m": 1e-3, "S": 1}[left[-1]] < 20


@pytest.mark.parametrize("name,says", [
    ("Host", "Host"), ("Content-Length", "content-length: it frames"), ("TE", "te: it belongs"),
    ("Grpc-Timeout", "always read"), ("x deadline", "header name")])
def test_a_header_that_cannot_carry_it_is_an_error(doorward, tmp_path, name, says):
    (tmp_path / "a.yaml").write_text(json.dumps(config.proxy("http://127.0.0.1:1", service={
        "timeouts": {"deadline_header": name}})))
    done = doorward("check", "-c", tmp_path / "a.yaml")
    assert done.returncode == 2
    assert "deadline_header" in done.stdout + done.stderr and says in done.stdout + done.stderr
