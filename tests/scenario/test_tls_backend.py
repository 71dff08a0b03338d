"""TLS towards backends: whom Doorward believes, what it asks for and shows, and what it says when
there is no trust."""
import contextlib
import os
import ssl
import time

import pytest

from harness import config, raw, tls, wire
from harness.backend import answering
from harness.http2_backend import saying
from harness.raw import assert_problem
from harness.waiting import eventually

OK = answering(raw.response(200, body=b"ok"))


def fronted(peers, backend, **service):
    return peers.gateway(config.proxy(backend, service=service))


def secret_backend(peers, certificate, script=OK, **options):
    """(backend, context)"""
    context = tls.server_context(certificate, **options)
    return peers.backend(script, tls=context), context


def assert_failed(peers, gateway, reason):
    answer = peers.client(gateway).get("/")
    problem = assert_problem(answer, 502, "backend_tls_failed")
    event = gateway.wait_event("backend_tls_failed")
    assert event["reason"] == reason, (event, problem)
    assert event["service"] == "app"
    failures = gateway.metrics().sum("doorward_service_tls_failures_total", service="app",
                                     reason=reason)
    assert failures >= 1
    line = gateway.wait_access_log()[0]
    assert line["error"] == "backend_tls_failed", line
    return problem


def test_a_verified_backend_is_asked(peers, certificates):
    backend, _ = secret_backend(peers, certificates.server)
    gateway = fronted(peers, backend, **certificates.service())
    client = peers.client(gateway)
    for _ in range(2):
        assert client.get("/").body == b"ok"
    assert len(backend.connections) == 1
    assert not gateway.events("backend_tls_failed")


def test_a_backend_by_name_is_asked_for_that_name(peers, certificates):
    backend, context = secret_backend(peers, certificates.server)
    gateway = fronted(peers, f"https://localhost:{backend.port}", **certificates.service())
    assert peers.client(gateway).get("/").body == b"ok"
    assert context.names == ["localhost"]


def test_an_address_is_no_name_to_ask_for(peers, certificates):
    """RFC 6066 §3"""
    backend, context = secret_backend(peers, certificates.server)
    gateway = fronted(peers, f"https://127.0.0.1:{backend.port}", **certificates.service())
    assert peers.client(gateway).get("/").body == b"ok"
    assert context.names == [None]


def test_the_name_asked_for_can_be_chosen(peers, certificates):
    backend, context = secret_backend(peers, certificates.server)
    gateway = fronted(peers, backend, **certificates.service(sni="inner.example"))
    assert peers.client(gateway).get("/").body == b"ok"
    assert context.names == ["inner.example"]


def test_the_name_in_the_certificate_can_be_chosen(peers, certificates):
    inner = certificates.authority.issue("inner.example", usage="server")
    backend, _ = secret_backend(peers, inner)
    gateway = fronted(peers, backend, **certificates.service(name="inner.example"))
    assert peers.client(gateway).get("/").body == b"ok"


@pytest.mark.parametrize("fault,reason", [
    ("stranger", "tls_unknown_ca"), ("expired", "tls_certificate_expired"),
    ("name", "tls_name_mismatch"), ("purpose", "tls_certificate_purpose"),
    ("pinned", "tls_name_mismatch")])
def test_a_certificate_that_proves_nothing_is_a_502(peers, certificates, fault, reason):
    local = ("localhost", "127.0.0.1")
    authority = certificates.authority
    shown = {"stranger": lambda: certificates.stranger.issue(*local),
             "expired": lambda: authority.expired(*local),
             "name": lambda: authority.issue("other.example", "127.0.0.2"),
             "purpose": lambda: authority.issue(*local, usage="client"),
             "pinned": lambda: certificates.server}[fault]()
    backend, _ = secret_backend(peers, shown)
    pinned = {"name": "pinned.example"} if fault == "pinned" else {}
    gateway = fronted(peers, backend, **certificates.service(**pinned))
    problem = assert_failed(peers, gateway, reason)
    assert "certificate" in problem["detail"]
    assert not backend.requests


def test_verification_may_be_switched_off(peers, certificates):
    backend, _ = secret_backend(peers, certificates.stranger.expired("nobody.example"))
    gateway = fronted(peers, backend, tls={"verify": False})
    assert peers.client(gateway).get("/").body == b"ok"


def test_without_a_ca_the_systems_roots_are_believed(peers, certificates):
    backend, _ = secret_backend(peers, certificates.server)
    assert_failed(peers, fronted(peers, backend), "tls_unknown_ca")


