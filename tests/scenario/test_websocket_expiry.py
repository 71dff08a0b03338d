"""A WebSocket ends with the client certificate that let it in, whoever asked for it (the policy
`client_certificate`, the listener, the route), when that expires or a renewed list revokes it: both
sides are told why, and neither earlier nor for anybody else."""
import datetime
import socket
import ssl

import pytest

from harness import config
from harness import websocket as ws
from harness.certificates import Authority, now
from harness.raw import assert_problem
from harness.tls import client_context
from harness.waiting import DEADLINE, eventually
from harness.websocket import TEXT, Frames, close_frame, frame
from harness.websocket_http2 import TAKES_WEBSOCKETS, Http2Socket, script

# A certificate's end is a whole second: two to three are left of it.
SOON = datetime.timedelta(seconds=3)
CLIENTS = pytest.mark.parametrize("http", [1, 2], ids=["http1", "http2"])
ASKS = pytest.mark.parametrize("asks", ["policy", "listener", "route"])
BACKENDS = pytest.mark.parametrize("behind", [1, 2], ids=["to-http1", "to-http2"])


class Site:
    """A gateway where a policy, the listener or the route (`asks`) wants a certificate, with a
    backend of WebSockets that echo; below /shadow the policy only looks on. `scripts`: of what each
    of them was told, in their order."""

    def __init__(self, peers, certificates, behind=1, asks="policy", workers=1, **settings):
        self.peers, self.certificates, self.scripts = peers, certificates, []
        backend = (peers.http2_backend(self._play, settings=TAKES_WEBSOCKETS) if behind == 2
                   else peers.backend(self._play))
        self.list = peers.folder / "clients.crl"
        self.list.write_bytes(certificates.authority.revocation_list().read_bytes())
        self.settings = config.proxy(
            backend, policies=[{"client_certificate": settings}] if asks == "policy" else [],
            route={"match": {"tls": {"client_certificate": True}}} if asks == "route" else {},
            service={"protocol": f"http{behind}"},
            listener=certificates.listener(client_certificates={
                "mode": "required" if asks == "listener" else "optional",
                "ca": certificates.ca, "crl": str(self.list)}))
        self.settings["routes"].append({
            "name": "shadow", "match": {"path": "/shadow"}, "service": "app",
            "policies": [{"client_certificate": {**settings, "mode": "shadow"}}]})
        self.settings["routes"].append({"name": "page", "match": {"path": "/page"},
                                        "respond": {"body": "page"}})
        self.behind = behind
        self.gateway = peers.gateway(self.settings, workers=workers)

    def _play(self, stream):
        frames = Frames(ws.echo)
        self.scripts.append(frames)
        (script(frames) if self.behind == 2 else frames)(stream)

    def short_lived(self):
        return self.certificates.authority.issue("soon.example", usage="client", end=SOON)

    def revoke(self, *certificates):
        """A new list with these, and the file's watch or a signal to have it read."""
        self.use_lists(self.certificates.authority.revocation_list(*certificates))

    def use_lists(self, *lists):
        self.list.write_bytes(b"".join(one.read_bytes() for one in lists))
        self.gateway.reload()

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
@ASKS
def test_a_websocket_ends_when_its_clients_certificate_does(peers, certificates, http, behind,
                                                            asks):
    site = Site(peers, certificates, behind, asks)
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
    assert_problem(connection.get("/"), 403, "client_certificate_expired")
    assert [s.close_code for s in site.scripts] == [1000, 1008, 1008]


@CLIENTS
def test_the_end_holds_through_a_reload_that_takes_the_policy_away(peers, certificates, http):
    site = Site(peers, certificates)
    certificate = site.short_lived()
    socket = site.opened(site.connection(certificate, http))
    settings = {**site.settings, "routes": [{"name": "all", "service": "app"}]}
    site.gateway.reload(settings)
    assert_ended(socket, certificate)


def assert_revoked(socket):
    assert ws.read_frame(socket.stream) == (
        ws.CLOSE, b"\x03\xf0" + b"the client certificate was revoked")
    socket.send(close_frame(1008))
    assert socket.at_end()


@CLIENTS
@BACKENDS
@ASKS
def test_a_websocket_ends_when_a_new_list_revokes_its_clients_certificate(
        peers, certificates, http, behind, asks):
    site = Site(peers, certificates, behind, asks)
    before, leaving = (certificates.authority.issue(f"{name}.example", usage="client")
                       for name in ("before", "leaving"))
    site.revoke(before)
    socket = site.opened(site.connection(leaving, http))
    other = site.opened(site.connection(certificates.client, http))
    site.revoke(before, leaving)
    assert_revoked(socket)
    assert site.scripts[0].close_code == 1008
    line = site.gateway.wait_access_log()[0]
    assert line["error"] == "websocket_credential_revoked", line
    echoes(other)
    site.revoke(before, leaving)
    echoes(other)


