"""Certificates that clients show: who is let in, and what is told of them."""
import datetime
import os
import ssl

import pytest

from harness import config
from harness.certificates import DAY, Authority, now
from harness.clients import curl
from harness.either import Talk1, Talk2
from harness.http2 import Http2Client
from harness.origin import Told
from harness.raw import Raw, assert_problem
from harness.tls import client_context
from harness.waiting import eventually

CLIENTS = pytest.mark.parametrize("kind", [Talk1, Talk2], ids=["http1", "http2"])
FACTS = [{"headers": {"request": {"set": {
    "x-subject": "<{tls.client.subject}>", "x-names": "<{tls.client.names}>",
    "x-fingerprint": "<{tls.client.fingerprint}>"}}}}]


def asking(peers, certificates, mode, **settings):
    secured = certificates.listener(client_certificates={"mode": mode, "ca": certificates.ca,
                                                         **settings})
    return peers.gateway(config.proxy(peers.origin(), policies=FACTS, listener=secured))


def told(gateway, certificate=None, **options):
    context = client_context(certificate=certificate, **options)
    with Raw(gateway.address(), tls=context) as client:
        return Told(client.get("/"))


# What the client is told: the alerts of RFC 8446 §6.2 in OpenSSL's words.
ALERTS = {"tls_certificate_missing": {"1.2": "handshake failure", "1.3": "certificate required"},
          "tls_certificate_expired": "certificate expired", "tls_unknown_ca": "unknown ca",
          "tls_certificate_not_yet_valid": "bad certificate",
          "tls_certificate_revoked": "certificate revoked",
          "tls_certificate_purpose": "unsupported certificate",
          "tls_chain_too_long": "unknown ca", "tls_crl_unusable": "unknown ca"}


def refusal(gateway, certificate, **options):
    """What a client hears whose handshake is refused. Of TLS 1.3 it learns with its first read."""
    with pytest.raises(ssl.SSLError) as refused:
        with Raw(gateway.address(), tls=client_context(certificate=certificate, **options)) as client:
            client.sock.recv(1)
    return refused.value.reason.lower().replace("_", " ")


def assert_refused(gateway, certificate, reason, only="1.3", **options):
    said = refusal(gateway, certificate, only=only, **options)
    alert = ALERTS[reason] if isinstance(ALERTS[reason], str) else ALERTS[reason][only]
    assert said.endswith(f"alert {alert}"), said
    event = eventually(lambda: gateway.events("tls_handshake_failed"), "the event")[-1]
    assert event["reason"] == reason, event
    assert gateway.metrics().sum("doorward_tls_handshake_failures_total", reason=reason) == 1


@pytest.fixture(scope="module")
def strict(module_peers, certificates):
    return asking(module_peers, certificates, "required")


@pytest.mark.parametrize("only", ["1.2", "1.3"])
def test_a_clients_certificate_is_told_to_backends(strict, certificates, only):
    got = told(strict, certificates.client, only=only)
    subject = got.get("x-subject")
    assert "CN=app-1" in subject and "O=Scenario" in subject
    assert "app-1.example" in got.get("x-names")
    assert "spiffe://example/app-1" in got.get("x-names")
    assert got.get("x-fingerprint") == f"<{certificates.client.fingerprint}>"


def test_a_resumed_session_still_knows_the_client(strict, certificates):
    context = client_context(certificate=certificates.client)
    session = None
    for resumed in (False, True):
        with Raw(strict.address(), tls=context, session=session) as client:
            got = Told(client.get("/"))
            assert client.sock.session_reused == resumed
            assert got.get("x-fingerprint") == f"<{certificates.client.fingerprint}>"
            session = client.sock.session


