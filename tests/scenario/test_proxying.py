"""Services: balancing, pools, retries of stale connections, kinds of endpoints, names."""
import collections
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest

from harness import config, raw
from harness.dns import Dns
from harness.origin import Told
from harness.raw import Raw, assert_problem, request
from harness.waiting import eventually


def shares(client, count):
    return collections.Counter(Told(client.get("/")).origin for _ in range(count))


def test_endpoints_are_used_in_turn(peers):
    origins = [peers.origin(name) for name in "abc"]
    assert shares(peers.client(peers.gateway(config.proxy(origins))), 30) == dict(a=10, b=10, c=10)


def test_weights_share_exactly_and_interleave(peers):
    heavy, light = peers.origin("heavy"), peers.origin("light")
    gateway = peers.gateway(config.proxy([{"url": heavy.url, "weight": 3}, light.url]))
    client = peers.client(gateway)
    for _ in range(5):
        assert shares(client, 4) == {"heavy": 3, "light": 1}


def test_an_endpoint_of_weight_zero_gets_nothing(peers):
    used, unused = peers.origin("used"), peers.origin("unused")
    gateway = peers.gateway(config.proxy([{"url": unused.url, "weight": 0}, used.url]))
    assert shares(peers.client(gateway), 10) == {"used": 10}


def test_a_service_without_any_weight_is_503(peers):
    gateway = peers.gateway(config.proxy([{"url": peers.origin().url, "weight": 0}]))
    assert_problem(peers.client(gateway).get("/"), 503, "no_endpoint", route="all")


def test_backend_connections_are_reused(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin))
    for _ in range(20):
        with Raw(gateway.address()) as client:
            assert Told(client.get("/")).connection == 0
    assert len(origin.connections) == 1


def test_backend_connections_are_reused_after_bodies(peers):
    origin = peers.origin()
    client = peers.client(peers.gateway(config.proxy(origin)))
    assert client.get("/chunked/100000").body_length == 100000
    assert client.get("/bytes/100000").body_length == 100000
    # A long upload cannot be sent twice, so it does not risk a connection that may be stale.
    assert Told(client.request(request("/", method="POST", body=b"x" * 100000))).connection == 1
    assert Told(client.get("/")).connection in (0, 1)
    assert len(origin.connections) == 2


def hold_together(peers, gateway, origin, count):
    """`count` exchanges at once, so that the pool needs as many connections."""
    barrier = threading.Barrier(count)
    def one():
        with Raw(gateway.address()) as client:
            client.send(request("/", "Content-Length: 1", method="POST"))
            barrier.wait(20)
            eventually(lambda: len(origin.connections) >= count, "all backend connections")
            assert client.send(b"x").recv_response().status == 200
    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def open_connections(origin):
    return sum(not c.over.is_set() for c in origin.connections)


def test_the_pool_keeps_as_many_idle_connections_as_configured(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin, service={"pool": {"max_idle": 2}}))
    hold_together(peers, gateway, origin, 6)
    eventually(lambda: open_connections(origin) == 2, "two idle connections")


def test_idle_backend_connections_are_closed_in_time(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin, service={"pool": {"idle_timeout": "300ms"}}))
    assert peers.client(gateway).get("/").status == 200
    assert open_connections(origin) == 1
    eventually(lambda: open_connections(origin) == 0, "the end of the idle connection")


def dying_when_asked_again(connection):
    """Answers once; the second request on the same connection meets a close."""
    if connection.recv_request():
        connection.send(raw.response(200, body=b"ok"))
        connection.stream.fill(1)


def test_a_stale_connection_is_replaced_without_the_client_noticing(peers):
    backend = peers.backend(dying_when_asked_again)
    client = peers.client(peers.gateway(config.proxy(backend)))
    for _ in range(10):
        assert client.get("/").body == b"ok"


def test_a_stale_connection_is_replaced_when_it_was_reset(peers):
    def script(connection):
        dying_when_asked_again(connection)
        connection.reset()
    client = peers.client(peers.gateway(config.proxy(peers.backend(script))))
    for _ in range(10):
        assert client.get("/").body == b"ok"


