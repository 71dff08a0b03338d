"""The admin listener: health, readiness, metrics, the running config, and its token."""
import json
import threading
import time

import pytest

from harness import binary, config, raw
from harness.gateway import TOKEN
from harness.raw import Raw, assert_problem, request
from harness.waiting import eventually


@pytest.fixture
def served(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), route={"match": {"path": "/here/**"}}))
    with Raw(gateway.address()) as client:
        for _ in range(3):
            assert client.get("/here").status == 200
        assert client.get("/gone").status == 404
    return gateway


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_and_readiness_need_no_token(served, path):
    assert served.ask_admin(path, token=None)[0] == 200


@pytest.mark.parametrize("path", ["/metrics", "/config"])
@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", TOKEN[:-1]])
def test_everything_else_needs_the_token(served, path, token):
    status, headers, text = served.ask_admin(path, token=token)
    assert status == 401 and "www-authenticate" in {name.lower() for name in headers}
    assert "doorward_" not in text and "endpoints" not in text


def test_unknown_paths_and_methods(served):
    assert served.ask_admin("/nothing")[0] == 404
    assert served.ask_admin("/healthz", method="POST")[0] == 405


def test_its_problems_are_complete(served):
    """Each with a request id of its own, as on any listener."""
    ids = set()
    for text, status, code in [
            (request("/nothing", host="localhost"), 404, "not_found"),
            (request("/healthz", method="POST", host="localhost"), 405, "method_not_allowed"),
            (request("/healthz", body=b"x", host="localhost"), 413, "body_too_large"),
            (request("/metrics", host="localhost"), 401, "unauthorized"),
            (request("/healthz", host="example.com"), 403, "host_not_allowed"),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", 400, "space_before_colon")]:
        with Raw(served.admin_address) as client:
            answer = client.send(text).recv_response()
        ids.add(assert_problem(answer, status, code)["request_id"])
    assert len(ids) == 6


def test_a_connection_too_many_is_told(served):
    clients = [Raw(served.admin_address) for _ in range(64)]
    try:
        for client in clients:
            assert client.get("/healthz", host="localhost").status == 200
        with Raw(served.admin_address) as surplus:
            assert_problem(surplus.recv_response(), 503, "too_many_connections")
    finally:
        for client in clients:
            client.close()


def test_the_running_config_is_shown_without_secrets(served):
    status, _, text = served.ask_admin("/config")
    assert status == 200 and "/here/**" in text and "app" in text
    assert TOKEN not in text


def test_requests_are_counted_by_route_and_service(served):
    def counted():
        metrics = served.metrics()
        return metrics if metrics.sum("doorward_route_requests_total", route="all") == 3 else None
    metrics = eventually(counted, "three requests of the route")
    assert metrics.sum("doorward_route_requests_total", route="all", status="2xx") == 3
    assert metrics.sum("doorward_service_requests_total", service="app", status="2xx") == 3
    assert metrics.sum("doorward_requests_total", listener="web") == 4
    assert metrics.sum("doorward_replies_total", code="no_route") == 1
    assert metrics.sum("doorward_route_duration_seconds_count", route="all") == 3
    assert metrics.sum("doorward_route_duration_seconds_bucket", route="all", le="+Inf") == 3
    assert metrics.sum("doorward_service_connects_total", service="app") == 1


def test_metrics_have_types_and_help(served):
    _, headers, text = served.ask_admin("/metrics")
    kinds = {name.lower(): value for name, value in headers.items()}
    assert kinds["content-type"].startswith("text/plain; version=0.0.4")
    metrics = served.metrics()
    for name, kind in metrics.types.items():
        assert f"# HELP {name} " in text
        assert kind != "counter" or name.endswith("_total"), name


def test_the_process_tells_its_version_and_times(peers):
    begun = int(time.time())
    settings = config.respond()
    gateway = peers.gateway(settings)
    metrics = gateway.metrics()
    version = binary.command("version").stdout.split()[1]
    assert metrics.sum("doorward_build_info") == metrics.sum("doorward_build_info",
                                                             version=version) == 1
    started = metrics.sum("process_start_time_seconds")
    assert begun <= started <= metrics.sum("doorward_config_loaded_timestamp_seconds") <= time.time()
    eventually(lambda: int(time.time()) > started, "another second")
    reloaded = int(time.time())
    gateway.reload(settings)
    metrics = gateway.metrics()
    assert metrics.sum("process_start_time_seconds") == started
    loaded = metrics.sum("doorward_config_loaded_timestamp_seconds")
    assert reloaded <= loaded <= time.time()
    gateway.reload("routes: 1", "reload_failed")
    assert gateway.metrics().sum("doorward_config_loaded_timestamp_seconds") == loaded


def test_problems_are_counted_by_code_and_other_replies_are_not(peers):
    gateway = peers.gateway(config.respond(
        policies_everywhere=[{"size_limit": {"max": "1B"}}]))
    client = peers.client(gateway)
    assert client.get("/").status == 200
    assert client.send(request("/", method="POST", body=b"12")).recv_response().status == 413
    assert peers.client(gateway).send(b"GET / HTTP/1.1\nHost: a\n\n").recv_response().status == 400
    metrics = gateway.metrics()
    assert metrics.sum("doorward_replies_total", code="body_too_large") == 1
    assert metrics.sum("doorward_replies_total", code="malformed") == 1
    assert metrics.sum("doorward_replies_total") == 2


def test_codes_appear_once_something_was_counted(peers):
    gateway = peers.gateway(config.respond())
    client = peers.client(gateway)
    assert client.get("/").status == 200
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n")
    assert client.recv_response().status == 400
    samples = [(labels.get("code"), value) for name, labels, value in gateway.metrics().samples
               if name == "doorward_parser_refusals_total"]
    assert samples == [("space_before_colon", 1)]


def test_open_connections_and_requests_in_flight_are_gauges(peers):
    go_on = threading.Event()

    def script(connection):
        while connection.recv_request():
            go_on.wait(20)
            connection.send(raw.response(200))
    backend = peers.backend(script)
    gateway = peers.gateway(config.proxy(backend))
    client = peers.client(gateway)
    client.send(request("/"))
    backend.wait_requests()
    metrics = gateway.metrics()
    assert metrics.sum("doorward_connections_open", listener="web") == 1
    assert metrics.sum("doorward_route_in_flight", route="all") == 1
    go_on.set()
    client.recv_response()
    client.close()
    eventually(lambda: gateway.metrics().sum("doorward_connections_open") == 0, "a gauge of 0")
    assert gateway.metrics().sum("doorward_route_in_flight") == 0


def test_parser_refusals_are_counted_by_code(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    for _ in range(2):
        peers.client(gateway).send(b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n").recv_response()
    metrics = gateway.metrics()
    assert metrics.sum("doorward_parser_refusals_total", code="space_before_colon") == 2


def test_bytes_are_counted(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    peers.client(gateway).get("/bytes/1000000")
    eventually(lambda: gateway.metrics().sum("doorward_sent_bytes_total", listener="web") > 1000000,
               "sent bytes")


def test_without_a_configured_token_a_random_one_is_told_once(peers):
    settings = config.respond(admin={"address": "127.0.0.1:0"})
    tokens = set()
    for _ in range(2):
        gateway = peers.gateway(settings)
        token = gateway.wait_event("admin_listening")["token"]
        assert len(token) >= 20
        assert gateway.ask_admin("/metrics", token=token)[0] == 200
        assert gateway.ask_admin("/metrics")[0] == 401
        tokens.add(token)
    assert len(tokens) == 2


def test_a_configured_token_is_not_told(served):
    assert TOKEN not in served.stderr()


def test_the_admin_listener_can_be_off(peers):
    gateway = peers.gateway(config.respond(admin="off"))
    assert not gateway.events("admin_listening")
    assert peers.client(gateway).get("/").status == 200


def test_admin_answers_under_malformed_requests(peers):
    gateway = peers.gateway(config.respond())
    with Raw(gateway.admin_address) as client:
        client.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n")
        assert client.recv_response().status == 400
    assert gateway.ask_admin("/healthz")[0] == 200


def test_admin_is_not_reachable_through_the_proxy(served):
    with Raw(served.address()) as client:
        assert client.get("/metrics").status == 404
        assert json.loads(client.get("/healthz").body)["code"] == "no_route"


def timed_out(gateway, phase):
    return gateway.metrics().sum("doorward_connections_timed_out_total", listener="web",
                                 phase=phase)


@pytest.mark.parametrize("phase,start", [
    ("header", b"GET / HTTP/1.1\r\nHost: a\r\n"),
    ("header", b""),
    ("body", request("/", "Content-Length: 10", method="POST") + b"abc"),
    ("idle", request("/")),
])
def test_connections_given_up_are_counted_by_phase(peers, phase, start):
    timeouts = {"header": "300ms", "body": "300ms", "idle": "300ms"}
    gateway = peers.gateway(config.proxy(peers.origin(), listener={"timeouts": timeouts}))
    client = peers.client(gateway).send(start)
    if start:
        client.recv_response()
    assert client.at_end()
    eventually(lambda: timed_out(gateway, phase) == 1, "the counted connection")
    metrics = gateway.metrics()
    assert metrics.sum("doorward_connections_timed_out_total") == 1
    assert metrics.sum("doorward_parser_refusals_total") == 0


def test_clients_that_do_not_take_their_response_are_counted(peers):
    gateway = peers.gateway(config.proxy(peers.origin(),
                                         listener={"timeouts": {"send": "300ms"}}))
    peers.client(gateway, receive_buffer=4096).send(request("/bytes/100000000"))
    eventually(lambda: timed_out(gateway, "send") == 1, "the counted connection")


def test_connections_that_end_well_are_not_counted_as_given_up(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    assert peers.client(gateway).get("/", "Connection: close").status == 200
    peers.client(gateway).send(b"GET / HT").close()
    peers.client(gateway).send(request("/"))
    gateway.wait_access_log(2)
    assert gateway.metrics().sum("doorward_connections_timed_out_total") == 0


def test_refusals_of_paths_are_counted_by_code(peers):
    gateway = peers.gateway(config.respond())
    refused = {"/a%2Fb": "path_encoded_slash", "/%5C": "path_encoded_backslash",
               "/%00": "path_encoded_null", "/../a": "path_above_root",
               "/%zz": "path_percent_invalid"}
    for target, code in refused.items():
        assert peers.client(gateway).get(target).json()["code"] == code
    metrics = gateway.metrics()
    assert all(metrics.sum("doorward_replies_total", code=code) == 1 for code in refused.values())
    assert metrics.sum("doorward_replies_total") == len(refused)


def test_a_changed_admin_section_is_told_to_wait_for_a_restart(peers):
    settings = config.respond()
    gateway = peers.gateway(settings)
    before = gateway.ask_admin("/config")[2]
    settings["admin"] = {"address": "127.0.0.1:1", "token": "another-token"}
    gateway.write(settings)
    gateway.wait_event("reloaded")
    assert gateway.events("admin_change_ignored")
    assert json.loads(gateway.ask_admin("/config")[2])["admin"] == json.loads(before)["admin"]


def test_a_token_that_was_made_is_kept_through_an_upgrade(peers):
    gateway = peers.gateway({**config.respond(), "admin": {"address": "127.0.0.1:0"}})
    token = gateway.wait_event("admin_listening")["token"]
    old = gateway.upgrade()
    assert gateway.wait_exit(old) == 0
    assert "token" not in gateway.events("admin_listening")[-1]
    assert gateway.ask_admin("/metrics", token=token)[0] == 200