@ASKS
def test_a_revoked_certificate_is_good_for_no_further_request(peers, certificates, asks):
    """On connections that were opened before: they are given up, and others not let in."""
    site = Site(peers, certificates, asks=asks)
    leaving = certificates.authority.issue("leaving.example", usage="client")
    kept = [site.connection(leaving, 1), site.connection(leaving, 2),
            site.connection(certificates.client, 2)]
    for connection in kept:
        assert connection.get("/page").status == 200
    site.revoke(leaving)
    for connection in kept[:2]:
        assert_problem(connection.get("/shadow"), 403, "client_certificate_revoked")
        assert connection.at_end()
    assert kept[2].get("/page").status == 200
    assert not site.scripts
    event = site.gateway.events("certificates_revoked")[-1]
    assert (event["listener"], event["certificates"]) == ("web", 1)


def test_a_revocation_reaches_the_websockets_of_all_cores(peers, certificates):
    site = Site(peers, certificates, asks="listener", workers=3)
    leaving = certificates.authority.issue("leaving.example", usage="client")
    sockets = [site.opened(site.connection(leaving, http)) for http in [1, 2] * 8]
    site.revoke(leaving)
    for socket in sockets:
        assert_revoked(socket)


@CLIENTS
def test_a_revoked_ca_takes_with_it_what_it_vouches_for(peers, certificates, http):
    root = certificates.authority
    issuing = Authority(certificates.folder, f"Issuing {peers.folder.name}", issuer=root)
    low = issuing.issue("low.example", common_name="low", usage="client")
    site = Site(peers, certificates, asks="listener")
    site.use_lists(issuing.revocation_list(), root.revocation_list())
    socket = site.opened(site.connection(low, http))
    kept = site.connection(low, http)
    assert kept.get("/page").status == 200
    other = site.opened(site.connection(certificates.client, http))
    site.use_lists(issuing.revocation_list(), root.revocation_list(issuing))
    assert_revoked(socket)
    assert_problem(kept.get("/page"), 403, "client_certificate_revoked")
    echoes(other)


class SlowClient:
    """A TLS client that begins, and goes on when it is told to."""

    def __init__(self, gateway, certificate):
        host, port = gateway.address().split(":")
        self.sock = socket.create_connection((host, int(port)), timeout=DEADLINE)
        self.heard, self.said = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = client_context(certificate=certificate).wrap_bio(self.heard, self.said)
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.do_handshake()
        self.sock.sendall(self.said.read())
        eventually(lambda: gateway.metrics().sum("doorward_connections_open") == 1, "the beginning")

    def go_on(self, operation):
        while True:
            try:
                return operation()
            except ssl.SSLWantReadError:
                self.sock.sendall(self.said.read())
                piece = self.sock.recv(1 << 16)
                self.heard.write(piece) if piece else self.heard.write_eof()
            except ssl.SSLEOFError:
                return b""

    def get(self, path):
        self.go_on(self.tls.do_handshake)
        self.tls.write(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        try:
            return self.go_on(lambda: self.tls.read(1000))
        except (ssl.SSLZeroReturnError, ConnectionError):
            return b""
        finally:
            self.sock.close()


@pytest.mark.parametrize("revoked", [False, True])
def test_a_list_that_comes_during_a_handshake_ends_only_whom_it_names(peers, certificates, revoked):
    site = Site(peers, certificates, asks="listener")
    own, another = (certificates.authority.issue(f"{name}.example", usage="client")
                    for name in ("own", "another"))
    client = SlowClient(site.gateway, own)
    site.revoke(own if revoked else another)
    assert client.get("/page")[:12] == (b"" if revoked else b"HTTP/1.1 200")


def test_a_list_that_a_reload_brings_revokes_too(peers, certificates):
    site = Site(peers, certificates)
    leaving = certificates.authority.issue("leaving.example", usage="client")
    clients = site.settings["listeners"][0]["tls"]["client_certificates"]
    with_list = dict(clients)
    del clients["crl"]
    site.gateway.reload(site.settings)
    socket = site.opened(site.connection(leaving, 1))
    site.list.write_bytes(certificates.authority.revocation_list(leaving).read_bytes())
    clients.update(with_list)
    site.gateway.reload(site.settings)
    assert_revoked(socket)


def test_who_was_let_in_for_another_reason_stays_but_asks_no_more(peers, certificates):
    """Behind /shadow nobody asked for the certificate."""
    site = Site(peers, certificates)
    leaving = certificates.authority.issue("leaving.example", usage="client")
    connection = site.connection(leaving, 2)
    socket = site.opened(connection, "/shadow")
    site.revoke(leaving)
    assert_problem(connection.get("/shadow"), 403, "client_certificate_revoked")
    echoes(socket)


@pytest.mark.parametrize("asks", ["listener", "route"])
@CLIENTS
def test_an_expired_certificate_is_good_for_no_further_request(peers, certificates, http, asks):
    site = Site(peers, certificates, asks=asks)
    certificate = site.short_lived()
    connection = site.connection(certificate, http)
    answer = eventually(lambda: refused(connection), "the certificate's end")
    assert now() >= certificate.content.not_valid_after.replace(tzinfo=datetime.timezone.utc)
    assert_problem(answer, 403, "client_certificate_expired")
    assert connection.at_end()


def refused(connection):
    answer = connection.get("/page")
    return answer if answer.status == 403 else None
