"""The policy `websocket`: who may open one, and what may pass in it."""
import os

import pytest
import websockets

from harness import config, raw
from harness import websocket as ws
from harness.origin import Told
from harness.raw import assert_problem
from harness.websocket import BINARY, PING, PONG, TEXT, Frames, close_frame, frame

PROTOCOL, TOO_LARGE, TOO_FAST, IDLE = (
    "websocket_protocol_error", "websocket_message_too_large", "websocket_too_fast",
    "websocket_idle")


def through(peers, backend, **settings):
    return peers.gateway(config.proxy(peers.backend(backend),
                                      policies=[{"websocket": settings}]))


def greet(opcode, payload):
    """Answers "good" only, so that nothing else comes between."""
    return ws.echo(opcode, payload) if payload == b"good" else None


def logged(gateway):
    return gateway.wait_access_log()[0].get("error")


# --- frames --------------------------------------------------------------------------------------

BAD = {
    "unmasked": (frame(TEXT, b"a", masked=False), 1002),
    "reserved": (frame(TEXT, b"a", reserved=4), 1002),
    "opcode": (frame(3, b"a"), 1002),
    "control-too-long": (frame(PING, b"a" * 126), 1002),
    "control-fragmented": (frame(PING, b"a", fin=False), 1002),
    "continuation": (frame(0, b"a"), 1002),
    "interrupted": (frame(TEXT, b"a", fin=False) + frame(TEXT, b"a"), 1002),
    "close-code": (close_frame(1005), 1002),
    "close-reason": (close_frame(1000, b"\xff"), 1007),
    "utf8": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "utf8-across-fragments": (frame(TEXT, b"\xce", fin=False) + frame(0, b"\x20"), 1007),
    "utf8-unfinished": (frame(TEXT, b"abc\xe2\x82"), 1007),
}


@pytest.mark.parametrize("name", BAD)
def test_a_client_that_breaks_a_rule_is_told_and_ended(peers, name):
    data, code = BAD[name]
    backend = Frames(greet)
    gateway = through(peers, backend)
    client = ws.opened(peers, gateway)
    client.send(frame(TEXT, b"good"))
    assert ws.read_frame(client.stream) == (TEXT, b"good")
    client.send(data)
    assert ws.read_close(client.stream) == code
    assert client.half_close().at_end()
    assert backend.close_code == 1001
    assert logged(gateway) == PROTOCOL


@pytest.mark.parametrize("name", ["utf8", "close-code"])
def test_rules_hold_however_the_bytes_are_split(peers, name):
    data, code = BAD[name]
    backend = Frames(ws.echo)
    client = ws.opened(peers, through(peers, backend))
    client.send_split(frame(TEXT, "κόσμε".encode()))
    assert ws.read_frame(client.stream) == (TEXT, "κόσμε".encode())
    client.send_split(data)
    assert ws.read_close(client.stream) == code
    client.half_close()
    assert backend.close_code in (1001, None)  # none fits within a frame that has begun


def test_a_backend_that_breaks_a_rule_is_told_and_ended(peers):
    backend = Frames(lambda *_: frame(TEXT, b"\xff", masked=False))
    gateway = through(peers, backend)
    client = ws.opened(peers, gateway)
    client.send(frame(TEXT, b"say something"))
    assert ws.read_close(client.stream) == 1001
    client.send(close_frame(1001))
    assert client.at_end() and backend.close_code == 1007
    assert logged(gateway) == PROTOCOL


@pytest.mark.parametrize("pieces", [1, 5])
def test_a_message_that_is_too_large_does_not_pass(peers, pieces):
    backend = Frames()
    gateway = through(peers, backend, max_message="1KiB")
    client = ws.opened(peers, gateway)
    client.send(frame(BINARY, b"x" * 1024))
    size = 1025 // pieces
    for number in range(pieces):
        client.send(frame(0 if number else BINARY, b"y" * size, fin=number + 1 == pieces))
    assert size * pieces == 1025
    assert ws.read_close(client.stream) == 1009
    assert client.half_close().at_end()
    assert backend.close_code == 1001 and logged(gateway) == TOO_LARGE
    assert sum(len(payload) for _, payload in backend.frames[1:-1]) == size * (pieces - 1)


def test_a_client_that_is_too_fast_is_ended(peers):
    backend = Frames(greet)
    gateway = through(peers, backend, messages_per_second=10)
    client = ws.opened(peers, gateway)
    client.send(frame(TEXT, b"good") * 10)
    assert [ws.read_frame(client.stream) for _ in range(10)] == [(TEXT, b"good")] * 10
    client.send(frame(PING, b"b") * 20)
    assert ws.read_close(client.stream) == 1008
    assert client.half_close().at_end()
    assert backend.close_code == 1001 and logged(gateway) == TOO_FAST


def test_a_silent_side_is_pinged_and_its_answer_goes_no_further(peers):
    backend = Frames(lambda opcode, payload: (frame(PONG, payload, masked=False)
                                              if opcode == PING else None))
    gateway = through(peers, backend, idle_timeout="1s")
    client = ws.opened(peers, gateway)
    for _ in range(2):
        opcode, payload = ws.read_frame(client.stream)
        assert opcode == PING
        client.send(frame(PONG, payload))
    client.send(close_frame())
    assert ws.read_close(client.stream) == 1000
    assert client.at_end()
    assert backend.close_code == 1000
    assert {opcode for opcode, _ in backend.frames[:-1]} <= {PING}
    assert not logged(gateway)


