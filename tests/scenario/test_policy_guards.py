"""Policies that refuse by themselves: `ip_filter`, `size_limit`; and `mock`."""
import pytest

from harness import config, raw
from harness.origin import Told
from harness.raw import assert_problem, chunked, request


def through(peers, *policies, **options):
    origin = peers.origin()
    return origin, peers.client(peers.gateway(config.proxy(origin, policies=list(policies),
                                                           **options)))


@pytest.mark.parametrize("settings,passes", [
    ({"allow": ["127.0.0.1"]}, True), ({"allow": ["127.0.0.0/8"]}, True),
    ({"allow": ["10.0.0.0/8", "::1"]}, False), ({"deny": ["127.0.0.0/8"]}, False),
    ({"deny": ["10.0.0.0/8"]}, True), ({"allow": ["127.0.0.0/8"], "deny": ["127.0.0.1"]}, False)])
def test_ip_filter(peers, settings, passes):
    origin, client = through(peers, {"ip_filter": settings})
    answer = client.get("/")
    if passes:
        assert answer.status == 200
    else:
        assert_problem(answer, 403, "ip_denied", route="all", policy="ip_filter")
        assert client.get("/again").status == 403  # the connection goes on
        assert not origin.requests


def test_ip_filter_sees_the_client_behind_trusted_proxies(peers):
    _, client = through(peers, {"ip_filter": {"allow": ["203.0.113.0/24"]}},
                        listener={"trusted_proxies": ["127.0.0.1"]})
    assert client.get("/", "X-Forwarded-For: 203.0.113.9").status == 200
    assert client.get("/", "X-Forwarded-For: 198.51.100.1").status == 403


def test_ip_filter_is_not_fooled_by_forged_headers(peers):
    _, client = through(peers, {"ip_filter": {"allow": ["203.0.113.0/24"]}})
    assert client.get("/", "X-Forwarded-For: 203.0.113.9").status == 403


def test_ip_filter_on_ipv6_listeners(peers):
    _, client = through(peers, {"ip_filter": {"allow": ["::1"]}}, listener={"address": "[::1]:0"})
    assert client.get("/").status == 200


def test_size_limit_refuses_a_known_length_before_the_backend_hears_of_it(peers):
    origin, client = through(peers, {"size_limit": {"max": "1KiB"}})
    assert Told(client.request(request("/", method="POST", body=b"x" * 1024))).body_length == 1024
    client.send(request("/", "Content-Length: 1025", "Expect: 100-continue", method="POST"))
    answer = client.recv_response()
    assert_problem(answer, 413, "body_too_large", route="all", policy="size_limit")
    assert not answer.interim and len(origin.requests) == 1


def test_size_limit_counts_a_chunked_body_as_it_flows(peers):
    origin, client = through(peers, {"size_limit": {"max": "1KiB"}})
    assert Told(client.request(request("/", "Transfer-Encoding: chunked", method="POST") +
                               chunked(b"x" * 1000, b"y" * 24))).body_length == 1024
    client.send(request("/", "Transfer-Encoding: chunked", method="POST") +
                chunked(b"x" * 1000, b"y" * 25))
    assert_problem(client.recv_response(), 413, "body_too_large", route="all", policy="size_limit")
    assert client.at_end()
    assert sum(r.body_length == 1025 for r in origin.requests) == 0


def test_size_limit_reports_while_the_client_still_sends(peers):
    _, client = through(peers, {"size_limit": {"max": "1KiB"}})
    client.send(request("/", "Transfer-Encoding: chunked", method="POST") +
                b"401\r\n" + b"x" * 1025 + b"\r\n")
    assert_problem(client.recv_response(), 413, "body_too_large")


def test_mock_answers_itself(peers):
    origin, client = through(peers, {"mock": {
        "status": 201, "body": '{"id": 7}',
        "content_type": "application/json", "headers": {"x-mock": "yes"}}})
    for _ in range(2):
        answer = client.get("/")
        assert (answer.status, answer.json(), answer.get("x-mock")) == (201, {"id": 7}, "yes")
        assert answer.get("content-type") == "application/json"
    assert not origin.requests


def test_mock_answers_head_without_a_body(peers):
    _, client = through(peers, {"mock": {"status": 200, "body": "abc"}})
    assert client.get("/", method="HEAD").get("content-length") == "3"
    assert client.get("/").body == b"abc"


# --- modes and order ---------------------------------------------------
def test_a_policy_in_shadow_mode_lets_pass_and_reports(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin, policies=[
        {"ip_filter": {"deny": ["127.0.0.0/8"], "mode": "shadow"}}]))
    assert peers.client(gateway).get("/").status == 200
    assert len(origin.requests) == 1
    event = gateway.wait_event("shadow_reply")
    assert {name: event[name] for name in ("route", "policy", "code", "status")} == {
        "route": "all", "policy": "ip_filter", "code": "ip_denied", "status": 403}
    assert gateway.metrics().sum("doorward_shadow_replies_total", route="all") == 1


def test_a_policy_that_is_off_does_nothing(peers):
    _, client = through(peers, {"ip_filter": {"deny": ["127.0.0.0/8"], "mode": "off"}})
    assert client.get("/").status == 200


def test_shadowed_size_limit_lets_the_body_pass(peers):
    _, client = through(peers, {"size_limit": {"max": "1KiB", "mode": "shadow"}})
    assert Told(client.request(request("/", method="POST", body=b"x" * 5000))).body_length == 5000
    assert Told(client.request(request("/", "Transfer-Encoding: chunked", method="POST") +
                               chunked(b"x" * 5000))).body_length == 5000


def test_shadowed_mock_does_not_answer(peers):
    origin, client = through(peers, {"mock": {"status": 500, "mode": "shadow"}})
    assert Told(client.get("/")).origin == "origin" and len(origin.requests) == 1


def test_policies_run_in_the_order_of_the_file(peers):
    origin, client = through(peers, {"headers": {"request": {"set": {"x-n": "1"}}}},
                             {"headers": {"request": {"set": {"x-n": "{request.header.x-n}2"}}}})
    assert Told(client.get("/")).get("x-n") == "12"
    assert origin.requests


def test_response_policies_run_in_reverse_order(peers):
    backend = peers.backend(raw.response(200, "X-N: 0"))
    client = peers.client(peers.gateway(config.proxy(backend, policies=[
        {"headers": {"response": {"set": {"x-n": "{response.header.x-n}1"}}}},
        {"headers": {"response": {"set": {"x-n": "{response.header.x-n}2"}}}}])))
    assert client.get("/").get("x-n") == "021"


def test_the_first_refusal_wins_and_later_policies_do_not_run(peers):
    _, client = through(peers, {"ip_filter": {"deny": ["127.0.0.1"]}}, {"mock": {"status": 201}})
    assert client.get("/").status == 403


def test_policies_everywhere_run_before_each_routes_own(peers):
    settings = config.proxy(peers.origin(), policies=[
        {"headers": {"request": {"set": {"x-n": "{request.header.x-n}2"}}}}],
        policies_everywhere=[{"headers": {"request": {"set": {"x-n": "1"}}}}])
    assert Told(peers.client(peers.gateway(settings)).get("/")).get("x-n") == "12"


def test_named_policies_are_used_by_name(peers):
    settings = config.proxy(peers.origin(), policies=["tag"])
    settings["policies"] = {"tag": {"headers": {"request": {"set": {"x-tag": "named"}}}}}
    assert Told(peers.client(peers.gateway(settings)).get("/")).get("x-tag") == "named"
