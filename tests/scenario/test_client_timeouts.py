"""Clients that are slow or silent: each timeout of a listener, and the minimum data rate."""
import threading
import time

import pytest

from harness import config, raw
from harness.origin import Told
from harness.raw import assert_problem, request
from harness.waiting import eventually, stays


def timed(peers, script=None, **timeouts):
    backend = peers.backend(script) if script else peers.origin()
    return backend, peers.gateway(config.proxy(backend, listener={"timeouts": timeouts}))


def test_a_head_that_does_not_end_is_given_up(peers):
    _, gateway = timed(peers, header="300ms")
    client = peers.client(gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
    assert_problem(client.recv_response(), 408, "header_timeout")
    assert client.at_end()


def test_a_head_that_drips_is_given_up_all_the_same(peers):
    _, gateway = timed(peers, header="500ms")
    client = peers.client(gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
    begin = time.monotonic()
    with pytest.raises(ConnectionError):
        while time.monotonic() < begin + 20:
            client.send(b"X: 1\r\n" if client.silent(0.05) else b"")
            if not client.silent(0):
                assert_problem(client.recv_response(), 408, "header_timeout")
                assert client.at_end()
                raise ConnectionError
    assert time.monotonic() < begin + 10


def test_a_body_that_stops_is_given_up(peers):
    _, gateway = timed(peers, body="300ms")
    client = peers.client(gateway)
    client.send(request("/", "Content-Length: 10", method="POST") + b"abc")
    assert_problem(client.recv_response(), 408, "body_timeout")
    assert client.at_end()


def test_a_body_in_pieces_within_the_timeout_passes(peers):
    """The timeout is for the next piece, not for the whole body."""
    _, gateway = timed(peers, body="1s")
    client = peers.client(gateway)
    client.send(request("/", "Content-Length: 15", method="POST"))
    for _ in range(15):
        assert client.silent(0.1)
        client.send(b"x")
    assert Told(client.recv_response()).body_length == 15


def test_an_idle_connection_is_closed_without_a_word(peers):
    _, gateway = timed(peers, idle="300ms")
    client = peers.client(gateway)
    assert client.get("/").status == 200
    assert client.at_end()


def test_a_connection_that_never_speaks_is_closed(peers):
    _, gateway = timed(peers, idle="300ms", header="300ms")
    assert peers.client(gateway).at_end()


def test_an_exchange_under_way_is_not_idle(peers):
    answer_now = threading.Event()

    def script(connection):
        connection.recv_request()
        answer_now.wait(20)
        connection.send(raw.response(200, body=b"late"))
    _, gateway = timed(peers, script, idle="200ms")
    client = peers.client(gateway)
    client.send(request("/"))
    assert client.silent(0.8)
    answer_now.set()
    assert client.recv_response().body == b"late"


def test_a_client_that_does_not_read_is_given_up(peers):
    ended = threading.Event()

    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, "Content-Length: 1000000000", length=False))
        try:
            while True:
                connection.send(b"x" * 65536)
        except OSError:
            ended.set()
    _, gateway = timed(peers, script, send="500ms")
    client = peers.client(gateway, receive_buffer=4096)
    client.send(request("/"))
    assert ended.wait(20), "the client that does not read holds the backend for ever"


def test_heads_slower_than_the_minimum_rate_are_given_up(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={
        "min_data_rate": "1KiB/s", "timeouts": {"header": "60s"}}))
    client = peers.client(gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
    begin = time.monotonic()
    while client.silent(0.5) and time.monotonic() < begin + 30:
        client.send(b"X: 1\r\n")
    assert_problem(client.recv_response(), 408, "request_too_slow")


def test_bodies_slower_than_the_minimum_rate_are_given_up(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={
        "min_data_rate": "1KiB/s", "timeouts": {"body": "60s"}}))
    client = peers.client(gateway)
    client.send(request("/", "Content-Length: 100000", method="POST"))
    begin = time.monotonic()
    while client.silent(0.5) and time.monotonic() < begin + 30:
        client.send(b"xxxx")
    assert_problem(client.recv_response(), 408, "request_too_slow")


def test_the_minimum_rate_does_not_count_a_backend_that_does_not_read(peers):
    """Back-pressure is not the client's slowness."""
    go_on = threading.Event()

    def script(connection):
        head = connection.recv_head()
        go_on.wait(40)
        got = sum(len(p) for p in connection.body_pieces(head))
        connection.send(raw.response(200, body=str(got).encode()))
    backend = peers.backend(script)
    gateway = peers.gateway(config.proxy(backend, listener={"min_data_rate": "1MiB/s"}))
    client = peers.client(gateway)
    size = 30_000_000
    sender = threading.Thread(target=lambda: client.send(
        request("/", f"Content-Length: {size}", method="POST") + b"x" * size))
    sender.start()
    backend.wait_requests()
    stays(sender.is_alive, 12, "the upload")
    go_on.set()
    assert client.recv_response().body == str(size).encode()
    sender.join(20)


def test_timed_out_connections_free_their_descriptors(peers):
    _, gateway = timed(peers, header="300ms", idle="300ms")
    before = gateway.descriptors()
    clients = [peers.client(gateway) for _ in range(50)]
    for client in clients[::2]:
        client.send(b"GET / HT")
    eventually(lambda: gateway.descriptors() >= before + 50, "50 connections", 5)
    eventually(lambda: gateway.descriptors() <= before + 1, "closed descriptors")


def test_a_client_that_reads_slowly_but_steadily_is_served_to_the_end(peers):
    """The limit is on standing still, not on a whole send through large buffers."""
    gateway = peers.gateway(config.proxy(peers.origin(), listener={"timeouts": {"send": "4s"}}))
    client = peers.client(gateway, receive_buffer=16384)
    client.send(request("/bytes/20000000"))
    head = client.recv_head()
    got, begin = 0, time.monotonic()
    for piece in client.stream.pieces(int(head.get("content-length"))):
        got += len(piece)
        if got < 900_000:  # at 150 kB/s; the rest as fast as it comes
            time.sleep(max(0, begin + got / 150_000 - time.monotonic()))
    assert got == 20000000