def test_many_stale_connections_at_once_do_not_use_up_the_retry(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin))
    hold_together(peers, gateway, origin, 8)
    port = origin.port
    origin.finish()
    fresh = peers.origin("fresh", port=port)
    with Raw(gateway.address()) as client:
        assert Told(client.get("/")).origin == "fresh"
    assert fresh.requests


def test_requests_that_may_have_been_acted_on_are_not_repeated(peers):
    """A POST that was read whole before the close is not sent again (RFC 9110 §9.2.2)."""
    posts = []

    def script(connection):
        if connection.recv_request():
            connection.send(raw.response(200, body=b"ok"))
            if second := connection.recv_request():
                posts.append(second)
    backend = peers.backend(script)
    client = peers.client(peers.gateway(config.proxy(backend)))
    assert client.get("/").status == 200
    answer = client.request(request("/order", method="POST", body=b"one beer"))
    assert answer.status == 502, answer
    assert len(posts) == 1
    assert [r.method for r in backend.requests].count("POST") == 1


def test_a_failure_on_a_fresh_connection_is_not_retried(peers):
    backend = peers.backend(lambda connection: connection.recv_request() and None)
    assert_problem(peers.client(peers.gateway(config.proxy(backend))).get("/"), 502,
                   "backend_closed")
    assert len(backend.requests) == 1


def test_retries_of_stale_connections_can_be_switched_off(peers):
    backend = peers.backend(dying_when_asked_again)
    gateway = peers.gateway(config.proxy(backend, service={"retry": {"stale": False}}))
    client = peers.client(gateway)
    assert client.get("/").status == 200
    assert client.get("/").status == 502


@pytest.mark.parametrize("kind", ["ipv6", "unix"])
def test_other_kinds_of_endpoints(peers, kind):
    origin = peers.origin(kind=kind)
    gateway = peers.gateway(config.proxy(origin))
    client = peers.client(gateway)
    assert Told(client.get("/a")).target == "/a"
    assert client.get("/bytes/1000000").body_length == 1000000
    assert len(origin.connections) == 1


@pytest.mark.parametrize("address", ["[::1]:0", "unix:{folder}/web.sock"])
def test_other_kinds_of_listeners(peers, address):
    address = address.format(folder=peers.folder)
    gateway = peers.gateway(config.proxy(peers.origin(), listener={"address": address}))
    assert Told(peers.client(gateway).get("/a")).target == "/a"


def test_several_listeners_share_the_routes(peers):
    settings = config.proxy(peers.origin())
    settings["listeners"].append({"name": "second", "address": "127.0.0.1:0"})
    gateway = peers.gateway(settings)
    assert len(set(gateway.addresses().values())) == 2
    for address in gateway.addresses().values():
        assert peers.client(address).get("/").status == 200


def test_several_workers_serve_together(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin), workers=2)
    for number in range(50):
        with Raw(gateway.address()) as client:
            assert Told(client.get(f"/{number}")).target == f"/{number}"
    assert 1 <= len(origin.connections) <= 2


def test_localhost_is_resolved_like_any_name(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(f"http://localhost:{origin.port}"))
    assert peers.client(gateway).get("/").status == 200


