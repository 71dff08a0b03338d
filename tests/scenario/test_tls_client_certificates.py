"""Certificates that clients show: who is let in, and what is told of them."""
import datetime
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


def assert_refused(gateway, certificate, reason, **options):
    """Of TLS 1.3 a client learns of it with its first read only."""
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        told(gateway, certificate, **options)
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


@pytest.mark.parametrize("mode", ["optional", "required"])
@pytest.mark.parametrize("fault,reason", [
    ("stranger", "tls_unknown_ca"), ("expired", "tls_certificate_expired"),
    ("early", "tls_certificate_not_yet_valid"), ("purpose", "tls_certificate_purpose")])
def test_a_bad_certificate_is_refused_even_where_none_is_needed(peers, certificates, mode, fault,
                                                                reason):
    authority = certificates.authority
    shown = {"stranger": lambda: certificates.stranger.issue("a.example", usage="client"),
             "expired": lambda: authority.expired("a.example", usage="client"),
             "early": lambda: authority.issue("a.example", usage="client", begin=2 * DAY),
             "purpose": lambda: authority.issue("a.example", usage="server")}[fault]()
    assert_refused(asking(peers, certificates, mode), shown, reason)


def test_a_revoked_certificate_is_refused_and_others_pass(peers, certificates):
    revoked = certificates.authority.issue("gone.example", usage="client")
    crl = certificates.authority.revocation_list(revoked)
    gateway = asking(peers, certificates, "required", crl=str(crl))
    assert "CN=app-1" in told(gateway, certificates.client).get("x-subject")
    assert_refused(gateway, revoked, "tls_certificate_revoked")


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
    """The connection itself goes on, for routes that want none."""
    gateway = picky(peers, certificates)
    soon = certificates.authority.issue("soon.example", usage="client",
                                        end=datetime.timedelta(seconds=3))
    client = connection(peers, gateway, kind, soon)
    assert client.ask("/").status == 200
    eventually(lambda: client.ask("/").status != 200, "the certificate's end")
    assert now() >= soon.content.not_valid_after.replace(tzinfo=datetime.timezone.utc)
    assert_problem(client.ask("/"), 403, "client_certificate_expired")
