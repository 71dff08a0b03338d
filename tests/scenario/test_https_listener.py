"""https_redirect and hsts of a listener: they hold for everything that comes to it, whether a route
takes it or not."""
import json

import pytest

from harness import config, raw
from harness.either import Talk1, Talk2
from harness.tls import client_context

CLIENTS = pytest.mark.parametrize("kind", [Talk1, Talk2], ids=["http1", "http2"])
HSTS = "max-age=3600"
SETTINGS = {"https_redirect": {"port": 8443}, "hsts": {"max_age": "1h"}}
FIELD = "strict-transport-security"


class Site:
    """A cleartext listener that sends on, and one of TLS, before a route below /app."""

    def __init__(self, peers, certificates, policies=(), answer=None, plain=(), **listener):
        self.peers, self.origin = peers, peers.backend(answer or raw.response(200, body=b"app"))
        settings = config.proxy(self.origin, policies=list(policies),
                                route={"match": {"path": "/app/**", "method": ["GET", "POST"]}})
        common = {"address": "127.0.0.1:0", **listener}
        settings["listeners"] = [
            {"name": "plain", **common, **SETTINGS, **dict(plain)},
            {"name": "secure", **common, "hsts": SETTINGS["hsts"], **certificates.listener()},
            {"name": "inside", "address": "127.0.0.1:0"}]
        self.settings = settings
        self.gateway = peers.gateway(settings)

    def talk(self, kind, name):
        alpn = ["h2" if kind is Talk2 else "http/1.1"]
        context = client_context(alpn=alpn) if name == "secure" else None
        return self.peers.client(self.gateway.addresses()[name], kind=kind, tls=context)

    def ask(self, kind, name, *asked, **options):
        return self.talk(kind, name).ask(*asked, **options)


def assert_sent_on(answer, place, status=308):
    assert (answer.status, answer.get("location"), answer.body) == (status, place, b"")
    assert not answer.has(FIELD), "not over cleartext (RFC 6797 §7.2)"


@CLIENTS
def test_all_that_comes_in_cleartext_is_sent_on(peers, certificates, kind):
    """Also what no route would take, for its path or its method."""
    site = Site(peers, certificates)
    for target, method in (("/app/a?b=c", "GET"), ("/nowhere", "GET"), ("/app/a", "DELETE"),
                           ("/app/%61/../b", "GET")):
        assert_sent_on(site.ask(kind, "plain", target, method=method),
                       "https://example.com:8443" + target.replace("/%61/..", ""))
    assert not site.origin.requests
    assert site.ask(kind, "inside", "/app/a").body == b"app", "another listener is not meant"
    raw.assert_problem(site.ask(kind, "inside", "/nowhere"), 404, "no_route")


@CLIENTS
def test_an_upload_is_sent_on_too(peers, certificates, kind):
    site = Site(peers, certificates)
    answer = site.ask(kind, "plain", "/nowhere", method="POST", body=b"x" * 10_000)
    assert_sent_on(answer, "https://example.com:8443/nowhere")


@CLIENTS
def test_every_response_over_https_says_so(peers, certificates, kind):
    site = Site(peers, certificates)
    for target, method, status in (("/app/a", "GET", 200), ("/nowhere", "GET", 404),
                                   ("/app/a", "DELETE", 405), ("/app/%00", "GET", 400)):
        answer = site.ask(kind, "secure", target, method=method)
        assert (answer.status, answer.all(FIELD)) == (status, [HSTS])
    assert not site.ask(kind, "inside", "/app/a").has(FIELD)


def test_even_the_answer_to_a_malformed_request(peers, certificates):
    site = Site(peers, certificates)
    client = peers.client(site.gateway.addresses()["secure"], tls=client_context())
    answer = client.request(b"GET /app HTTP/1.1\r\nHost: a\r\nbroken header\r\n\r\n")
    assert (answer.status, answer.get(FIELD)) == (400, HSTS)


@CLIENTS
def test_the_backends_own_gives_way_and_the_routes_wins(peers, certificates, kind):
    own = raw.response(200, "Strict-Transport-Security: max-age=1")
    site = Site(peers, certificates, answer=own)
    assert site.ask(kind, "secure", "/app/a").all(FIELD) == [HSTS]
    site = Site(peers, certificates, answer=own, policies=[{"hsts": {"max_age": 0}}])
    assert site.ask(kind, "secure", "/app/a").all(FIELD) == ["max-age=0"]
    assert site.ask(kind, "secure", "/nowhere").all(FIELD) == [HSTS]


@CLIENTS
def test_what_a_reply_says_itself_gives_way_too(peers, certificates, kind):
    """There is one field (RFC 6797 §7.1)."""
    own = {"mock": {"headers": {"strict-transport-security": "max-age=1"}}}
    site = Site(peers, certificates, policies=[own])
    assert site.ask(kind, "secure", "/app/a").all(FIELD) == [HSTS]


@CLIENTS
def test_behind_a_trusted_proxy_its_word_counts(peers, certificates, kind):
    site = Site(peers, certificates, trusted_proxies=["127.0.0.0/8"])
    answer = site.ask(kind, "plain", "/nowhere", "x-forwarded-proto: https")
    assert (answer.status, answer.get(FIELD)) == (404, HSTS)
    answer = site.ask(kind, "secure", "/nowhere", "x-forwarded-proto: http")
    assert (answer.status, answer.has(FIELD)) == (404, False)
    assert_sent_on(site.ask(kind, "plain", "/app/a"), "https://example.com:8443/app/a")


def test_without_a_host_there_is_no_place_to_go_to(peers, certificates):
    site = Site(peers, certificates)
    client = peers.client(site.gateway.addresses()["plain"])
    raw.assert_problem(client.request(b"GET / HTTP/1.0\r\n\r\n"), 400, "host_missing")


@pytest.mark.parametrize("status", [301, 302, 307])
def test_the_status_and_the_usual_port(peers, certificates, status):
    site = Site(peers, certificates, plain={"https_redirect": {"status": status}})
    assert_sent_on(site.ask(Talk1, "plain", "/x", host="shop.example.com:8080"),
                   "https://shop.example.com/x", status)


@CLIENTS
def test_a_reload_switches_both_for_open_connections(peers, certificates, kind):
    site = Site(peers, certificates)
    plain, secure = site.talk(kind, "plain"), site.talk(kind, "secure")
    assert_sent_on(plain.ask("/app/a"), "https://example.com:8443/app/a")
    assert secure.ask("/nowhere").get(FIELD) == HSTS
    for listener in site.settings["listeners"]:
        listener.pop("https_redirect", None)
        listener.pop("hsts", None)
    site.gateway.reload(site.settings)
    assert plain.ask("/app/a").body == b"app"
    assert not secure.ask("/nowhere").has(FIELD)


def test_the_access_log_says_who_sent_it_on(peers, certificates):
    site = Site(peers, certificates)
    site.ask(Talk1, "plain", "/nowhere")
    line = site.gateway.wait_access_log()[0]
    assert (line["status"], line["policy"], line.get("route")) == (308, "https_redirect", None)


def test_a_redirect_where_nobody_comes_without_tls_is_warned_of(doorward, certificates, tmp_path):
    path = tmp_path / "doorward.yaml"
    path.write_text(json.dumps(config.respond(listeners=[
        {"address": "127.0.0.1:0", "https_redirect": {}, **certificates.listener()}])))
    done = doorward("check", "-c", path)
    assert done.returncode == 0
    assert "https_redirect: nobody comes to this listener without TLS" in done.stdout + done.stderr
