"""TLS towards clients: certificates by name, versions, ALPN, resumption; what handshakes that fail
leave behind."""
import os
import ssl

import pytest

from harness import config
from harness.clients import s_client
from harness.either import Talk1, Talk2
from harness.origin import Told
from harness.raw import Raw, assert_problem, request
from harness.tls import client_context
from harness.waiting import eventually

FACTS = [{"headers": {"request": {"set": {
    "x-sni": "{tls.sni}", "x-version": "{tls.version}", "x-scheme": "{request.scheme}"}}}}]


def secured(peers, certificates, *served, listener=None, **settings):
    """A gateway whose only listener speaks TLS."""
    return peers.gateway(config.proxy(peers.origin(), policies=FACTS, listener={
        **certificates.listener(*served, **settings), **(listener or {})}))


def shown(gateway, sni, **options):
    """The DER of the certificate that a client is shown who asks for `sni`."""
    with Raw(gateway.address(), tls=client_context(**options), sni=sni) as client:
        return client.sock.getpeercert(True)


def failures(gateway, reason):
    """Waits for a failed handshake of this reason; its event."""
    eventually(lambda: gateway.metrics().sum("doorward_tls_handshake_failures_total",
                                             reason=reason) >= 1, f"a failure: {reason}")
    return eventually(lambda: [event for event in gateway.events("tls_handshake_failed")
                               if event["reason"] == reason], f"an event: {reason}")[-1]


@pytest.fixture(scope="module")
def shared(module_peers, certificates):
    """Several names, both kinds of key for one of them."""
    issue = certificates.authority.issue
    named = {"exact": issue("shop.example.com"), "wildcard": issue("*.example.com"),
             "default": certificates.server, "rsa": certificates.rsa}
    gateway = secured(module_peers, certificates, named["default"], named["rsa"], named["exact"],
                      named["wildcard"])
    return gateway, named


@pytest.mark.parametrize("sni,expected", [
    ("shop.example.com", "exact"), ("SHOP.example.COM", "exact"), ("a.example.com", "wildcard"),
    ("a.b.example.com", "default"), ("example.com", "default"), ("other.test", "default"),
    (None, "default")])
def test_the_certificate_is_chosen_by_the_name_asked_for(shared, sni, expected):
    gateway, named = shared
    assert shown(gateway, sni) == named[expected].der


def test_a_name_that_nobody_has_is_refused_when_sni_is_strict(peers, certificates):
    gateway = secured(peers, certificates, strict_sni=True)
    assert shown(gateway, "example.com") == certificates.server.der
    with pytest.raises(ssl.SSLError, match="(?i)unrecognized.name"):
        shown(gateway, "other.test")
    failures(gateway, "tls_unknown_name")


@pytest.mark.parametrize("ciphers,expected", [("ECDHE+aECDSA", "default"), ("ECDHE+aRSA", "rsa")])
def test_the_kind_of_key_is_one_that_the_client_can_verify(shared, ciphers, expected):
    gateway, named = shared
    assert shown(gateway, "example.com", only="1.2", ciphers=ciphers) == named[expected].der


@pytest.mark.parametrize("only", ["1.2", "1.3"])
def test_both_versions_are_spoken_and_told(shared, certificates, only):
    gateway, _ = shared
    context = client_context(certificates.ca, only=only)
    with Raw(gateway.address(), tls=context, sni="example.com") as client:
        told = Told(client.get("/"))
        assert client.sock.version() == told.get("x-version") == f"TLSv{only}"
    assert (told.get("x-sni"), told.get("x-scheme")) == ("example.com", "https")
    assert told.get("x-forwarded-proto") == "https"


def test_the_modern_profile_speaks_1_3_only(peers, certificates):
    gateway = secured(peers, certificates, profile="modern")
    assert shown(gateway, "example.com", only="1.3")
    with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
        shown(gateway, "example.com", only="1.2")
    failures(gateway, "tls_no_shared_version")