# --- names by our own DNS server: needs root for port 53 and a resolv.conf of its own -------------
def private_names_possible():
    return os.geteuid() == 0 and shutil.which("unshare") and subprocess.run(
        ["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture
def dns(tmp_path):
    if not private_names_possible():
        pytest.skip("needs root: a private resolv.conf")
    server = Dns({}, address=f"127.{os.getpid() >> 8 & 127}.{os.getpid() & 255}.53", port=53)
    (tmp_path / "resolv.conf").write_text(
        f"nameserver {server.address}\noptions timeout:1 attempts:1\n")
    server.prefix = ["unshare", "-m", "sh", "-c",
                     f'mount --bind {tmp_path}/resolv.conf /etc/resolv.conf && exec "$@"', "sh"]
    yield server
    server.finish()


def test_names_are_resolved_and_followed_by_their_ttl(peers, dns):
    first = peers.origin("first")
    second = peers.origin("second", host="127.0.0.2", port=first.port)
    dns.names["app.test"] = (["127.0.0.1"], 1)
    gateway = peers.gateway(config.proxy(f"http://app.test:{first.port}"), prefix=dns.prefix)
    client = peers.client(gateway)
    assert Told(client.get("/")).origin == "first"
    dns.names["app.test"] = (["127.0.0.2"], 1)
    eventually(lambda: Told(client.get("/")).origin == "second", "the new address", 10)
    assert second.requests


def test_a_long_ttl_is_not_asked_again(peers, dns):
    origin = peers.origin()
    dns.names["app.test"] = (["127.0.0.1"], 3600)
    gateway = peers.gateway(config.proxy(f"http://app.test:{origin.port}"), prefix=dns.prefix)
    client = peers.client(gateway)
    for _ in range(20):
        assert client.get("/").status == 200
    assert len([q for q in dns.queries if q == ("app.test", 1)]) == 1


def test_a_name_that_vanishes_keeps_its_last_addresses(peers, dns):
    origin = peers.origin()
    dns.names["app.test"] = (["127.0.0.1"], 1)
    gateway = peers.gateway(config.proxy(f"http://app.test:{origin.port}"), prefix=dns.prefix)
    client = peers.client(gateway)
    assert client.get("/").status == 200
    asked = len(dns.queries)
    del dns.names["app.test"]
    end = time.monotonic() + 10
    while len(dns.queries) <= asked + 1 and time.monotonic() < end:
        assert client.get("/").status == 200
    assert client.get("/").status == 200


def test_an_unknown_name_is_502_and_may_appear_later(peers, dns):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(f"http://late.test:{origin.port}"), prefix=dns.prefix)
    client = peers.client(gateway)
    assert_problem(client.get("/"), 502, "name_unresolved", route="all")
    dns.names["late.test"] = (["127.0.0.1"], 60)
    eventually(lambda: client.get("/").status == 200, "the name's appearance", 10)


def test_all_addresses_of_a_name_are_endpoints(peers, dns):
    first = peers.origin("first")
    peers.origin("second", host="127.0.0.2", port=first.port)
    dns.names["app.test"] = (["127.0.0.1", "127.0.0.2"], 60)
    gateway = peers.gateway(config.proxy(f"http://app.test:{first.port}"), prefix=dns.prefix)
    assert set(shares(peers.client(gateway), 20)) == {"first", "second"}


def two_addresses(peers, dns, ttl, **options):
    """A gateway to a name of two addresses, and the origins "first" and "second" behind them."""
    first = peers.origin("first")
    second = peers.origin("second", host="127.0.0.2", port=first.port)
    dns.names["app.test"] = (["127.0.0.1", "127.0.0.2"], ttl)
    gateway = peers.gateway(config.proxy(f"http://app.test:{first.port}", **options),
                            prefix=dns.prefix)
    return gateway, first, second


def test_the_addresses_of_a_name_share_its_weight(peers, dns):
    first, lone = peers.origin("first"), peers.origin("lone")
    peers.origin("second", host="127.0.0.2", port=first.port)
    dns.names["app.test"] = (["127.0.0.1", "127.0.0.2"], 60)
    gateway = peers.gateway(config.proxy([f"http://app.test:{first.port}", lone.url]),
                            prefix=dns.prefix)
    client = peers.client(gateway)
    eventually(lambda: len(shares(client, 3)) > 1, "the name's addresses")
    assert shares(client, 40) == dict(first=10, second=10, lone=20)


def test_an_address_that_leaves_the_answer_loses_its_idle_connections(peers, dns):
    gateway, first, second = two_addresses(peers, dns, 1)
    client = peers.client(gateway)
    shares(client, 10)
    assert open_connections(first) == open_connections(second) == 1
    dns.names["app.test"] = (["127.0.0.1"], 1)
    eventually(lambda: open_connections(second) == 0, "the end of the idle connection")
    assert shares(client, 10) == {"first": 10}
    assert open_connections(first) == 1  # it stayed in the answer, and so did its connection


def test_an_exchange_outlives_its_address(peers, dns):
    go_on = threading.Event()

    def slow(connection):
        while connection.recv_request():
            go_on.wait(20)
            connection.send(raw.response(200, body=b"slow"))
    backend = peers.backend(slow)
    fresh = peers.origin("fresh", host="127.0.0.2", port=backend.port)
    dns.names["app.test"] = (["127.0.0.1"], 1)
    gateway = peers.gateway(config.proxy(f"http://app.test:{backend.port}"), prefix=dns.prefix)
    waiting = peers.client(gateway).send(request("/"))
    backend.wait_requests()
    dns.names["app.test"] = (["127.0.0.2"], 1)
    client = peers.client(gateway)
    asked = len(dns.queries)
    eventually(lambda: len(dns.queries) >= asked + 4, "two more answers")
    assert Told(client.get("/")).origin == "fresh" and fresh.requests
    go_on.set()
    assert waiting.recv_response().body == b"slow"
    eventually(lambda: open_connections(backend) == 0, "the end of the last connection")


def test_a_name_that_is_not_resolved_is_told_once_and_when_it_is_back(peers, dns):
    gateway, *_ = two_addresses(peers, dns, 1)
    answer = dns.names.pop("app.test")
    told = gateway.wait_event("name_unresolved")
    assert told["service"] == "app" and "no such name" in told["error"]
    assert told["addresses_kept"] == 2 and "/etc/resolv.conf" in told["hint"]
    asked = len(dns.queries)
    eventually(lambda: len(dns.queries) >= asked + 4, "two more answers")
    assert len(gateway.events("name_unresolved")) == 1
    assert shares(peers.client(gateway), 4) == dict(first=2, second=2)
    dns.names["app.test"] = answer
    assert gateway.wait_event("name_resolved")["addresses"] == 2


def test_requests_wait_for_the_first_answer_of_a_name(peers, dns):
    origin = peers.origin()
    dns.names["app.test"] = (["127.0.0.1"], 60)
    dns.silent = True
    gateway = peers.gateway(config.proxy(f"http://app.test:{origin.port}", service={
        "timeouts": {"connect": "15s"}}), prefix=dns.prefix)
    client = peers.client(gateway).send(request("/"))
    eventually(lambda: dns.queries, "a query")
    assert client.silent(0.2)
    dns.silent = False  # it is asked again
    assert Told(client.recv_response()).origin == "origin"


def test_the_access_log_names_the_address_that_was_asked(peers, dns):
    gateway, first, _ = two_addresses(peers, dns, 60)
    shares(peers.client(gateway), 2)
    asked = {line["endpoint"] for line in gateway.wait_access_log(2)}
    assert asked == {f"http://127.0.0.{last}:{first.port}" for last in (1, 2)}


def test_a_dead_address_of_a_name_costs_nobody_an_answer(peers, dns):
    gateway, first, _ = two_addresses(peers, dns, 60)
    first.stop_listening()
    assert shares(peers.client(gateway), 20) == {"second": 20}


def test_a_gateway_stops_at_once_while_a_name_is_being_resolved(peers, dns):
    dns.silent = True
    gateway = peers.gateway(config.proxy("http://app.test:80"), prefix=dns.prefix)
    eventually(lambda: dns.queries, "a query")
    began = time.monotonic()
    gateway.stop()
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_what_a_stale_connection_never_took_is_sent_again(peers, method):
    """The backend's end and the request cross: none of it was acknowledged, so even a POST goes
    to another connection."""
    close_now = threading.Event()

    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, body=b"a"))
        if connection.number == 0:
            close_now.wait(20)
        elif connection.recv_request():
            connection.send(raw.response(200, body=b"b"))
    backend = peers.backend(script)
    gateway = peers.gateway(config.proxy(backend))
    client = peers.client(gateway)
    assert client.get("/").body == b"a"
    gateway.signal(signal.SIGSTOP)
    try:
        client.send(request("/", method=method, body=b"hello"))
        close_now.set()
        backend.wait_over()
    finally:
        gateway.signal(signal.SIGCONT)
    assert client.recv_response().body == b"a"
    assert [r.method for r in backend.requests] == ["GET", method]