def test_nobody_resumes_when_a_revocation_list_has_run_out(peers, certificates):
    """A resumed session has no chain that could be looked up."""
    crl = peers.folder / "list.crl"
    crl.write_bytes(certificates.authority.revocation_list().read_bytes())
    gateway = asking(peers, certificates, "required", crl=str(crl))
    crl.write_bytes(certificates.authority.revocation_list(
        end=datetime.timedelta(seconds=5)).read_bytes())
    gateway.reload()
    context = client_context(certificate=certificates.client)
    sessions = [None]

    def resume():
        """Whether the gateway takes it; in TLS 1.3 it says no with the first read."""
        try:
            with Raw(gateway.address(), tls=context, session=sessions[-1]) as client:
                assert client.get("/").status == 200
                assert client.sock.session_reused == (len(sessions) > 1)
                sessions.append(client.sock.session)
        except (ssl.SSLError, ConnectionError):
            return False
        return True
    assert resume() and resume()
    eventually(lambda: not resume(), "the list's end")
    assert gateway.wait_event("tls_handshake_failed")["reason"] == "tls_crl_unusable"


def test_http2_requests_carry_the_clients_certificate(strict, certificates):
    context = client_context(certificate=certificates.client, alpn=["h2"])
    with Http2Client(strict.address(), tls=context) as client:
        for _ in range(2):
            assert "CN=app-1" in Told(client.get("/")).get("x-subject")


@pytest.mark.parametrize("only", ["1.2", "1.3"])
def test_nobody_passes_without_a_certificate_where_it_is_required(peers, certificates, only):
    gateway = asking(peers, certificates, "required")
    assert_refused(gateway, None, "tls_certificate_missing", only=only)


def test_an_optional_certificate_may_be_left_out(peers, certificates):
    gateway = asking(peers, certificates, "optional")
    without = told(gateway)
    for name in ("x-subject", "x-names", "x-fingerprint"):
        assert without.get(name) == "<>"
    assert "CN=app-1" in told(gateway, certificates.client).get("x-subject")


def bad_certificates(certificates):
    """By reason."""
    authority = certificates.authority
    return {"tls_unknown_ca": certificates.stranger.issue("a.example", usage="client"),
            "tls_certificate_expired": authority.expired("a.example", usage="client"),
            "tls_certificate_not_yet_valid": authority.issue("a.example", usage="client",
                                                             begin=2 * DAY),
            "tls_certificate_purpose": authority.issue("a.example", usage="server")}


@pytest.mark.parametrize("only", ["1.2", "1.3"])
@pytest.mark.parametrize("mode", ["optional", "required"])
@pytest.mark.parametrize("reason", [
    "tls_unknown_ca", "tls_certificate_expired", "tls_certificate_not_yet_valid",
    "tls_certificate_purpose"])
def test_a_bad_certificate_is_refused_even_where_none_is_needed(peers, certificates, mode, reason,
                                                                only):
    assert_refused(asking(peers, certificates, mode), bad_certificates(certificates)[reason],
                   reason, only=only)


@pytest.mark.parametrize("only", ["1.2", "1.3"])
def test_a_revoked_certificate_is_refused_and_others_pass(peers, certificates, only):
    revoked = certificates.authority.issue("gone.example", usage="client")
    crl = certificates.authority.revocation_list(revoked)
    gateway = asking(peers, certificates, "required", crl=str(crl))
    assert "CN=app-1" in told(gateway, certificates.client).get("x-subject")
    assert_refused(gateway, revoked, "tls_certificate_revoked", only=only)


def below(peers, certificates):
    """An issuing CA below the authority, and a client of it."""
    issuing = Authority(certificates.folder, f"Issuing {peers.folder.name}",
                        issuer=certificates.authority)
    return issuing, issuing.issue("low.example", common_name="low", usage="client")


def lists(peers, *paths):
    """One file of several revocation lists."""
    file = peers.folder / "lists.pem"
    file.write_bytes(b"".join(path.read_bytes() for path in paths))
    return str(file)


