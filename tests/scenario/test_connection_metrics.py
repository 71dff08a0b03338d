"""What the metrics of listeners and routes tell of connections: which HTTP and TLS they speak, streams
of HTTP/2, and WebSockets, whose lifetime is no response time."""
import pytest

from harness import config
from harness import websocket as ws
from harness.http2 import Code
from harness.tls import client_context
from harness.waiting import eventually
from harness.websocket import CLOSE, TEXT, Frames, close_frame, frame


def counted(gateway, name, **labels):
    return gateway.metrics().sum(f"doorward_{name}", **labels)


def test_requests_and_connections_are_counted_by_protocol(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    first, second, third = (peers.client(gateway), peers.http2(gateway), peers.http2(gateway))
    for _ in range(3):
        assert first.get("/").status == 200
        assert second.get("/").status == 200
    assert third.get("/").status == 200
    old = peers.client(gateway)
    assert old.request(b"GET / HTTP/1.0\r\n\r\n").status == 200
    peers.client(gateway).close()  # said nothing
    requests = {"HTTP/1.0": 1, "HTTP/1.1": 3, "HTTP/2": 4}
    for protocol, count in requests.items():
        assert counted(gateway, "requests_total", listener="web", protocol=protocol) == count
    assert counted(gateway, "requests_total") == 8
    for protocol, count in {"HTTP/1.1": 2, "HTTP/2": 2}.items():
        assert counted(gateway, "connections_protocol_total", protocol=protocol) == count


@pytest.mark.parametrize("only,version", [("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")])
def test_connections_are_counted_by_their_version_of_tls(peers, certificates, only, version):
    gateway = peers.gateway(config.proxy(peers.origin(), listener=certificates.listener()))
    client = peers.client(gateway, tls=client_context(only=only))
    assert client.get("/").status == 200
    assert counted(gateway, "tls_connections_total", listener="web", version=version) == 1
    assert counted(gateway, "tls_connections_total") == 1


def test_open_streams_are_told(peers):
    backend = peers.backend(lambda connection: connection.recv_head() and connection.at_end())
    gateway = peers.gateway(config.proxy(backend))
    client = peers.http2(gateway)
    streams = [client.request(f"/{n}") for n in range(3)]
    eventually(lambda: counted(gateway, "http2_streams_open", listener="web") == 3, "three streams")
    client.reset_stream(streams[0])
    eventually(lambda: counted(gateway, "http2_streams_open") == 2, "two streams")
    client.close()
    eventually(lambda: counted(gateway, "http2_streams_open") == 0, "no stream")


def test_resets_are_counted_by_side_and_code(peers):
    backend = peers.backend(lambda connection: connection.recv_head() and connection.at_end())
    gateway = peers.gateway(config.proxy(backend))
    client = peers.http2(gateway)
    client.reset_stream(client.request("/"), Code.CANCEL)
    client.reset_stream(client.request("/"), Code.INTERNAL_ERROR)
    client.reset_stream(client.request("/"), 0x1234)
    malformed = client.open([(":method", "GET"), (":scheme", "http"), (":path", "/"),
                             (":authority", "example.com"), ("Upper", "case")])
    assert client.reset_of(malformed) == Code.PROTOCOL_ERROR
    for code in ("cancel", "internal_error", "other"):
        eventually(lambda code=code: counted(gateway, "http2_client_resets_total", code=code) == 1,
                   f"the count of {code}")
    assert counted(gateway, "http2_resets_total", code="protocol_error") == 1


# --- WebSockets --------------------------------------------------------------------------------
def echoing(peers, **options):
    return peers.gateway(config.proxy(peers.backend(Frames(ws.echo)), **options))


ENDINGS = {  # what the client sends; the label
    "1000": close_frame(1000, b"done"),
    "4xxx": close_frame(4000),
    "none": frame(CLOSE),
    "broken": b"",
}


@pytest.mark.parametrize("checked", [False, True], ids=["untouched", "checked"])
@pytest.mark.parametrize("code", ENDINGS)
def test_websockets_are_counted_while_open_and_by_their_close_codes(peers, code, checked):
    gateway = echoing(peers, policies=[{"websocket": {}}] if checked else None)
    client = ws.opened(peers, gateway)
    eventually(lambda: counted(gateway, "route_websockets_open", route="all") == 1, "one open")
    client.send(ENDINGS[code])
    if code == "broken":
        client.close()
    eventually(lambda: counted(gateway, "route_websockets_closed_total", code=code) == 1,
               f"the count of {code}")
    assert counted(gateway, "route_websockets_closed_total") == 1
    assert counted(gateway, "route_websockets_open") == 0


def test_what_doorward_closes_counts_under_its_code(peers):
    gateway = echoing(peers, policies=[{"websocket": {"max_message": "100B"}}])
    client = ws.opened(peers, gateway)
    client.send(frame(TEXT, b"x" * 101))
    assert ws.read_close(client.stream) == 1009
    eventually(lambda: counted(gateway, "route_websockets_closed_total", code="1009") == 1, "1009")


def test_messages_are_counted_where_frames_are_checked(peers):
    """As they pass, not when the WebSocket ends."""
    backend = peers.backend(Frames(lambda opcode, payload: ws.echo(TEXT, payload)))
    gateway = peers.gateway(config.proxy(backend, policies=[{"websocket": {}}]))
    client = ws.opened(peers, gateway)
    client.send(frame(TEXT, b"one") + frame(TEXT, b"t", fin=False) + frame(0, b"wo"))
    for payload in (b"one", b"t", b"wo"):
        assert ws.read_frame(client.stream) == (TEXT, payload)
    assert counted(gateway, "route_websocket_messages_total", route="all", sender="client") == 2
    assert counted(gateway, "route_websocket_messages_total", route="all", sender="backend") == 3


def test_the_lifetime_of_a_tunnel_is_no_response_time(peers):
    gateway = echoing(peers)
    client = ws.opened(peers, gateway)
    assert client.silent(0.3)
    client.send(close_frame())
    lasted = gateway.wait_access_log()[0]["total_us"] / 1e6
    assert counted(gateway, "route_duration_seconds_count", route="all") == 1
    assert counted(gateway, "route_duration_seconds_sum", route="all") <= lasted - 0.3
