"""From start to end: draining on SIGTERM, upgrades of the binary, backends that die under load."""
import collections
import datetime
import os
import signal
import subprocess
import threading
import time

import pytest

from harness import config, raw
from harness.clients import Load
from harness.origin import Told
from harness.raw import Raw, request
from harness.waiting import DEADLINE, eventually


def held(peers):
    """(gateway, client with an answer outstanding, event that lets the answer come)"""
    go_on = threading.Event()

    def script(connection):
        while connection.recv_request():
            go_on.wait(60)
            connection.send(raw.response(200, body=b"late"))
    backend = peers.backend(script)
    gateway = peers.gateway(config.proxy(backend))
    client = peers.client(gateway)
    client.send(request("/"))
    backend.wait_requests()
    return gateway, client, go_on


def refuses(address):
    try:
        Raw(address).close()
        return False
    except ConnectionError:
        return True


def test_an_idle_gateway_ends_at_once_on_sigterm(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    begin = time.monotonic()
    gateway.stop()
    assert time.monotonic() - begin < 5
    assert [e["event"] for e in gateway.events("draining", "stopped")] == ["draining", "stopped"]


def test_sigint_ends_it_too(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    gateway.signal(signal.SIGINT)
    assert gateway.process.wait(DEADLINE) == 0


def test_idle_connections_do_not_hold_the_end_up(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    client, silent = peers.client(gateway), peers.client(gateway)
    assert client.get("/").status == 200
    gateway.signal(signal.SIGTERM)
    assert client.at_end() and silent.at_end()
    assert gateway.process.wait(DEADLINE) == 0


def test_an_exchange_under_way_is_finished_and_says_close(peers):
    gateway, client, go_on = held(peers)
    gateway.signal(signal.SIGTERM)
    gateway.wait_event("draining")
    eventually(lambda: refuses(gateway.address()), "refused connections")
    go_on.set()
    answer = client.recv_response()
    assert (answer.body, answer.get("connection")) == (b"late", "close")
    assert client.at_end()
    assert gateway.process.wait(DEADLINE) == 0


def test_a_download_under_way_is_finished(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    client = peers.client(gateway, receive_buffer=65536)
    client.send(request("/bytes/50000000"))
    head = client.recv_head()
    gateway.signal(signal.SIGTERM)
    gateway.wait_event("draining")
    assert sum(len(p) for p in client.stream.pieces(int(head.get("content-length")))) == 50000000
    assert gateway.process.wait(DEADLINE) == 0


def test_readiness_ends_with_draining(peers):
    gateway, client, go_on = held(peers)
    assert gateway.ask_admin("/readyz")[0] == 200
    gateway.signal(signal.SIGTERM)
    gateway.wait_event("draining")
    assert gateway.ask_admin("/readyz")[0] == 503
    assert gateway.ask_admin("/healthz")[0] == 200
    go_on.set()
    client.recv_response()


def test_a_second_sigterm_ends_at_once(peers):
    gateway, client, _ = held(peers)
    gateway.signal(signal.SIGTERM)
    gateway.wait_event("draining")
    gateway.signal(signal.SIGTERM)
    gateway.expected_status = gateway.process.wait(DEADLINE)
    assert gateway.expected_status in (0, 1)
    assert client.at_end()


def test_draining_has_a_deadline(peers):
    go_on = threading.Event()

    def script(connection):
        connection.recv_request()
        go_on.wait(60)
    backend = peers.backend(script)
    gateway = peers.gateway(config.proxy(backend), arguments=["--drain-time", "1"])
    client = peers.client(gateway)
    client.send(request("/"))
    backend.wait_requests()
    begin = time.monotonic()
    gateway.stop()
    assert 0.9 < time.monotonic() - begin < 10
    assert client.at_end()
    go_on.set()


def only_statuses(**top):
    """An access log that keeps up with any load: its lines can be counted."""
    return {"access_log": {"path": "stdout", "fields": ["status"], "buffer": "16MiB"}, **top}


@pytest.mark.parametrize("headers", [[], ["Connection: close"]], ids=["kept", "one_request_each"])
def test_draining_under_load_fails_no_request(peers, headers):
    """Another server shares the address and takes who comes later, so that nobody is refused and
    each error is a request lost. wrk asks again as soon as it has its answer: none of its
    connections is idle for the half second after which a drain may end one."""
    gateway = peers.gateway(config.proxy(peers.nginx(), **only_statuses()), workers=2)
    peers.nginx(beside=int(gateway.address().rpartition(":")[2]))
    with Load(f"http://{gateway.address()}/small", peers.folder, seconds=600, connections=32,
              headers=headers) as load:
        eventually(lambda: gateway.metrics().sum("doorward_requests_total") > 500, "some load")
        gateway.stop()
        load.stop()
    load.assert_clean()
    assert {line["status"] for line in gateway.access_log()} == {200}


def test_draining_under_load_serves_whoever_has_connected(peers):
    """Each request has a connection of its own; some wait in the kernel's queue when it begins."""
    gateway = peers.gateway(config.proxy(peers.nginx(), **only_statuses()), workers=2)
    outcomes = []

    def requests():
        while True:
            try:
                client = Raw(gateway.address())
            except ConnectionError:
                outcomes.append("refused")
                return
            with client:
                try:
                    client.send(request("/small", "Connection: close"))
                    outcomes.append(client.recv_response().status)
                except (OSError, raw.wire.Closed) as error:
                    outcomes.append(repr(error))
    threads = [threading.Thread(target=requests) for _ in range(8)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(outcomes) > 200, "some load")
    gateway.stop()
    for thread in threads:
        thread.join(20)
    found = collections.Counter(outcomes)
    assert found.pop("refused") == 8
    assert found == {200: len(gateway.access_log())}


def test_an_upgrade_serves_on_the_same_addresses(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    address = gateway.address()
    assert Raw(address).get("/").status == 200
    old = gateway.upgrade()
    assert gateway.wait_exit(old) == 0
    assert gateway.alive() and gateway.pid != old
    with Raw(address) as client:
        assert Told(client.get("/new")).target == "/new"


def test_an_upgrade_lets_the_old_process_finish(peers):
    gateway, client, go_on = held(peers)
    old = gateway.upgrade()
    assert os.path.exists(f"/proc/{old}")
    fresh = peers.client(gateway)
    fresh.send(request("/new"))
    go_on.set()
    assert fresh.recv_response().body == b"late"
    assert client.recv_response().body == b"late"
    assert gateway.wait_exit(old) == 0


def test_who_comes_to_a_process_that_is_out_of_patience_does_not_keep_it(peers):
    """The sockets are shared: the old process hears newcomers for a moment, too."""
    go_on = threading.Event()

    def script(connection):
        connection.recv_request()
        go_on.wait(60)
    gateway = peers.gateway(config.proxy(peers.backend(script)), arguments=["--drain-time", "0"])
    old = gateway.upgrade()
    for _ in range(40):
        peers.client(gateway).send(request("/"))
    assert gateway.wait_exit(old) == 0
    go_on.set()


def test_an_upgrade_keeps_unix_sockets_and_admin(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={
        "address": f"unix:{peers.folder}/web.sock"}))
    admin = gateway.admin_address
    old = gateway.upgrade()
    assert gateway.wait_exit(old) == 0
    with Raw(f"unix:{peers.folder}/web.sock") as client:
        assert client.get("/").status == 200
    assert gateway.events("admin_listening")[-1]["address"] == admin
    assert gateway.ask_admin("/readyz")[0] == 200


def test_an_upgrade_to_a_bad_config_leaves_the_old_process_serving(peers):
    gateway = peers.gateway(config.respond("old"))
    gateway.write("version: 1\nlistners: []\n")
    gateway.wait_event("reload_failed")
    gateway.signal(signal.SIGUSR2)
    gateway.wait_event("upgrade_failed")
    assert gateway.alive() and peers.client(gateway).get("/").body == b"old"


def test_upgrades_one_after_the_other(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    for _ in range(3):
        old = gateway.upgrade()
        assert gateway.wait_exit(old) == 0
        with Raw(gateway.address()) as client:
            assert client.get("/").status == 200


@pytest.mark.parametrize("headers", [[], ["Connection: close"]], ids=["kept", "one_request_each"])
def test_upgrades_under_load_lose_no_request(peers, headers):
    gateway = peers.gateway(config.proxy(peers.nginx(), **only_statuses()), workers=2)
    with Load(f"http://{gateway.address()}/small", peers.folder, seconds=600, connections=16,
              headers=headers) as load:
        for _ in range(3):
            eventually(lambda: gateway.metrics().sum("doorward_requests_total") > 100, "some load")
            old = gateway.upgrade()
            assert gateway.wait_exit(old) == 0
        load.stop()
    load.assert_clean()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_backend_killed_under_load_fails_only_what_was_in_flight_on_it(peers, method):
    """While its process dies it still takes connections, so that more may be in flight on it than
    wrk has connections; none is that came when it had ended. A GET may be repeated elsewhere."""
    dying, living = peers.nginx(), peers.nginx()
    gateway = peers.gateway(config.proxy([dying, living], access_log={
        "path": "stdout", "buffer": "16MiB", "fields": ["time", "status", "endpoint", "error"]}))

    def begun():
        return gateway.metrics().sum("doorward_requests_total")
    with Load(f"http://{gateway.address()}/small", peers.folder, seconds=600,
              method=method) as load:
        eventually(lambda: begun() > 100, "some load")
        dying.kill()
        ended, before = datetime.datetime.now(datetime.timezone.utc), begun()
        eventually(lambda: begun() > before + 200, "load after the kill")
        load.stop()
    failed = [line for line in gateway.access_log() if line["status"] not in (0, 200)]
    assert {(line["status"], line["endpoint"]) for line in failed} <= {(502, dying.url)}
    assert all(datetime.datetime.fromisoformat(line["time"]) <= ended for line in failed), failed
    result = load.result()
    assert (result.pop("bad"), load.statuses()) == (len(failed), {"502"} if failed else set())
    assert result.pop("requests") > 250 and not any(result.values()), load.output


def unread(port):
    """How many connections of this port have bytes that its process has not read."""
    found = subprocess.run(["ss", "-tnH", "state", "established", f"( sport = :{port} )"],
                           capture_output=True, check=True, text=True).stdout
    return sum(1 for line in found.splitlines() if int(line.split()[0]))


def test_a_killed_backend_fails_exactly_the_requests_that_it_held(peers):
    """Stopped first, it holds what it is given; POST is not repeated."""
    dying, living = peers.nginx(), peers.nginx()
    gateway = peers.gateway(config.proxy([dying, living],
                                         service={"timeouts": {"first_byte": "10m"}}))
    clients = [peers.client(gateway) for _ in range(8)]

    def all_ask():
        for client in clients:
            client.send(request("/small", method="POST", body=b""))
        return [client.recv_response().status for client in clients]
    assert all_ask() == [200] * 8
    dying.process.send_signal(signal.SIGSTOP)
    for count, client in enumerate(clients, 1):
        while unread(dying.port) < count:
            client.send(request("/small", method="POST", body=b""))
            eventually(lambda c=client, n=count: not c.silent(0) or unread(dying.port) == n,
                       "an answer by the living or a request at the stopped")
            if not client.silent(0):
                assert client.recv_response().status == 200
    dying.kill()
    for client in clients:
        raw.assert_problem(client.recv_response(), 502, "backend_reset")
    for _ in range(4):
        assert all_ask() == [200] * 8


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_starts_and_ends(peers, workers):
    gateway = peers.gateway(config.proxy(peers.origin()), workers=workers)
    assert peers.client(gateway).get("/").status == 200
    gateway.stop()


def test_the_loop_says_which_backend_it_took(peers, loop):
    gateway = peers.gateway(config.respond())
    assert gateway.events("loop")[0]["backend"] == {"uring": "io_uring", "epoll": "epoll"}[loop]


def test_auto_says_what_it_took_and_why(peers):
    event = peers.gateway(config.respond(), loop="auto").events("loop")[0]
    assert event["backend"] in ("io_uring", "epoll") and event["reason"]


def test_a_connection_that_was_promised_another_request_gets_it(peers):
    """Told to drain behind a head without `Connection: close`: the client's next request may be on
    its way already."""
    go_on = threading.Event()

    def script(connection):
        while connection.recv_request():
            connection.send(raw.response(200, "Content-Length: 4", length=False) + b"ab")
            go_on.wait(20)
            connection.send(b"cd")
    gateway = peers.gateway(config.proxy(peers.backend(script)))
    client = peers.client(gateway)
    client.send(request("/1"))
    assert client.recv_head().get("connection") is None
    gateway.signal(signal.SIGTERM)
    eventually(lambda: refuses(gateway.address()), "refused connections")
    client.send(request("/2"))
    go_on.set()
    assert client.recv_exactly(4) == b"abcd"
    answer = client.recv_response()
    assert (answer.body, answer.get("connection")) == (b"abcd", "close")
    assert client.at_end()
