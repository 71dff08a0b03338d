"""A service whose connections are all in use: who waits, how long, in which order."""
import threading

import pytest

from harness import config, raw
from harness.raw import assert_problem, request
from harness.waiting import eventually


class Slow:
    """A script: answers the next request whenever the test says go(), with its target."""

    def __init__(self):
        self.turns = threading.Semaphore(0)

    def __call__(self, connection):
        while got := connection.recv_request():
            assert self.turns.acquire(timeout=30)
            connection.send(raw.response(200, body=got.target.encode()))

    def go(self, count=1):
        for _ in range(count):
            self.turns.release()


@pytest.fixture
def slow(peers):
    script = Slow()
    yield script
    script.go(100)


def limited(peers, backends, connections=1, **queue):
    return peers.gateway(config.proxy(backends, service={
        "pool": {"max_connections": connections, "queue": queue}}))


def waiting(gateway, count):
    eventually(lambda: gateway.metrics().sum("doorward_service_waiting", service="app") == count,
               f"{count} that wait")


def ask(peers, gateway, target, *headers):
    return peers.client(gateway).send(request(target, *headers))


def test_requests_wait_for_a_connection_and_are_served_in_order(peers, slow):
    backend = peers.backend(slow)
    gateway = limited(peers, backend)
    clients = []
    for number in range(4):
        clients.append(ask(peers, gateway, f"/{number}"))
        backend.wait_requests()
        waiting(gateway, number)
    slow.go(4)
    for number, client in enumerate(clients):
        assert client.recv_response().body == f"/{number}".encode()
    assert [r.target for r in backend.requests] == ["/0", "/1", "/2", "/3"]
    assert len(backend.connections) == 1
    waiting(gateway, 0)


def test_a_connection_that_closes_makes_room_as_well(peers):
    turn = threading.Semaphore(0)

    def script(connection):
        if connection.recv_request():
            turn.acquire(timeout=30)
            connection.send(raw.response(200, "Connection: close"))
    backend = peers.backend(script)
    gateway = limited(peers, backend)
    clients = [ask(peers, gateway, "/")]
    backend.wait_requests()
    clients.append(ask(peers, gateway, "/"))
    waiting(gateway, 1)
    turn.release(2)
    assert [client.recv_response().status for client in clients] == [200, 200]
    assert len(backend.connections) == 2


def test_the_queue_has_a_size(peers, slow):
    backend = peers.backend(slow)
    gateway = limited(peers, backend, size=1)
    clients = [ask(peers, gateway, "/")]
    backend.wait_requests()
    clients.append(ask(peers, gateway, "/"))
    waiting(gateway, 1)
    assert_problem(peers.client(gateway).get("/"), 503, "pool_exhausted", route="all")
    slow.go(2)
    assert [client.recv_response().status for client in clients] == [200, 200]


def test_a_wait_that_ends_leaves_the_connection_usable(peers, slow):
    backend = peers.backend(slow)
    gateway = limited(peers, backend, timeout="200ms")
    first = ask(peers, gateway, "/first")
    backend.wait_requests()
    late = peers.client(gateway)
    assert_problem(late.get("/"), 503, "pool_exhausted", route="all")
    slow.go(2)
    assert first.recv_response().body == b"/first"
    assert late.get("/late").body == b"/late"
    assert len(backend.connections) == 1


def test_the_total_time_of_a_service_bounds_the_wait(peers, slow):
    backend = peers.backend(slow)
    gateway = peers.gateway(config.proxy(backend, service={
        "pool": {"max_connections": 1}, "timeouts": {"total": "300ms"}}))
    ask(peers, gateway, "/")
    backend.wait_requests()
    assert_problem(peers.client(gateway).get("/"), 504, "total_timeout", route="all")


@pytest.mark.parametrize("leave", ["reset", "close"])
def test_a_client_that_leaves_gives_up_its_place(peers, slow, leave):
    backend = peers.backend(slow)
    gateway = limited(peers, backend, size=1, timeout="60s")
    first = ask(peers, gateway, "/first")
    backend.wait_requests()
    gone = ask(peers, gateway, "/gone")
    waiting(gateway, 1)
    getattr(gone, leave)()
    waiting(gateway, 0)
    last = ask(peers, gateway, "/last")
    waiting(gateway, 1)
    slow.go(2)
    assert first.recv_response().body == b"/first" and last.recv_response().body == b"/last"
    assert [r.target for r in backend.requests] == ["/first", "/last"]


def test_an_upload_waits_and_gets_a_connection_of_its_own(peers, slow):
    backend = peers.backend(slow)
    gateway = limited(peers, backend)
    first = ask(peers, gateway, "/first")
    backend.wait_requests()
    upload = peers.client(gateway).send(request("/up", "Content-Length: 300000", method="POST"))
    waiting(gateway, 1)
    slow.go(2)
    assert first.recv_response().body == b"/first"
    assert upload.send(b"x" * 300000).recv_response().body == b"/up"
    assert len(backend.connections) == 2


def test_an_upload_needs_no_queue_when_an_idle_connection_can_make_room(peers):
    origin = peers.origin()
    gateway = limited(peers, origin, size=0)
    client = peers.client(gateway)
    assert client.get("/").status == 200
    assert client.request(request("/", method="POST", body=b"x" * 100000)).status == 200
    assert len(origin.connections) == 2


def test_an_endpoint_with_room_is_taken_before_anybody_waits(peers, slow):
    busy, free = peers.backend(slow), peers.origin("free")
    gateway = limited(peers, [busy, free], size=0)
    ask(peers, gateway, "/")
    busy.wait_requests()
    client = peers.client(gateway)
    for _ in range(6):
        assert client.get("/").status == 200
    assert len(busy.requests) == 1


def test_the_first_endpoint_with_room_serves_the_queue(peers, slow):
    other = Slow()
    backends = [peers.backend(slow), peers.backend(other)]
    gateway = limited(peers, backends)
    clients = [ask(peers, gateway, "/") for _ in range(2)]
    for backend in backends:
        backend.wait_requests()
    clients.append(ask(peers, gateway, "/"))
    waiting(gateway, 1)
    other.go(2)
    backends[1].wait_requests(2)
    slow.go()
    assert [client.recv_response().status for client in clients] == [200, 200, 200]


def test_a_gateway_that_drains_serves_who_waits(peers, slow):
    backend = peers.backend(slow)
    gateway = limited(peers, backend, timeout="20s")
    clients = [ask(peers, gateway, "/")]
    backend.wait_requests()
    clients.append(ask(peers, gateway, "/"))
    waiting(gateway, 1)
    gateway.signal(15)
    gateway.wait_event("draining")
    slow.go(2)
    assert [client.recv_response().status for client in clients] == [200, 200]
    assert gateway.wait_exit() == 0