@pytest.mark.parametrize("only", ["1.2", "1.3"])
def test_a_client_below_a_revoked_intermediate_is_refused(peers, certificates, only):
    issuing, client = below(peers, certificates)
    good = lists(peers, issuing.revocation_list(), certificates.authority.revocation_list())
    gateway = asking(peers, certificates, "required", crl=good)
    assert "CN=low" in told(gateway, client, only=only).get("x-subject")
    lists(peers, issuing.revocation_list(), certificates.authority.revocation_list(issuing))
    gateway.wait_event("reloaded")
    assert_refused(gateway, client, "tls_certificate_revoked", only=only)
    assert issuing.name in gateway.events("tls_handshake_failed")[-1]["detail"]


def test_a_list_that_is_missing_is_named(peers, certificates):
    """Each CA on the way needs one."""
    issuing, client = below(peers, certificates)
    gateway = asking(peers, certificates, "required", crl=lists(peers, issuing.revocation_list()))
    assert_refused(gateway, client, "tls_crl_unusable")
    detail = gateway.events("tls_handshake_failed")[-1]["detail"]
    assert "CA: CN=Doorward Scenario CA" in detail
    assert any("there is no list of CN=Doorward Scenario CA" in event["finding"]
               for event in gateway.events("config_warning"))


@CLIENTS
def test_a_neighbour_keeps_its_connection_during_bad_handshakes(peers, certificates, kind):
    """One connection, all that can go wrong beside it, on the same listener and core."""
    revoked = certificates.authority.issue("gone.example", usage="client")
    crl = str(certificates.authority.revocation_list(revoked))
    gateway = asking(peers, certificates, "required", crl=crl)
    neighbour = connection(peers, gateway, kind, certificates.client)
    shown = {**bad_certificates(certificates), "tls_certificate_missing": None,
             "tls_certificate_revoked": revoked}

    def refused(certificate, only):
        return lambda: refusal(gateway, certificate, only=only)

    def strange(first):
        def attempt():
            with Raw(gateway.address()) as client:
                client.send(first).half_close()
                try:
                    client.stream.to_end()
                except ConnectionResetError:
                    pass
        return attempt

    def broken_later():
        with Raw(gateway.address(), tls=client_context(certificate=certificates.client)) as client:
            os.write(client.sock.fileno(), b"\x17\x03\x03\x00\x20" + bytes(32))
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                client.sock.recv(1)

    def old():
        with pytest.raises(ssl.SSLError):
            Raw(gateway.address(), tls=client_context(certificate=certificates.client,
                                                      alpn=["spdy/3"]))
    attempts = [refused(one, only) for one in shown.values() for only in ("1.2", "1.3")]
    attempts += [strange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), strange(b"\xff" * 64),
                 strange(b"\x16\x03\x01\x00\xc8\x01"), broken_later, old]
    for attempt in attempts:
        attempt()
        assert neighbour.ask("/").status == 200
    def counted(name):
        return gateway.metrics().sum(f"doorward_tls_{name}_total")
    eventually(lambda: counted("handshake_failures") == len(attempts) - 1, "the failures")
    eventually(lambda: counted("connections_broken") == 1, "the broken one")
    assert counted("handshakes") == 2


def test_a_name_that_holds_a_comma_passes_for_one(peers, certificates):
    forger = certificates.authority.issue("a.example", usage="client", uris=[
        "spiffe://example/x, DNS:admin.example, y"])
    names = told(asking(peers, certificates, "required"), forger).get("x-names")
    assert names == ("<DNS:a.example, "
                     "URI:spiffe://example/x%2C%20DNS:admin.example%2C%20y>")


def test_mode_none_asks_nobody(peers, certificates):
    gateway = asking(peers, certificates, "none")
    assert told(gateway, certificates.client).get("x-subject") == "<>"


def test_a_revocation_reaches_running_gateways(peers, certificates):
    """By the list's file alone, like everything else that is configured."""
    leaving = certificates.authority.issue("leaving.example", usage="client")
    crl = peers.folder / "list.pem"
    crl.write_bytes(certificates.authority.revocation_list().read_bytes())
    gateway = asking(peers, certificates, "required", crl=str(crl))
    assert told(gateway, leaving)
    crl.write_bytes(certificates.authority.revocation_list(leaving).read_bytes())
    gateway.reload()
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        told(gateway, leaving)
    assert told(gateway, certificates.client)


