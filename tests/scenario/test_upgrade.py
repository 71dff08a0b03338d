"""Upgrade passthrough: after 101 a connection is a tunnel (WebSocket comes through as one)."""
import base64
import hashlib
import os
import struct
import threading

from harness import config, raw
from harness.origin import Told
from harness.raw import request

UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")


def test_bytes_flow_both_ways_after_101(web):
    with web.client() as client:
        answer = client.get("/upgrade", *UPGRADE, "Sec-WebSocket-Key: " + base64.b64encode(
            os.urandom(16)).decode())
        assert answer.status == 101 and answer.get("upgrade") == "websocket"
        assert answer.get("connection").lower() == "upgrade"
        for number in range(50):
            text = b"message %d " % number * (number * 50 + 1)
            assert client.send(text).recv_exactly(len(text)) == text.upper()


def test_a_websocket_handshake_and_masked_frame_pass_untouched(peers):
    key = base64.b64encode(b"0123456789abcdef").decode()
    accept = base64.b64encode(hashlib.sha1(
        (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()

    def script(connection):
        head = connection.recv_request()
        assert head.get("sec-websocket-key") == key
        connection.send(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                        f"Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        assert connection.stream.exactly(6 + 5)[0] == 0x81
        connection.send(b"\x81\x05world")
        connection.at_end()
    client = peers.client(peers.gateway(config.proxy(peers.backend(script))))
    answer = client.get("/chat", *UPGRADE, f"Sec-WebSocket-Key: {key}")
    assert answer.get("sec-websocket-accept") == accept
    client.send(b"\x81\x85" + struct.pack("!I", 0) + b"hello")
    assert client.recv_exactly(7) == b"\x81\x05world"


def test_bytes_in_the_same_segment_as_the_101_are_not_lost(peers):
    def script(connection):
        connection.recv_request()
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                        b"Connection: upgrade\r\n\r\nfirst")
        connection.at_end()
    client = peers.client(peers.gateway(config.proxy(peers.backend(script))))
    assert client.get("/", "Connection: upgrade", "Upgrade: x").status == 101
    assert client.recv_exactly(5) == b"first"


def test_a_tunnel_ends_when_the_backend_ends(peers):
    def script(connection):
        connection.recv_request()
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                        b"Connection: upgrade\r\n\r\nbye")
    client = peers.client(peers.gateway(config.proxy(peers.backend(script))))
    assert client.get("/", "Connection: upgrade", "Upgrade: x").status == 101
    assert client.stream.to_end() == b"bye"


def test_a_half_closed_tunnel_still_carries_the_other_direction(peers):
    def script(connection):
        connection.recv_request()
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                        b"Connection: upgrade\r\n\r\n")
        got = connection.stream.to_end()
        connection.send(got.upper() + b"!")
    client = peers.client(peers.gateway(config.proxy(peers.backend(script))))
    assert client.get("/", "Connection: upgrade", "Upgrade: x").status == 101
    assert client.send(b"abc").half_close().stream.to_end() == b"ABC!"


def test_a_client_that_leaves_ends_the_tunnel_at_the_backend(peers):
    ended = threading.Event()

    def script(connection):
        connection.recv_request()
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                        b"Connection: upgrade\r\n\r\n")
        connection.at_end()
        ended.set()
    client = peers.client(peers.gateway(config.proxy(peers.backend(script))))
    assert client.get("/", "Connection: upgrade", "Upgrade: x").status == 101
    client.reset()
    assert ended.wait(20)


def test_a_refused_upgrade_is_an_ordinary_answer(web):
    with web.client() as client:
        assert client.get("/", *UPGRADE).status == 200
        assert Told(client.get("/next")).target == "/next"


def test_upgrade_without_connection_is_not_forwarded(web):
    with web.client() as client:
        assert not Told(client.get("/", "Upgrade: websocket")).all("upgrade")


def test_an_upgrade_to_http_2_does_not_pass(web):
    """A tunnel of requests would go around every policy."""
    with web.client() as client:
        told = Told(client.get("/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                               "HTTP2-Settings: AAMAAABkAAQAAP__"))
    assert not told.all("upgrade") and not told.all("http2-settings")


def test_101_without_an_upgrade_request_is_refused(peers):
    backend = peers.backend(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                            b"Connection: upgrade\r\n\r\n")
    answer = peers.client(peers.gateway(config.proxy(backend))).get("/")
    assert answer.status == 502 and answer.json()["code"] == "backend_protocol_error"


def test_a_tunnel_moves_much_data_with_back_pressure(web):
    size = 20_000_000
    with web.client() as client:
        assert client.get("/upgrade", *UPGRADE).status == 101
        sender = threading.Thread(target=lambda: client.sock.sendall(b"a" * size))
        sender.start()
        assert sum(len(p) - p.count(b"A") for p in client.stream.pieces(size)) == 0
        sender.join(20)


def test_pooled_connections_are_not_tunnelled_connections(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin))
    client = peers.client(gateway)
    assert client.get("/upgrade", *UPGRADE).status == 101
    client.send(b"x").recv_exactly(1)
    other = peers.client(gateway)
    assert Told(other.get("/a")).connection != 0
    assert raw.Raw(gateway.address()).request(request("/b")).status == 200


def test_a_request_with_a_body_is_no_upgrade(peers):
    """The backend would switch while the body is still on its way."""
    def script(connection):
        head = connection.recv_head()
        connection.send(raw.response(101, "Upgrade: websocket", "Connection: upgrade", length=False)
                        if head.has("upgrade") else raw.response(200, body=b"plain"))
        connection.at_end()
    client = peers.client(peers.gateway(config.proxy(peers.backend(script))))
    client.send(request("/", *UPGRADE, "Content-Length: 10"))
    assert client.recv_response().body == b"plain"