def test_a_side_that_gives_no_sign_of_life_is_closed(peers):
    backend = Frames(lambda opcode, payload: (frame(PONG, payload, masked=False)
                                              if opcode == PING else None))
    gateway = through(peers, backend, idle_timeout="300ms")
    client = ws.opened(peers, gateway)
    assert ws.read_frame(client.stream)[0] == PING
    assert ws.read_close(client.stream) == 1001
    client.send(close_frame(1001))
    assert client.at_end()
    assert backend.close_code == 1001 and logged(gateway) == IDLE


# --- handshake -----------------------------------------------------------------------------------

@pytest.mark.parametrize("origin,status", [
    ("https://app.example.com", 101), ("https://APP.example.com:443", 101),
    ("https://a.b.trusted.test", 101), (None, 101), ("https://evil.test", 403), ("null", 403),
    ("http://app.example.com", 403), ("https://evil.test/.trusted.test", 403)])
def test_origins(peers, origin, status):
    gateway = through(peers, Frames(), origins=["https://app.example.com",
                                                "https://*.trusted.test"])
    answer = peers.client(gateway).get("/", *ws.ASKED, *([f"Origin: {origin}"] if origin else []))
    assert answer.status == status
    if status == 403:
        assert_problem(answer, 403, "websocket_origin_denied", policy="websocket")


def test_subprotocols_are_cut_to_what_is_allowed(peers):
    backend = Frames(headers=["Sec-WebSocket-Protocol: mqtt"])
    gateway = through(peers, backend, subprotocols=["mqtt", "chat"])
    answer = peers.client(gateway).get("/", *ws.ASKED, "Sec-WebSocket-Protocol: soap, mqtt, x")
    assert answer.status == 101 and answer.get("sec-websocket-protocol") == "mqtt"
    assert backend.asked.get("sec-websocket-protocol") == "mqtt"
    denied = peers.client(gateway).get("/", *ws.ASKED, "Sec-WebSocket-Protocol: soap")
    assert_problem(denied, 403, "websocket_subprotocol_denied", policy="websocket")


def test_a_backend_that_chooses_what_was_not_offered_is_refused(peers):
    backend = Frames(headers=["Sec-WebSocket-Protocol: soap"])
    gateway = through(peers, backend, subprotocols=["mqtt", "chat"])
    client = peers.client(gateway)
    answer = client.get("/", *ws.ASKED, "Sec-WebSocket-Protocol: soap, mqtt")
    assert_problem(answer, 502, "websocket_answer_denied", policy="websocket")
    assert backend.over.wait(20)
    assert client.get("/", *ws.ASKED).status in (101, 502)  # the client's connection goes on


@pytest.mark.parametrize("compression", ["pass", "refuse"])
def test_compression(peers, compression):
    server = peers.add(ws.EchoServer())
    gateway = peers.gateway(config.proxy(
        server, policies=[{"websocket": {"compression": compression, "max_message": "1MiB"}}]))

    async def talk():
        async with ws.connect(gateway, compression="deflate") as socket:
            assert bool(socket.extensions) == (compression == "pass")
            for message in ("κόσμε " * 10_000, os.urandom(70_000), ""):
                await socket.send(message)
                assert await socket.recv() == message
            return socket
    assert ws.run(talk()).close_code == 1000
    assert not logged(gateway)


def test_a_real_client_learns_what_it_did_wrong(peers):
    server = peers.add(ws.EchoServer())
    gateway = peers.gateway(config.proxy(server, policies=[{"websocket": {"max_message": "1KiB"}}]))

    async def talk():
        async with ws.connect(gateway, compression=None) as socket:
            await socket.send("x" * 1024)
            await socket.recv()
            await socket.send("x" * 1025)
            with pytest.raises(websockets.ConnectionClosedError):
                await socket.recv()
            return socket.close_code
    assert ws.run(talk()) == 1009
    assert logged(gateway) == TOO_LARGE


def test_other_requests_pass_untouched(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), policies=[
        {"websocket": {"origins": ["https://a.example"], "max_message": "1KiB"}}]))
    client = peers.client(gateway)
    told = Told(client.get("/", "Origin: https://b.example", "Sec-WebSocket-Protocol: x"))
    assert told.get("sec-websocket-protocol") == "x"
    # So does an upgrade to something else.
    assert client.get("/upgrade", "Connection: upgrade", "Upgrade: x").status == 101
    assert client.send(b"\xff\xff").recv_exactly(2) == b"\xff\xff"


def test_other_requests_are_refused_where_a_websocket_is_required(peers):
    gateway = through(peers, Frames(), required=True)
    client = peers.client(gateway)
    answer = client.get("/")
    assert_problem(answer, 426, "websocket_required", policy="websocket")
    assert answer.get("upgrade") == "websocket" and answer.get("connection").lower() == "upgrade"
    assert client.get("/", *ws.ASKED).status == 101


def test_in_shadow_mode_nothing_is_refused_and_no_frame_checked(peers):
    backend = Frames()
    gateway = through(peers, backend, mode="shadow", origins=["https://a.example"],
                      max_message="1KiB")
    client = ws.opened(peers, gateway, "Origin: https://b.example")
    assert gateway.wait_event("shadow_reply")["code"] == "websocket_origin_denied"
    client.send(frame(TEXT, b"\xff" * 2000) + close_frame())
    assert ws.read_close(client.stream) == 1000
    assert len(backend.frames[0][1]) == 2000


def test_a_refused_handshake_of_the_backend_is_an_ordinary_answer(peers):
    backend = peers.backend(raw.response(404, body=b"none here"))
    gateway = peers.gateway(config.proxy(backend, policies=[{"websocket": {}}]))
    answer = peers.client(gateway).get("/", *ws.ASKED)
    assert answer.status == 404 and answer.body == b"none here"
