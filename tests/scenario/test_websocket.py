"""WebSockets without rules: bytes pass untouched, and a drain is said with close frames."""
import os
import signal
import time

import pytest
import websockets

from harness import config
from harness import websocket as ws
from harness.raw import request
from harness.tls import client_context, server_context
from harness.websocket import BINARY, CLOSE, PING, PONG, TEXT, Frames, frame


def between(peers, backend, **options):
    return peers.gateway(config.proxy(peers.backend(backend), **options))


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("secure", [False, True], ids=["cleartext", "tls"])
def test_a_real_client_talks_to_a_real_server(peers, certificates, compression, secure):
    """Over TLS on both sides, or on none."""
    behind = {"ssl": server_context(certificates.server)} if secure else {}
    before = {"ssl": client_context(certificates.ca)} if secure else {}
    server = peers.add(ws.EchoServer(subprotocols=["chat"], **behind))
    gateway = peers.gateway(config.proxy(
        server, listener=certificates.listener() if secure else None,
        service=certificates.service() if secure else None))

    async def talk():
        async with ws.connect(gateway, compression=compression, subprotocols=["chat"],
                              **before) as socket:
            assert socket.subprotocol == "chat"
            assert bool(socket.extensions) == bool(compression)
            for message in ("", "κόσμε " * 1000, os.urandom(70_000), b"x" * 3_000_000):
                await socket.send(message)
                assert await socket.recv() == message
            await socket.send(["a ", "fragmented ", "message"])
            assert await socket.recv() == "a fragmented message"
            await (await socket.ping())
    ws.run(talk())
    assert gateway.wait_access_log()[0]["status"] == 101


def test_frames_pass_untouched_in_any_pieces(peers):
    sent = (frame(TEXT, b"hel", fin=False) + frame(PING, b"p") + frame(0, b"lo") +
            frame(BINARY, os.urandom(300), reserved=7) + ws.close_frame(4000, b"bye"))
    got = []

    def script(connection):
        ws.accept(connection, connection.recv_request())
        got.append(connection.stream.exactly(len(sent)))
        connection.send(b"\x88\x00")
        connection.at_end()
    client = ws.opened(peers, between(peers, script))
    client.send_split(sent)
    assert ws.read_frame(client.stream) == (CLOSE, b"")
    assert got == [sent]
    assert client.half_close().at_end()


def test_frames_behind_the_heads_are_not_lost(peers):
    backend = Frames(ws.echo, first=frame(TEXT, b"first", masked=False))
    client = peers.client(between(peers, backend))
    client.send(request("/socket", *ws.ASKED) + frame(TEXT, b"early"))
    assert client.recv_response().status == 101
    assert ws.read_frame(client.stream) == (TEXT, b"first")
    assert ws.read_frame(client.stream) == (TEXT, b"early")


def test_a_drain_says_1001_to_both_sides(peers):
    backend = Frames(ws.echo)
    gateway = between(peers, backend)
    client = ws.opened(peers, gateway)
    client.send(frame(TEXT, b"hello"))
    assert ws.read_frame(client.stream) == (TEXT, b"hello")
    gateway.signal(signal.SIGTERM)
    assert ws.read_close(client.stream) == 1001
    client.send(ws.close_frame(1001))
    assert client.at_end()
    assert backend.close_code == 1001
    begin = time.monotonic()
    assert gateway.wait_exit() == 0
    assert time.monotonic() - begin < 10
    line = gateway.access_log()[0]
    assert line["status"] == 101 and not line.get("error"), line


def test_a_drain_waits_for_the_end_of_the_frame_under_way(peers):
    backend = Frames()
    gateway = between(peers, backend)
    client = ws.opened(peers, gateway)
    whole = frame(BINARY, b"x" * 1000)
    client.send(whole[:500])
    gateway.wait_event("ready")
    gateway.signal(signal.SIGTERM)
    assert ws.read_close(client.stream) == 1001  # nothing was under way to the client
    client.send(whole[500:] + frame(TEXT, b"too late") + ws.close_frame(1001))
    assert client.at_end()
    assert backend.close_code == 1001
    assert [(opcode, len(payload)) for opcode, payload in backend.frames[:-1]] == [(BINARY, 1000)]
    assert gateway.wait_exit() == 0


def test_a_drain_does_not_wait_for_who_does_not_answer(peers):
    def script(connection):
        ws.accept(connection, connection.recv_request())
        assert ws.read_frame(connection.stream)[0] == CLOSE
        connection.at_end()
    gateway = between(peers, script)
    client = ws.opened(peers, gateway)
    begin = time.monotonic()
    gateway.signal(signal.SIGTERM)
    assert ws.read_close(client.stream) == 1001
    assert client.at_end()
    assert gateway.wait_exit() == 0
    assert time.monotonic() - begin < 15


def test_a_real_client_learns_of_a_drain(peers):
    server = peers.add(ws.EchoServer())
    gateway = peers.gateway(config.proxy(server))

    async def talk():
        async with ws.connect(gateway) as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"
            gateway.signal(signal.SIGTERM)
            with pytest.raises(websockets.ConnectionClosedOK):
                await socket.recv()
            return socket.close_code
    assert ws.run(talk()) == 1001
    assert gateway.wait_exit() == 0
    server.finish()  # returns once the connection's end has been noted
    assert server.codes == [1001]


def test_the_age_of_a_connection_ends_its_websocket_in_order(peers):
    backend = Frames()
    gateway = between(peers, backend, listener={"max_connection_age": "1s"})
    client = ws.opened(peers, gateway)
    assert ws.read_close(client.stream) == 1001
    client.send(ws.close_frame(1001))
    assert client.at_end()
    assert backend.close_code == 1001


def test_what_is_no_websocket_is_not_told_of_a_drain(peers):
    with_web = peers.gateway(config.proxy(peers.origin()), arguments=["--drain-time", "1"])
    client = peers.client(with_web)
    assert client.get("/upgrade", *ws.ASKED).status == 101
    assert client.send(b"no frames at all").recv_exactly(16) == b"NO FRAMES AT ALL"
    with_web.signal(signal.SIGTERM)
    assert client.at_end()  # cut, but nothing was written into it
    assert with_web.wait_exit() == 0


@pytest.mark.parametrize("chatty", [False, True])
def test_an_idle_websocket_is_closed_after_tunnel_idle(peers, chatty):
    backend = Frames()
    gateway = between(peers, backend, service={"timeouts": {"tunnel_idle": "500ms"}})
    client = ws.opened(peers, gateway)
    if chatty:
        for _ in range(6):
            client.send(frame(PONG, b"alive"))
            assert client.silent(0.2)
    assert ws.read_close(client.stream) == 1001
    client.send(ws.close_frame(1001))
    assert client.at_end() and backend.close_code == 1001
    assert gateway.wait_access_log()[0]["error"] == "websocket_idle"