@pytest.mark.parametrize("offered,chosen", [
    (["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"),
    ([], None)])
def test_the_protocol_is_chosen_by_alpn(shared, offered, chosen):
    with Raw(shared[0].address(), tls=client_context(alpn=offered)) as client:
        assert client.sock.selected_alpn_protocol() == chosen


def test_a_protocol_that_nobody_speaks_is_refused(peers, certificates):
    gateway = secured(peers, certificates)
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        Raw(gateway.address(), tls=client_context(alpn=["spdy/3"]))
    failures(gateway, "tls_no_shared_alpn")


def test_http2_may_be_switched_off(peers, certificates):
    gateway = secured(peers, certificates, listener={"http2": {"enabled": False}})
    with Raw(gateway.address(), tls=client_context(alpn=["h2", "http/1.1"])) as client:
        assert client.sock.selected_alpn_protocol() == "http/1.1"
        assert client.get("/").status == 200


@pytest.mark.parametrize("only", ["1.2", "1.3"])
def test_sessions_are_resumed_on_every_core(peers, certificates, only):
    gateway = peers.gateway(config.proxy(peers.origin(), listener=certificates.listener()),
                            workers=2)
    context = client_context(only=only)
    with Raw(gateway.address(), tls=context) as client:
        assert client.get("/").status == 200 and not client.sock.session_reused
        session = client.sock.session
    for _ in range(12):  # so that hardly any run leaves out a core
        with Raw(gateway.address(), tls=context, session=session) as client:
            assert client.get("/").status == 200 and client.sock.session_reused
    handshakes = gateway.metrics()
    assert handshakes.sum("doorward_tls_handshakes_total", kind="full") == 1
    assert handshakes.sum("doorward_tls_handshakes_total", kind="resumed", listener="web") == 12


def test_sessions_are_resumed_behind_a_reload(peers, certificates):
    settings = config.proxy(peers.origin(), listener=certificates.listener())
    gateway, context = peers.gateway(settings), client_context()

    def connect(session=None):
        with Raw(gateway.address(), tls=context, session=session) as client:
            assert client.get("/").status == 200
            return client.sock.session, client.sock.session_reused
    session, _ = connect()
    settings["routes"][0]["name"] = "another"
    gateway.reload(settings)
    assert connect(session)[1]


def test_session_tickets_may_be_switched_off(peers, certificates):
    gateway, context = secured(peers, certificates, session_tickets=False), client_context()
    for _ in range(2):
        with Raw(gateway.address(), tls=context) as client:
            assert client.get("/").status == 200 and not client.sock.session_reused
            session = client.sock.session
    with Raw(gateway.address(), tls=context, session=session) as client:
        assert not client.sock.session_reused


def test_plain_http_is_told_that_this_port_speaks_tls(peers, certificates):
    gateway = secured(peers, certificates)
    with Raw(gateway.address()) as client:
        answer = client.get("/")
        assert answer.status == 400 and answer.get("connection") == "close"
        problem = answer.json()
        assert problem["code"] == "tls_plain_http" and "https" in problem["detail"]
        assert problem["request_id"]
        assert client.at_end()
    failures(gateway, "tls_plain_http")


@pytest.mark.parametrize("garbage", [b"\x00" * 64, b"SSH-2.0-OpenSSH_9.2\r\n", b"\xff" * 64,
                                     b"\x16\x03\x01\x40\x01" + b"\x01" * 64])
def test_garbage_ends_the_connection(peers, certificates, garbage):
    gateway = secured(peers, certificates)
    with Raw(gateway.address()) as client:
        client.send(garbage).half_close()
        try:
            client.stream.to_end()
        except ConnectionResetError:
            pass
    event = gateway.wait_event("tls_handshake_failed")
    assert event["listener"] == "web" and event["client"] == "127.0.0.1"
    assert event["reason"].startswith("tls_") and event["detail"]
    assert shown(gateway, "example.com")


@pytest.mark.parametrize("begun", [b"", b"\x16\x03\x01\x00\xc8\x01"])
def test_a_handshake_has_its_time(peers, certificates, begun):
    gateway = secured(peers, certificates, handshake_timeout="100ms")
    with Raw(gateway.address()) as client:
        client.send(begun).stream.to_end()  # an alert may come
    failures(gateway, "tls_timeout")


def test_a_client_that_leaves_in_the_handshake_is_counted(peers, certificates):
    gateway = secured(peers, certificates)
    with Raw(gateway.address()) as client:
        client.send(b"\x16\x03\x01\x00\xc8\x01").half_close()
        client.at_end()
    failures(gateway, "tls_closed_in_handshake")


def test_a_client_that_does_not_believe_the_certificate_is_counted(peers, certificates):
    gateway = secured(peers, certificates)
    with pytest.raises(ssl.SSLCertVerificationError):
        Raw(gateway.address(), tls=client_context(str(certificates.stranger.path)))
    event = failures(gateway, "tls_peer_alert")
    assert "unknown ca" in event["detail"].lower()


def test_requests_in_many_small_records_are_understood(shared):
    with Raw(shared[0].address(), tls=client_context()) as client:
        client.send_split(request("/", method="POST", body=b"x" * 50))
        assert Told(client.recv_response()).body == "x" * 50


def test_a_connection_ends_with_close_notify(shared):
    """The client insists on it: without, the end of an answer could be forged."""
    with Raw(shared[0].address(), tls=client_context()) as client:
        assert client.get("/", "Connection: close").status == 200
        assert client.at_end()


def test_a_large_answer_is_whole_before_the_connection_ends(shared):
    with Raw(shared[0].address(), tls=client_context()) as client:
        client.send(request("/bytes/3000000", "Connection: close"))
        assert client.recv_response().body_length == 3000000
        assert client.at_end()


def test_refusals_over_tls_are_problems_too(shared):
    with Raw(shared[0].address(), tls=client_context()) as client:
        assert_problem(client.request(b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n"), 400,
                       "space_before_colon")


@pytest.mark.parametrize("words,expected", [
    (["-tls1_1"], "alert protocol version"), (["-tls1_3"], "TLSv1.3"),
    (["-tls1_2", "-cipher", "AES128-SHA"], "handshake failure"),
    (["-groups", "P-256"], "Server Temp Key: ECDH"), (["-groups", "P-521"], "handshake failure"),
    (["-tls1_2", "-no_ticket"], "Verify return code: 0")])
def test_openssl_sees_what_is_spoken(shared, certificates, words, expected):
    words = ["-cipher", "DEFAULT@SECLEVEL=0", *words] if words == ["-tls1_1"] else words
    assert expected in s_client(shared[0].address(), "-CAfile", certificates.ca,
                                "-servername", "example.com", *words)


def test_renegotiation_is_refused(shared):
    """In TLS 1.2, by a client that asks for it (R)."""
    said = s_client(shared[0].address(), "-tls1_2", stdin="R\n")
    assert "RENEGOTIATING" in said and "no renegotiation" in said


@pytest.mark.parametrize("sent", [0, 1000, 100_000])
def test_a_client_that_leaves_its_upload_is_no_failure_of_ours(peers, certificates, sent):
    """Without close_notify, as most do."""
    gateway = peers.gateway(config.proxy(peers.origin(), listener=certificates.listener()))
    client = peers.client(gateway, tls=client_context(certificates.ca, ["http/1.1"]))
    client.send(request("/", "Content-Length: 500000", method="POST") + b"x" * sent)
    client.close()
    line = gateway.wait_access_log()[0]
    assert line["status"] == 0 and line["error"] in ("client_closed", "client_reset"), line


@pytest.mark.parametrize("kind", [Talk1, Talk2], ids=["http1", "http2"])
def test_tls_that_a_client_breaks_after_the_handshake_is_told(peers, certificates, kind):
    """A record that does not decrypt; a client that just leaves is none of it."""
    gateway = secured(peers, certificates)
    context = client_context(alpn=["h2" if kind is Talk2 else "http/1.1"])
    leaving, breaking = (peers.client(gateway, kind=kind, tls=context) for _ in range(2))
    assert leaving.ask("/").status == breaking.ask("/").status == 200
    leaving.close()
    sock = (breaking.raw if kind is Talk1 else breaking.http2).sock
    os.write(sock.fileno(), b"\x17\x03\x03\x00\x20" + bytes(32))
    event = gateway.wait_event("tls_connection_broken")
    assert (event["reason"], event["client"]) == ("tls_bad_record", "127.0.0.1")
    eventually(lambda: gateway.metrics().sum("doorward_connections_open") == 0, "their end")
    assert gateway.metrics().sum("doorward_tls_connections_broken_total") == 1
    assert len(gateway.events("tls_connection_broken")) == 1


def test_a_name_without_a_certificate_is_counted(peers, certificates):
    """They are shown the default; scanners would flood a log."""
    gateway = secured(peers, certificates)
    for sni in ("other.test", "example.com", None, "localhost"):
        shown(gateway, sni)
    with pytest.raises(ssl.SSLCertVerificationError):  # who looks at it, goes
        Raw(gateway.address(), tls=client_context(certificates.ca), sni="another.test")
    failures(gateway, "tls_peer_alert")
    assert gateway.metrics().sum("doorward_tls_unknown_names_total", listener="web") == 2


def test_tickets_outlive_one_rotation_of_their_key_and_not_three(peers, certificates, tmp_path):
    """The first 16 bytes of a ticket name its key."""
    gateway = secured(peers, certificates, ticket_rotation="2s")
    session = tmp_path / "session.pem"

    def ask(*words):
        return s_client(gateway.address(), "-tls1_2", "-servername", "example.com", *words)

    def key_of(said):
        return said.split("TLS session ticket:\n", 1)[1].split(" - ", 1)[1][:47]

    first = key_of(ask("-sess_out", session))
    eventually(lambda: key_of(ask()) != first, "a rotation")
    said = ask("-sess_in", session)
    assert "Reused, TLSv1.2" in said
    assert key_of(said) != first  # and the client has a new ticket
    eventually(lambda: "New, TLSv1.2" in ask("-sess_in", session), "the end of the key")
    assert gateway.metrics().sum("doorward_tls_handshakes_total", kind="resumed") >= 1
