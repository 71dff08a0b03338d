"""A WebSocket ends with the client certificate that let it in (policy `client_certificate`): both
sides are told why, and neither earlier nor for anybody else."""
import datetime

import pytest

from harness import config
from harness import websocket as ws
from harness.certificates import now
from harness.tls import client_context
from harness.websocket import TEXT, Frames, close_frame, frame
from harness.websocket_http2 import TAKES_WEBSOCKETS, Http2Socket, script

# A certificate's end is a whole second: two to three are left of it.
SOON = datetime.timedelta(seconds=3)
CLIENTS = pytest.mark.parametrize("http", [1, 2], ids=["http1", "http2"])
BACKENDS = pytest.mark.parametrize("behind", [1, 2], ids=["to-http1", "to-http2"])


class Site:
    """A gateway that asks for certificates, with a backend of WebSockets that echo; below /shadow
    the policy only looks on. `scripts`: of what each of them was told, in their order."""

    def __init__(self, peers, certificates, behind=1, **settings):
        self.peers, self.certificates, self.scripts = peers, certificates, []
        backend = (peers.http2_backend(self._play, settings=TAKES_WEBSOCKETS) if behind == 2
                   else peers.backend(self._play))
        policy = {"client_certificate": settings}
        self.settings = config.proxy(
            backend, policies=[policy], service={"protocol": f"http{behind}"},
            listener=certificates.listener(client_certificates={"mode": "optional",
                                                                "ca": certificates.ca}))
        self.settings["routes"].append({
            "name": "shadow", "match": {"path": "/shadow"}, "service": "app",
            "policies": [{"client_certificate": {**settings, "mode": "shadow"}}]})
        self.behind = behind
        self.gateway = peers.gateway(self.settings)

    def _play(self, stream):
        frames = Frames(ws.echo)
        self.scripts.append(frames)
        (script(frames) if self.behind == 2 else frames)(stream)

    def short_lived(self):
        return self.certificates.authority.issue("soon.example", usage="client", end=SOON)

    def connection(self, certificate, http):
        context = client_context(certificate=certificate, alpn=["h2" if http == 2 else "http/1.1"])
        return (self.peers.http2 if http == 2 else self.peers.client)(self.gateway, tls=context)

    def opened(self, connection, path="/socket"):
        """Over HTTP/1.1 it is the connection's last request."""
        if hasattr(connection, "h2"):
            socket = Http2Socket(connection, path=path)
            assert socket.answer.status == 200
        else:
            socket = connection
            assert socket.get(path, *ws.ASKED).status == 101
        echoes(socket)
        return socket


def echoes(socket):
    socket.send(frame(TEXT, b"hello"))
    assert ws.read_frame(socket.stream) == (TEXT, b"hello")


def assert_ended(socket, certificate):
    assert ws.read_frame(socket.stream) == (
        ws.CLOSE, b"\x03\xf0" + b"the client certificate has expired")
    assert now() >= certificate.content.not_valid_after.replace(tzinfo=datetime.timezone.utc)
    socket.send(close_frame(1008))
    assert socket.at_end()


@CLIENTS
@BACKENDS
def test_a_websocket_ends_when_its_clients_certificate_does(peers, certificates, http, behind):
    site = Site(peers, certificates, behind)
    certificate = site.short_lived()
    socket = site.opened(site.connection(certificate, http))
    assert_ended(socket, certificate)
    assert site.scripts[0].close_code == 1008
    line = site.gateway.wait_access_log()[0]
    assert line["error"] == "websocket_credential_expired", line
    assert line["status"] == (200 if http == 2 else 101), line


@CLIENTS
def test_others_and_those_whom_a_shadow_let_in_stay(peers, certificates, http):
    site = Site(peers, certificates)
    certificate = site.short_lived()
    ends = site.opened(site.connection(certificate, http))
    stay = [site.opened(site.connection(certificate, http), "/shadow"),
            site.opened(site.connection(certificates.client, http))]
    assert_ended(ends, certificate)
    for socket in stay:
        echoes(socket)
        socket.send(close_frame(1000))
        assert ws.read_close(socket.stream) == 1000
        if http == 2:
            socket.half_close()
        else:
            socket.close()
    lines = site.gateway.wait_access_log(3)
    assert [line.get("error") for line in lines].count("websocket_credential_expired") == 1


def test_the_streams_of_a_connection_end_each_for_itself(peers, certificates):
    """One is over before its time, two end at the same moment, and none is opened behind it."""
    site = Site(peers, certificates)
    certificate = site.short_lived()
    connection = site.connection(certificate, 2)
    done, *left = [site.opened(connection) for _ in range(3)]
    done.send(close_frame(1000))
    assert ws.read_close(done.stream) == 1000
    done.half_close()
    assert site.scripts[0].close_code == 1000
    for socket in left:
        assert_ended(socket, certificate)
    late = connection.ask("/")
    assert late.json()["code"] == "client_certificate_expired"
    assert [s.close_code for s in site.scripts] == [1000, 1008, 1008]


@CLIENTS
def test_the_end_holds_through_a_reload_that_takes_the_policy_away(peers, certificates, http):
    site = Site(peers, certificates)
    certificate = site.short_lived()
    socket = site.opened(site.connection(certificate, http))
    settings = {**site.settings, "routes": [{"name": "all", "service": "app"}]}
    site.gateway.reload(settings)
    assert_ended(socket, certificate)