@pytest.mark.parametrize("depth,passes", [(0, False), (1, True)])
def test_a_chain_may_be_as_long_as_configured(peers, certificates, depth, passes):
    middle = Authority(certificates.folder, f"Middle {depth} {peers.loop}",
                       issuer=certificates.authority)
    leaf = middle.issue("deep.example", common_name="deep", usage="client")
    gateway = asking(peers, certificates, "required", depth=depth)
    if passes:
        assert "CN=deep" in told(gateway, leaf).get("x-subject")
    else:
        assert_refused(gateway, leaf, "tls_chain_too_long")


def test_clients_cannot_forge_what_their_certificate_says(peers, certificates):
    gateway = asking(peers, certificates, "optional")
    with Raw(gateway.address(), tls=client_context()) as client:
        got = Told(client.get("/", "X-Subject: CN=admin", "X-Fingerprint: 00"))
    assert got.all("x-subject") == ["<>"] and got.all("x-fingerprint") == ["<>"]


def test_curl_shows_its_certificate(strict, certificates):
    done = curl("--cacert", certificates.ca, "--cert", certificates.client.certificate, "--key",
                certificates.client.key, f"https://{strict.address()}/")
    assert b"CN=app-1" in done.stdout, done.stderr


def picky(peers, certificates, **lists):
    """A gateway that asks for certificates on a route only, with these lists."""
    secured = certificates.listener(client_certificates={"mode": "optional",
                                                         "ca": certificates.ca})
    return peers.gateway(config.proxy(peers.origin(), listener=secured,
                                      policies=[{"client_certificate": lists}]))


def connection(peers, gateway, kind, certificate):
    context = client_context(certificate=certificate, alpn=["h2" if kind is Talk2 else "http/1.1"])
    return peers.client(gateway, kind=kind, tls=context)


LISTS = {"subject": lambda one: "O=*,CN=app-1", "name": lambda one: "URI:spiffe://example/*",
         "fingerprint": lambda one: one.fingerprint.upper()}


@CLIENTS
@pytest.mark.parametrize("which", LISTS)
def test_a_route_may_want_a_certificate_that_the_listener_does_not(peers, certificates, kind, which):
    gateway = picky(peers, certificates, **{which: LISTS[which](certificates.client)})
    other = certificates.authority.issue("other.example", usage="client")
    for shown, code in ((None, "client_certificate_missing"), (other, "client_certificate_denied")):
        assert_problem(connection(peers, gateway, kind, shown).ask("/"), 403, code)
    assert connection(peers, gateway, kind, certificates.client).ask("/").status == 200


@CLIENTS
def test_one_item_of_each_list_must_fit(peers, certificates, kind):
    gateway = picky(peers, certificates, subject=["CN=x", "O=Scenario,CN=app-1"],
                    name=["DNS:app-2.example", "URI:*"])
    assert connection(peers, gateway, kind, certificates.client).ask("/").status == 200
    twin = certificates.authority.issue("app-1.example", common_name="app-1", usage="client")
    assert_problem(connection(peers, gateway, kind, twin).ask("/"), 403,
                   "client_certificate_denied")


@CLIENTS
def test_a_certificate_that_expires_meanwhile_lets_no_further_request_in(peers, certificates, kind):
    """Its connection is given up: on another one the client shows what it has by then."""
    gateway = picky(peers, certificates)
    soon = certificates.authority.issue("soon.example", usage="client",
                                        end=datetime.timedelta(seconds=3))
    client = connection(peers, gateway, kind, soon)
    assert client.ask("/").status == 200
    answers = []

    def refused():
        answers.append(client.ask("/"))
        return answers[-1].status != 200
    eventually(refused, "the certificate's end")
    assert now() >= soon.content.not_valid_after.replace(tzinfo=datetime.timezone.utc)
    assert_problem(answers[-1], 403, "client_certificate_expired")