def test_a_backend_in_cleartext_behind_https_is_a_502(peers, certificates):
    backend = peers.backend(lambda connection: connection.send(
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").at_end())
    gateway = fronted(peers, backend.url.replace("http:", "https:"), **certificates.service())
    assert_failed(peers, gateway, "tls_plain_http")


def test_a_backend_that_closes_in_the_handshake_is_a_502(peers, certificates):
    backend = peers.backend(lambda connection: connection.stream.fill())
    gateway = fronted(peers, backend.url.replace("http:", "https:"), **certificates.service())
    assert_failed(peers, gateway, "tls_closed_in_handshake")


def test_a_backend_that_is_silent_in_the_handshake_takes_the_time_to_connect(peers, certificates):
    backend = peers.backend(lambda connection: connection.at_end())
    gateway = fronted(peers, backend.url.replace("http:", "https:"),
                      timeouts={"connect": "200ms"}, **certificates.service())
    answer = peers.client(gateway).get("/")
    assert answer.status in (502, 504)
    assert answer.json()["code"] in ("backend_tls_failed", "connect_timeout")


def test_doorward_shows_its_certificate_where_one_is_wanted(peers, certificates):
    backend, _ = secret_backend(peers, certificates.server, ca=certificates.ca)
    gateway = fronted(peers, backend, **certificates.service(
        certificate=str(certificates.client.certificate), key=str(certificates.client.key)))
    assert peers.client(gateway).get("/").body == b"ok"
    subject = dict(pair[0] for pair in backend.connections[0].sock.getpeercert()["subject"])
    assert subject["commonName"] == "app-1"


@pytest.mark.parametrize("only", ["1.2", "1.3"])
def test_a_backend_that_wants_a_certificate_in_vain_is_a_502(peers, certificates, only):
    """With TLS 1.3 the refusal comes when the request may be on its way."""
    backend, _ = secret_backend(peers, certificates.server, ca=certificates.ca, only=only)
    gateway = fronted(peers, backend, **certificates.service())
    problem = assert_failed(peers, gateway, "tls_peer_alert")
    assert problem["detail"].startswith("tls_peer_alert: ")
    wanted = "certificate required" if only == "1.3" else "handshake failure"
    assert wanted in gateway.events("backend_tls_failed")[0]["detail"]
    assert gateway.metrics().sum("doorward_service_tls_failures_total") == 1
    assert isinstance(eventually(lambda: backend.connections[0].error, "the refusal"), ssl.SSLError)


@pytest.mark.parametrize("only", ["1.2", "1.3"])
@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
def test_a_backend_that_refuses_doorwards_certificate_is_a_502(peers, certificates, alpn, only):
    """Over HTTP/2 too, where the connection is shared and the streams fail with it."""
    context = tls.server_context(certificates.server, ca=certificates.ca, only=only, alpn=[alpn])
    backend = (peers.http2_backend(saying(200), tls=context) if alpn == "h2" else
               peers.backend(OK, tls=context))
    wrong = certificates.stranger.issue("wrong.example", usage="client")
    gateway = fronted(peers, backend, protocol="auto", **certificates.service(
        certificate=str(wrong.certificate), key=str(wrong.key)))
    assert_failed(peers, gateway, "tls_peer_alert")
    assert "unknown CA" in gateway.events("backend_tls_failed")[0]["detail"]
    assert gateway.metrics().sum("doorward_service_tls_failures_total") == 1
    for broken in gateway.events("backend_http2_broken"):
        assert "unknown CA" in broken["detail"]


@pytest.mark.parametrize("only", ["1.2", "1.3"])
@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
def test_another_endpoint_is_asked_where_one_wants_a_certificate(peers, certificates, alpn, only):
    """It has looked at nothing of the request, so that even a POST may go elsewhere."""
    def context(**options):
        return tls.server_context(certificates.server, only=only, alpn=[alpn], **options)

    def backend(secured):
        return (peers.http2_backend(saying(200, body=b"ok"), tls=secured) if alpn == "h2" else
                peers.backend(OK, tls=secured))
    strict, open_to_all = backend(context(ca=certificates.ca)), backend(context())
    gateway = peers.gateway(config.proxy([strict, open_to_all], service={
        "protocol": "auto", **certificates.service()}))
    client = peers.client(gateway)
    for _ in range(4):
        assert client.request(raw.request("/", method="POST", body=b"once")).body == b"ok"
    assert gateway.wait_event("backend_tls_failed")["reason"] == "tls_peer_alert"
    assert gateway.metrics().sum("doorward_service_retries_total") >= 1


def test_an_endpoint_that_refuses_after_the_handshake_is_left_alone_for_longer_each_time(
        peers, certificates):
    """With TLS 1.3 every handshake succeeds, which says nothing then."""
    def context(**options):
        return tls.server_context(certificates.server, only="1.3", **options)
    strict = peers.backend(OK, tls=context(ca=certificates.ca))
    open_to_all = peers.backend(OK, tls=context())
    gateway = peers.gateway(config.proxy([strict, open_to_all], service=certificates.service()))
    client = peers.client(gateway)
    refused = []  # when

    def ask_until_refused():
        assert client.get("/").body == b"ok"
        count = gateway.metrics().sum("doorward_service_connect_failures_total", service="app")
        if count == len(refused):
            return False
        assert count == len(refused) + 1
        refused.append(time.monotonic())
        return True
    for _ in range(3):
        eventually(ask_until_refused, "another refusal")
    # An attempt is told within moments, and the endpoint is tried again as soon as it may be.
    assert refused[1] - refused[0] > 0.8
    assert refused[2] - refused[1] > 1.6


@pytest.mark.parametrize("kind", ["http1", "http2"])
def test_a_backend_that_breaks_tls_in_its_answer_is_told(peers, certificates, kind):
    """A record that does not decrypt, in the middle of an answer."""
    garbage = b"\x17\x03\x03\x00\x20" + bytes(32)

    def script(connection):
        connection.recv_request()
        os.write(connection.sock.fileno(), garbage)
        with contextlib.suppress(ssl.SSLError):  # the alert, when it comes before the end
            connection.at_end()
    if kind == "http2":
        context = tls.server_context(certificates.server, alpn=["h2"])
        backend = peers.http2_backend(
            lambda stream: os.write(stream.connection.io.sock.fileno(), garbage), tls=context)
    else:
        backend, _ = secret_backend(peers, certificates.server, script)
    gateway = fronted(peers, backend, protocol="auto", **certificates.service())
    assert_failed(peers, gateway, "tls_bad_record")


@pytest.mark.parametrize("only", ["1.2", "1.3"])
def test_both_versions_are_spoken_and_sessions_resumed(peers, certificates, only):
    reused = []

    def script(connection):
        reused.append(connection.sock.session_reused)
        if connection.recv_request():
            connection.send(raw.response(200, "Connection: close", body=b"ok"))
    backend, _ = secret_backend(peers, certificates.server, script, only=only)
    gateway = fronted(peers, backend, **certificates.service())
    for _ in range(3):
        assert peers.client(gateway).get("/").body == b"ok"
    assert reused == [False, True, True]


@pytest.mark.parametrize("protocol,offered", [
    ("auto", {"h2", "http/1.1"}), ("http1", {"http/1.1"}), ("http2", {"h2"})])
def test_the_protocol_is_offered_by_alpn(peers, certificates, protocol, offered):
    """A backend of each kind is asked in what it has chosen; what has chosen nothing is asked with
    HTTP/1.1, unless only HTTP/2 will do."""
    for alpn in ("h2", "http/1.1"):
        context = tls.server_context(certificates.server, alpn=[alpn])
        chosen = alpn if alpn in offered else None
        backend = (peers.http2_backend(saying(200, body=b"ok"), tls=context) if chosen == "h2" else
                   peers.backend(OK, tls=context))
        gateway = fronted(peers, backend, protocol=protocol, **certificates.service())
        answer = peers.client(gateway).get("/")
        if chosen is None and protocol == "http2":
            assert answer.status == 502
        else:
            assert answer.body == b"ok"
            assert backend.connections[0].sock.selected_alpn_protocol() == chosen


def test_a_backend_without_alpn_is_asked_with_http_1_1(peers, certificates):
    backend, _ = secret_backend(peers, certificates.server)
    gateway = fronted(peers, backend, protocol="auto", **certificates.service())
    assert peers.client(gateway).get("/").body == b"ok"


def test_a_changed_authority_holds_for_new_connections(peers, certificates):
    """The configuration's text is the same; the file it names is not."""
    authority = peers.folder / "authority.pem"
    authority.write_bytes(certificates.stranger.pem)
    backend, _ = secret_backend(peers, certificates.server)
    gateway = fronted(peers, backend, tls={"ca": str(authority)})
    client = peers.client(gateway)
    assert client.get("/").status == 502
    authority.write_bytes(certificates.authority.pem)
    gateway.reload()
    assert client.get("/").body == b"ok"


def test_a_backend_that_ends_tls_out_of_order_is_not_believed_to_have_finished(peers,
                                                                                certificates):
    """An answer that ends with the connection could have been cut by anybody (RFC 9112 §9.8)."""
    def script(connection):
        connection.recv_request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\npart")
    backend, _ = secret_backend(peers, certificates.server, script)
    client = peers.client(fronted(peers, backend, **certificates.service()))
    client.send(raw.request("/"))
    assert client.recv_head().status == 200
    with pytest.raises((wire.Closed, ConnectionResetError)):
        client.recv_exactly(1000)
