"""WebSockets where client or backend, or both, speak HTTP/2 (RFC 8441), and over TLS: the same
rules, the same close frames."""
import os
import shutil
import signal
import ssl

import pytest

from harness import config, raw, tls
from harness import websocket as ws
from harness.http2_backend import saying
from harness.raw import Raw, assert_problem
from harness.tls import client_context, server_context
from harness.waiting import eventually
from harness.websocket import BINARY, PING, PONG, TEXT, Frames, close_frame, frame
from harness.websocket_http2 import TAKES_WEBSOCKETS, Http2Socket, script

PAIRS = pytest.mark.parametrize("client,backend", [(1, 2), (2, 1), (2, 2)])
SECURE_PAIRS = pytest.mark.parametrize("client,backend", [(1, 1), (1, 2), (2, 1), (2, 2)])
ALPN = {1: ["http/1.1"], 2: ["h2"]}


class Between:
    """A gateway with a WebSocket through it; with `certificates` over TLS on both sides. `front`:
    the listener's TLS, where it is not the usual one."""

    def __init__(self, peers, client, backend, answer=ws.echo, certificates=None, front=None,
                 **settings):
        self.backend = Frames(answer)
        secure = certificates is not None
        options = {"tls": server_context(certificates.server, ALPN[backend])} if secure else {}
        if backend == 2:
            behind = peers.http2_backend(script(self.backend), settings=TAKES_WEBSOCKETS,
                                         **options)
        else:
            behind = peers.backend(self.backend, **options)
        service = {**(certificates.service() if secure else {}), "protocol": f"http{backend}"}
        self.settings = config.proxy(
            behind, policies=[{"websocket": settings}] if settings else None, service=service,
            listener=(front or certificates.listener()) if secure else None)
        self.gateway = peers.gateway(self.settings)
        seen = {"tls": client_context(certificates.ca, ALPN[client])} if secure else {}
        if client == 2:
            self.client = Http2Socket(peers.http2(self.gateway, **seen))
            assert self.client.answer.status == 200
        else:
            self.client = ws.opened(peers, self.gateway, **seen)

    def echoes(self, data):
        self.client.send(frame(BINARY, data))
        assert self.read() == (BINARY, data)

    def close(self):
        """By the client, in order."""
        self.client.send(close_frame(1000))
        assert ws.read_close(self.client.stream) == 1000
        self.client.half_close()
        assert self.backend.close_code == 1000

    def status(self):
        """As the access log tells it."""
        return self.gateway.wait_access_log()[0]["status"]

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
    assert between.status() == {1: 101, 2: 200}[client]  # what this client was sent


@SECURE_PAIRS
@pytest.mark.parametrize("settings", [{}, {"max_message": "1MiB"}], ids=["untouched", "checked"])
def test_messages_pass_both_ways_over_tls(peers, certificates, client, backend, settings):
    between = Between(peers, client, backend, certificates=certificates, **settings)
    for size in (0, 126, 300_000):
        between.echoes(os.urandom(size))
    between.client.send(close_frame(1000))
    assert ws.read_close(between.client.stream) == 1000
    if not settings:
        between.client.half_close()
    assert between.backend.close_code == 1000


@SECURE_PAIRS
def test_a_drain_over_tls_says_1001_to_both_sides(peers, certificates, client, backend):
    between = Between(peers, client, backend, certificates=certificates)
    between.echoes(b"hello")
    between.gateway.signal(signal.SIGTERM)
    assert ws.read_close(between.client.stream) == 1001
    between.client.send(close_frame(1001))
    assert between.client.at_end()
    assert between.backend.close_code == 1001
    if client == 1:  # close_notify must be answered before the socket is left
        between.client.close()
    assert between.gateway.wait_exit() == 0


@pytest.mark.parametrize("client,backend,secure", [
    (1, 1, False), (2, 2, False), (1, 2, True), (2, 1, True)])
def test_a_websocket_lives_through_reloads(peers, certificates, client, backend, secure):
    """Its route, too, may be gone: it was chosen when the WebSocket was opened."""
    between = Between(peers, client, backend, certificates=certificates if secure else None)
    between.echoes(b"before")
    between.settings["routes"][0].update(name="another", policies=[
        {"websocket": {"max_message": "10B"}}])
    between.gateway.reload(between.settings)
    between.echoes(b"longer than the new rule lets pass")
    gone = {**config.respond(), "listeners": between.settings["listeners"]}
    between.gateway.reload(gone)
    between.echoes(os.urandom(70_000))
    between.close()
    assert not between.error()


@pytest.mark.parametrize("client", [1, 2])
def test_a_websocket_lives_through_a_new_certificate(peers, certificates, client):
    folder = peers.new_folder("site")
    fresh = certificates.authority.issue("localhost", common_name="fresh")
    shutil.copy(certificates.server.both, folder / "site.pem")
    between = Between(peers, client, 3 - client, certificates=certificates, front={
        "tls": {"certificates": str(folder / "site.pem")}})
    between.echoes(b"before")
    shutil.copy(fresh.both, folder / "new.pem")
    (folder / "new.pem").rename(folder / "site.pem")

    def shown():
        with Raw(between.gateway.address(), tls=client_context(certificates.ca)) as other:
            return other.sock.getpeercert(True)
    eventually(lambda: shown() == fresh.der, "the new certificate")
    between.echoes(os.urandom(70_000))
    between.close()


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


