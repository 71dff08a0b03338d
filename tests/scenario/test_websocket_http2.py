"""WebSockets where client or backend, or both, speak HTTP/2 (RFC 8441): the same rules, the same
close frames."""
import os
import signal

import pytest

from harness import config
from harness import websocket as ws
from harness.websocket import BINARY, PING, PONG, TEXT, Frames, close_frame, frame
from harness.websocket_http2 import TAKES_WEBSOCKETS, Http2Socket, script

PAIRS = pytest.mark.parametrize("client,backend", [(1, 2), (2, 1), (2, 2)])


class Between:
    """A gateway with a WebSocket through it."""

    def __init__(self, peers, client, backend, answer=ws.echo, **settings):
        self.backend = Frames(answer)
        if backend == 2:
            behind = peers.http2_backend(script(self.backend), settings=TAKES_WEBSOCKETS)
        else:
            behind = peers.backend(self.backend)
        self.gateway = peers.gateway(config.proxy(
            behind, policies=[{"websocket": settings}] if settings else None,
            service={"protocol": f"http{backend}"}))
        if client == 2:
            self.client = Http2Socket(peers.http2(self.gateway))
            assert self.client.answer.status == 200
        else:
            self.client = ws.opened(peers, self.gateway)

    def read(self):
        return ws.read_frame(self.client.stream)

    def error(self):
        return self.gateway.wait_access_log()[0].get("error")


@PAIRS
@pytest.mark.parametrize("settings", [{}, {"max_message": "1MiB"}])
def test_messages_pass_both_ways(peers, client, backend, settings):
    between = Between(peers, client, backend, **settings)
    for size in (0, 1, 125, 126, 70_000, 300_000):
        data = os.urandom(size)
        between.client.send(frame(BINARY, data))
        assert between.read() == (BINARY, data)
    between.client.send(close_frame(1000))
    assert ws.read_close(between.client.stream) == 1000
    if not settings:  # Doorward ends nothing of its own accord
        between.client.half_close()
    assert between.backend.close_code == 1000


@PAIRS
def test_who_breaks_a_rule_is_told(peers, client, backend):
    between = Between(peers, client, backend, answer=lambda *_: None, max_message="1KiB")
    between.client.send(frame(TEXT, b"x" * 1025))
    assert ws.read_close(between.client.stream) == 1009
    assert between.client.at_end()
    assert between.backend.close_code == 1001
    assert between.error() == "websocket_message_too_large"


@PAIRS
def test_a_drain_says_1001_to_both_sides(peers, client, backend):
    between = Between(peers, client, backend)
    between.client.send(frame(TEXT, b"hello"))
    assert between.read() == (TEXT, b"hello")
    between.gateway.signal(signal.SIGTERM)
    assert ws.read_close(between.client.stream) == 1001
    between.client.send(close_frame(1001))
    assert between.client.at_end()
    assert between.backend.close_code == 1001
    assert between.gateway.wait_exit() == 0
    assert not between.error()


@PAIRS
def test_a_silent_side_is_pinged(peers, client, backend):
    between = Between(peers, client, backend, idle_timeout="1s", answer=lambda opcode, payload: (
        frame(PONG, payload, masked=False) if opcode == PING else None))
    opcode, payload = between.read()
    assert opcode == PING
    between.client.send(frame(PONG, payload))
    assert between.read()[0] == PING
    assert ws.read_close(between.client.stream) == 1001
    assert between.error() == "websocket_idle"
