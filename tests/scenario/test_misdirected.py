"""A TLS connection was made for one name; a request on it asks for another host. Where the certificate
that was sent is for that host, too, browsers do so on purpose (RFC 9113 §9.1.1); where it is not and
`strict_sni` is set, the answer is 421 (RFC 9110 §15.5.20)."""
import pytest

from harness import config
from harness.http2 import Http2Client
from harness.raw import Raw
from harness.tls import client_context


@pytest.fixture(scope="module")
def served(module_peers, certificates):
    """{strict: a gateway with certificates for several names each}"""
    issue = certificates.authority.issue
    items = [issue("shop.example.com", "pay.example.com", "*.shop.example.com", "192.0.2.1"),
             issue("admin.example.com")]
    return {strict: module_peers.gateway(config.proxy(
        module_peers.origin(), listener=certificates.listener(*items, strict_sni=strict)))
        for strict in (True, False)}


def ask(gateway, host, kind, sni="shop.example.com"):
    """The answer to a request for `host` on a connection that asked for `sni`."""
    protocol = "h2" if kind is Http2Client else "http/1.1"
    with kind(gateway.address(), tls=client_context(alpn=[protocol]), sni=sni) as client:
        answer = client.get("/", host=host)
        assert client.get("/", host=sni).status == 200, "the connection goes on"
    return answer


BOTH = pytest.mark.parametrize("kind", [Raw, Http2Client], ids=["http1", "http2"])


@BOTH
@pytest.mark.parametrize("host", ["admin.example.com", "other.test", "a.b.shop.example.com",
                                  "example.com", "198.51.100.1", "admin.example.com:8443"])
def test_a_host_that_the_certificate_is_not_for_is_misdirected(served, host, kind):
    answer = ask(served[True], host, kind)
    assert answer.status == 421 and answer.json()["code"] == "misdirected_request"


@BOTH
@pytest.mark.parametrize("host", ["shop.example.com", "SHOP.example.com:444", "pay.example.com",
                                  "pay.example.com.", "a.shop.example.com", "192.0.2.1"])
def test_hosts_of_the_same_certificate_share_a_connection(served, host, kind):
    assert ask(served[True], host, kind).status == 200


@BOTH
@pytest.mark.parametrize("host", ["admin.example.com", "other.test"])
def test_without_strict_sni_any_host_is_served(served, host, kind):
    """Who has no name of its own gets the default certificate on purpose."""
    assert ask(served[False], host, kind).status == 200


def test_a_resumed_session_is_held_to_its_name(served):
    """It is sent no certificate."""
    context = client_context(alpn=["http/1.1"], only="1.2")
    with Raw(served[True].address(), tls=context, sni="shop.example.com") as client:
        assert client.get("/", host="shop.example.com").status == 200
        session = client.sock.session
    with Raw(served[True].address(), tls=context, sni="shop.example.com",
             session=session) as client:
        assert client.sock.session_reused
        assert client.get("/", host="admin.example.com").status == 421
        assert client.get("/", host="pay.example.com").status == 200
