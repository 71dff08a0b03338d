"""https_redirect and hsts: who came without TLS is sent to https, who came over it is told to come
so again; behind a proxy that ends TLS, what counts is how the client came to that."""
import pytest

from harness import config, raw
from harness.clients import curl
from harness.tls import client_context
from harness.waiting import DEADLINE

BOTH = [{"https_redirect": {"port": 8443}}, {"hsts": {"max_age": "1h"}}]
HSTS = "max-age=3600"


class Site:
    """A cleartext listener and one of TLS before the same route; `proxies`: whom they trust."""

    def __init__(self, peers, certificates, policies, proxies=(), answer=None, **listener):
        self.peers, self.origin = peers, peers.backend(answer or raw.response(200, body=b"app"))
        settings = config.proxy(self.origin, policies=policies)
        common = {"address": "127.0.0.1:0", "trusted_proxies": list(proxies), **listener}
        settings["listeners"] = [{"name": "plain", **common},
                                 {"name": "secure", **common, **certificates.listener()}]
        self.gateway = peers.gateway(settings)

    def ask(self, *headers, target="/a/b?c=d", secure=False, http2=False, **options):
        name = "secure" if secure else "plain"
        context = client_context(alpn=["h2"] if http2 else ()) if secure else None
        make = self.peers.http2 if http2 else self.peers.client
        client = make(self.gateway.addresses()[name], tls=context)
        return client.get(target, *headers, **options)


def assert_sent_on(answer, place, status=308):
    assert (answer.status, answer.get("location"), answer.body) == (status, place, b"")
    assert not answer.has("strict-transport-security"), "not over cleartext (RFC 6797 §7.2)"


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_cleartext_is_sent_to_https_and_https_is_served(peers, certificates, http2):
    site = Site(peers, certificates, BOTH)
    assert_sent_on(site.ask(http2=http2), "https://example.com:8443/a/b?c=d")
    assert not site.origin.requests
    answer = site.ask(secure=True, http2=http2)
    assert (answer.status, answer.body) == (200, b"app")
    assert answer.all("strict-transport-security") == [HSTS]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_status_and_the_usual_port(peers, certificates, status):
    site = Site(peers, certificates, [{"https_redirect": {"status": status}}])
    assert_sent_on(site.ask(host="shop.example.com:8080"), "https://shop.example.com/a/b?c=d",
                   status)
    assert_sent_on(site.ask(method="POST"), "https://example.com/a/b?c=d", status)


def test_without_a_host_there_is_no_place_to_go_to(peers, certificates):
    site = Site(peers, certificates, BOTH)
    client = peers.client(site.gateway.addresses()["plain"])
    raw.assert_problem(client.request(b"GET / HTTP/1.0\r\n\r\n"), 400, "host_missing")


def test_in_shadow_nobody_is_sent_elsewhere(peers, certificates):
    site = Site(peers, certificates, [{"https_redirect": {"mode": "shadow"}}])
    assert site.ask().status == 200


@pytest.mark.parametrize("form,header,past", [
    ("x_forwarded", "X-Forwarded-Proto: https", "X-Forwarded-Proto: http"),
    ("rfc7239", "Forwarded: for=203.0.113.7;proto=https", "Forwarded: for=203.0.113.7;proto=http"),
])
def test_behind_a_trusted_proxy_its_word_counts(peers, certificates, form, header, past):
    """Also where the way from the proxy is TLS and the client's was not."""
    site = Site(peers, certificates, BOTH, ["127.0.0.0/8"], forwarded=form)
    for secure in (False, True):
        answer = site.ask(header, secure=secure)
        assert (answer.status, answer.get("strict-transport-security")) == (200, HSTS)
        assert_sent_on(site.ask(past, secure=secure), "https://example.com:8443/a/b?c=d")
    assert_sent_on(site.ask(), "https://example.com:8443/a/b?c=d")


@pytest.mark.parametrize("proxies", [[], ["10.0.0.0/8"]], ids=["nobody", "another"])
def test_who_is_not_trusted_cannot_say_how_it_came(peers, certificates, proxies):
    site = Site(peers, certificates, BOTH, proxies)
    assert_sent_on(site.ask("X-Forwarded-Proto: https", "Forwarded: proto=https"),
                   "https://example.com:8443/a/b?c=d")
    assert site.ask("X-Forwarded-Proto: http", secure=True).status == 200


def test_the_backends_own_hsts_gives_way(peers, certificates):
    site = Site(peers, certificates, [{"hsts": {"max_age": "365d", "include_subdomains": True,
                                                "preload": True}}],
                answer=raw.response(200, "Strict-Transport-Security: max-age=1",
                                    "strict-transport-security: max-age=2"))
    assert site.ask(secure=True).all("strict-transport-security") == [
        "max-age=31536000; includeSubDomains; preload"]


def test_a_reply_of_doorwards_own_has_it_too(peers, certificates):
    site = Site(peers, certificates, [{"hsts": {"max_age": "1h"}},
                                      {"ip_filter": {"deny": ["127.0.0.0/8"]}}])
    answer = site.ask(secure=True)
    assert (answer.status, answer.get("strict-transport-security")) == (403, HSTS)


def test_policies_everywhere_leave_out_no_route(peers, certificates):
    settings = config.respond("x", policies_everywhere=BOTH)
    settings["listeners"].append({"name": "secure", "address": "127.0.0.1:0",
                                  **certificates.listener()})
    gateway = peers.gateway(settings)
    assert_sent_on(peers.client(gateway).get("/"), "https://example.com:8443/")
    answer = peers.client(gateway.addresses()["secure"], tls=client_context()).get("/")
    assert (answer.body, answer.get("strict-transport-security")) == (b"x", HSTS)


def test_curl_follows_to_the_listener_with_tls(peers, certificates):
    """The port is known only once the gateway runs: it is told by a reload."""
    site = Site(peers, certificates, BOTH)
    port = int(site.gateway.addresses()["secure"].rpartition(":")[2])
    settings = config.proxy(site.origin, policies=[{"https_redirect": {"port": port}}])
    settings["listeners"] = [{"name": "plain", "address": "127.0.0.1:0"},
                             {"name": "secure", "address": "127.0.0.1:0",
                              **certificates.listener()}]
    site.gateway.reload(settings)
    done = curl("-L", "--cacert", certificates.ca, "-w", "%{num_redirects} %{scheme}",
                f"http://{site.gateway.addresses()['plain']}/", timeout=DEADLINE)
    assert done.stdout.lower() == b"app1 https", done