# --- a backend that chose HTTP/2 by ALPN ---------------------------------------------------------
class Chooser:
    """A backend of TLS that speaks what ALPN chose, and a gateway in front. `alerts`: what its
    handshakes are ended with, in their order."""

    def __init__(self, peers, certificates, alerts=(), settings=None, alpn=("h2", "http/1.1"),
                 **service):
        self.frames = Frames(ws.echo)
        alerts = iter(alerts)
        context = tls.server_context(certificates.server, alpn=alpn)
        context.sni_callback = lambda *_: next(alerts, None)
        play = script(self.frames)
        self.backend = peers.http2_backend(
            lambda stream: play(stream) if stream.method == "CONNECT" else saying(200)(stream),
            settings=settings, tls=context, http1=self.answer)
        self.gateway = peers.gateway(config.proxy(
            self.backend, service={**certificates.service(), **service}))

    def answer(self, connection):
        if self.refuses:
            while connection.recv_request():
                connection.send(raw.response(403))
        else:
            self.frames(connection)

    refuses = False

    def spoken(self):
        return ["h2" if hasattr(c, "http2") else "http/1.1" for c in self.backend.connections
                if not isinstance(c.error, ssl.SSLError)]

    def open_connections(self):
        return self.gateway.metrics().sum("doorward_service_connections_open", service="app")


def echoes(client):
    client.send(frame(TEXT, b"hello"))
    return ws.read_frame(client.stream) == (TEXT, b"hello")


@pytest.mark.parametrize("first", ["get", "upgrade"])
def test_an_upgrade_gets_a_connection_of_http_1_1_where_others_share(peers, certificates, first):
    chooser = Chooser(peers, certificates)
    client = peers.client(chooser.gateway)
    if first == "get":
        assert client.get("/").status == 200
    socket = ws.opened(peers, chooser.gateway)
    assert echoes(socket)
    for _ in range(2):
        assert client.get("/").status == 200
    assert sorted(chooser.spoken()) == ["h2", "http/1.1"]
    assert chooser.open_connections() == 2
    socket.send(close_frame(1000))
    assert ws.read_close(socket.stream) == 1000
    socket.close()
    eventually(lambda: chooser.open_connections() == 1, "the end of the tunnel's connection")
    assert client.get("/").status == 200
    assert len(chooser.spoken()) == 2


def test_a_client_of_http_2_gets_there_too(peers, certificates):
    chooser = Chooser(peers, certificates)
    socket = Http2Socket(peers.http2(chooser.gateway))
    assert socket.answer.status == 200 and echoes(socket)
    assert chooser.spoken() == ["http/1.1"]


def test_a_connection_of_an_upgrade_that_was_refused_is_not_used_again(peers, certificates):
    chooser = Chooser(peers, certificates)
    chooser.refuses = True
    for _ in range(2):
        assert peers.client(chooser.gateway).get("/socket", *ws.ASKED).status == 403
    assert peers.client(chooser.gateway).get("/").status == 200
    assert chooser.spoken() == ["http/1.1", "http/1.1", "h2"]
    eventually(lambda: chooser.open_connections() == 1, "the end of the others")


def test_an_upgrade_waits_for_room_and_keeps_nobody_from_sharing(peers, certificates):
    chooser = Chooser(peers, certificates, pool={
        "max_connections": 1, "idle_timeout": "1s", "queue": {"timeout": "20s"}})
    client = peers.client(chooser.gateway)
    assert client.get("/").status == 200
    waiting = peers.client(chooser.gateway)
    waiting.send(raw.request("/socket", *ws.ASKED))
    eventually(lambda: chooser.gateway.metrics().sum("doorward_service_waiting") == 1, "the queue")
    assert client.get("/").status == 200
    assert waiting.recv_head().status == 101  # when the shared one was idle for long enough
    assert chooser.spoken() == ["h2", "http/1.1"]


NO_APPLICATION_PROTOCOL = 120


@pytest.mark.parametrize("takes", [True, False])
def test_a_backend_that_refuses_http_1_1_is_asked_by_extended_connect(peers, certificates, takes):
    chooser = Chooser(peers, certificates, alerts=[NO_APPLICATION_PROTOCOL],
                      settings=TAKES_WEBSOCKETS if takes else None)
    for _ in range(2):
        if takes:
            assert echoes(ws.opened(peers, chooser.gateway))
        else:
            assert_problem(peers.client(chooser.gateway).get("/socket", *ws.ASKED), 502,
                           "backend_no_websocket")
    assert chooser.spoken() == ["h2"]
    assert not chooser.gateway.events("backend_tls_failed")
    assert peers.client(chooser.gateway).get("/").status == 200


def test_another_upgrade_goes_by_http_1_1_too(peers, certificates):
    chooser = Chooser(peers, certificates)
    chooser.refuses = True
    answer = peers.client(chooser.gateway).get("/", "Connection: upgrade", "Upgrade: other/1")
    assert answer.status == 403 and chooser.spoken() == ["http/1.1"]


def test_where_only_http_2_is_spoken_another_upgrade_is_a_502(peers, certificates):
    chooser = Chooser(peers, certificates, settings=TAKES_WEBSOCKETS, protocol="http2")
    answer = peers.client(chooser.gateway).get("/", "Connection: upgrade", "Upgrade: other/1")
    problem = assert_problem(answer, 502, "backend_no_upgrade")
    assert "WebSocket" in problem["detail"]
    assert echoes(ws.opened(peers, chooser.gateway)) and chooser.spoken() == ["h2"]
