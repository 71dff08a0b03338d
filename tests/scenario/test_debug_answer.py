"""The debug answer: a request that shows the token is told what became of it; nobody else is."""
import json
import re
import threading

import pytest

from harness import config, raw
from harness import websocket as ws
from harness.either import EitherBackend, Talk1, Talk2
from harness.raw import request
from harness.waiting import DEADLINE
from harness.websocket import Frames
from harness.websocket_http2 import Http2Socket

TOKEN = "debug-token-of-the-tests"
ASK = f"doorward-debug: {TOKEN}"
DEBUG = {"debug": {"token": TOKEN}}
TALKS = pytest.mark.parametrize("talk", [Talk1, Talk2], ids=["http1", "http2"])
STEPS = {"accept_head", "match_route", "request_policies", "handle", "choose_endpoint", "connect",
         "send_request", "await_response", "response_policies", "pump", "reply", "finish"}


def told(answer):
    """What the header says; it is printable ASCII and bounded, whatever was asked."""
    text = answer.get("doorward-debug")
    assert text is not None and re.fullmatch(r"[ -~]{1,3072}", text)
    assert "no-store" in answer.all("cache-control")
    said = json.loads(text)
    assert set(said.get("steps_us", {})) <= STEPS
    return said


def is_plain(answer):
    return not any(answer.has(name) for name in ("doorward-debug", "server-timing"))


def talking(peers, talk, backend, **options):
    return peers.client(peers.gateway(config.proxy(backend, **{**DEBUG, **options})), talk)


@TALKS
@pytest.mark.parametrize("version", [1, 2])
def test_a_proxied_request_is_told_its_way(peers, talk, version):
    backend = peers.add(EitherBackend(version, lambda asked: asked.answer(200, body=b"here")))
    client = talking(peers, talk, backend, service={"protocol": f"http{version}"},
                     policies=[{"request_id": {}}, {"compress": {}}])
    answer = client.ask("/a", ASK)
    said = told(answer)
    assert answer.status == 200 and answer.body == b"here"
    assert (said["listener"], said["route"], said["service"]) == ("web", "all", "app")
    assert said["protocol"] == f"HTTP/{'1.1' if talk.version == 1 else '2'}"
    assert said["backend_protocol"] == f"HTTP/{'1.1' if version == 1 else '2'}"
    assert said["endpoint"].endswith(backend.url.split("://")[-1])
    assert (said["handler"], said["attempts"], said["kept"]) == ("service", 1, False)
    assert [(p["name"], p["kind"], p["mode"], p["verdict"]) for p in said["policies"]] == [
        ("request_id", "request_id", "enforce", "pass"), ("compress", "compress", "enforce", "pass")]
    assert "error" not in said and said["request_id"]
    assert list(said["steps_us"]) == ["accept_head", "match_route", "request_policies", "handle",
                                      "choose_endpoint", "connect", "send_request",
                                      "await_response", "response_policies"]
    assert sum(said["steps_us"].values()) <= said["so_far_us"]
    assert told(client.ask("/b", ASK))["kept"] is True


@TALKS
def test_the_request_id_is_that_of_the_access_log(peers, talk):
    gateway = peers.gateway(config.proxy(peers.origin(), **DEBUG))
    said = told(peers.client(gateway, talk).ask("/", ASK))
    assert gateway.wait_access_log()[0]["request_id"] == said["request_id"]


@TALKS
def test_server_timing_stands_beside_that_of_the_backend(peers, talk):
    backend = peers.add(EitherBackend(1, lambda asked: asked.answer(
        200, "Server-Timing: db;dur=3", "Cache-Control: max-age=60", "doorward-debug: faked")))
    client = talking(peers, talk, backend)
    answer = client.ask("/", ASK)
    theirs, ours = answer.all("server-timing")
    assert theirs == "db;dur=3" and answer.all("cache-control") == ["max-age=60", "no-store"]
    names = [entry.split(";")[0] for entry in ours.split(", ")]
    assert set(names) - {"total"} == set(told(answer)["steps_us"])
    assert all(re.fullmatch(r"\w+;dur=\d+\.\d{3}", entry) for entry in ours.split(", "))
    plain = client.ask("/")
    assert plain.all("server-timing") == ["db;dur=3"]
    assert plain.all("cache-control") == ["max-age=60"]


# --- who is told ---------------------------------------------------------------------------------
@TALKS
@pytest.mark.parametrize("shown", [
    ["doorward-debug: wrong"], ["doorward-debug: "], [f"doorward-debug: {TOKEN}x"],
    [f"doorward-debug: {TOKEN[:-1]}"], [ASK, ASK], [ASK, "doorward-debug: wrong"],
    ["doorward-debug: wrong", ASK]])
def test_a_wrong_token_is_as_good_as_none_and_goes_no_further(peers, talk, shown):
    seen = []

    def play(asked):
        seen.append(asked.has("doorward-debug"))
        asked.answer(200, body=b"as ever")
    client = talking(peers, talk, peers.add(EitherBackend(1, play)))
    answer = client.ask("/", *shown)
    assert answer.status == 200 and answer.body == b"as ever" and is_plain(answer)
    assert not answer.has("cache-control") and seen == [False]


@TALKS
@pytest.mark.parametrize("settings", [DEBUG, {}], ids=["on", "off"])
def test_backends_never_see_the_header(peers, talk, settings):
    seen = []

    def play(asked):
        seen.append(asked.has("doorward-debug"))
        asked.answer(200)
    gateway = peers.gateway(config.proxy(peers.add(EitherBackend(1, play)), **settings))
    answer = peers.client(gateway, talk).ask("/", "Doorward-Debug: " + TOKEN if talk is Talk1
                                             else ASK)
    assert answer.has("doorward-debug") == bool(settings) and seen == [False]


def test_services_that_policies_ask_never_see_the_header(peers):
    seen = []

    def check(connection):
        while got := connection.recv_request():
            seen.append(got.has("doorward-debug"))
            connection.send(raw.response(200))
    settings = config.proxy(peers.origin(), policies=[{"external_auth": {
        "service": "auth", "headers": ["doorward-debug", "x-*"]}}], **DEBUG)
    settings["services"]["auth"] = {"endpoints": [peers.backend(check).url]}
    said = told(peers.client(peers.gateway(settings)).get("/", ASK))
    assert seen == [False] and said["policies"][0]["verdict"] == "pass"


@TALKS
def test_a_reload_changes_and_removes_the_token(peers, talk):
    def settings(**top):
        return config.respond("fixed", **top)
    gateway = peers.gateway(settings())
    client = peers.client(gateway, talk)
    assert is_plain(client.ask("/", ASK))
    gateway.reload(settings(**DEBUG))
    assert told(client.ask("/", ASK))["handler"] == "respond"
    gateway.reload(settings(debug={"token": "another-token-of-the-tests"}))
    assert is_plain(client.ask("/", ASK))
    assert told(client.ask("/", "doorward-debug: another-token-of-the-tests"))
    gateway.reload(settings(debug="off"))
    assert is_plain(client.ask("/", "doorward-debug: another-token-of-the-tests"))


def test_the_token_is_not_shown(peers):
    gateway = peers.gateway(config.respond("fixed", **DEBUG))
    told(peers.client(gateway).get("/", ASK))
    _, _, text = gateway.ask_admin("/config")
    assert json.loads(text)["debug"] == {"token": "***"} and TOKEN not in text
    assert TOKEN not in json.dumps(gateway.wait_access_log())


@pytest.mark.parametrize("token", ["short", "has a space in it, so", "t" * 257, "tökentökentöken!"])
def test_a_token_that_cannot_be_shown_is_refused(doorward, tmp_path, token):
    path = tmp_path / "doorward.yaml"
    path.write_text(json.dumps(config.respond("fixed", debug={"token": token})))
    done = doorward("check", "-c", str(path))
    assert done.returncode == 2 and "debug.token" in done.stderr and token not in done.stderr


# --- what Doorward answers itself ----------------------------------------------------------------
@TALKS
def test_policies_tell_their_verdicts(peers, talk):
    deny = {"deny": ["127.0.0.1"]}
    settings = config.proxy(peers.origin(), policies=[
        "tagged", {"ip_filter": {**deny, "mode": "shadow"}}, "closed", {"compress": {}}], **DEBUG)
    settings["policies"] = {"tagged": {"headers": {"request": {"set": {"x-a": "b"}}}},
                            "closed": {"ip_filter": deny}}
    client = peers.client(peers.gateway(settings), talk)
    answer = client.ask("/", ASK)
    said = told(answer)
    assert answer.status == 403
    assert said["policies"] == [
        {"name": "tagged", "kind": "headers", "mode": "enforce", "verdict": "pass"},
        {"name": "ip_filter", "kind": "ip_filter", "mode": "shadow", "verdict": "pass",
         "would_answer": "403 ip_denied"},
        {"name": "closed", "kind": "ip_filter", "mode": "enforce", "verdict": "reply",
         "answers": "403 ip_denied"},
        {"name": "compress", "kind": "compress", "mode": "enforce", "verdict": "not_reached"}]
    assert said["error"] == "ip_denied" and "endpoint" not in said and "service" not in said


def test_a_shadows_verdict_is_not_its_namesakes(peers):
    client = talking(peers, Talk1, peers.origin(), policies=[
        {"ip_filter": {"deny": ["127.0.0.1"], "mode": "shadow"}},
        {"ip_filter": {"deny": ["192.0.2.1"]}},
        {"ip_filter": {"deny": ["127.0.0.0/8"], "mode": "shadow"}}])
    said = told(client.ask("/", ASK))
    assert [policy.get("would_answer") for policy in said["policies"]] == [
        "403 ip_denied", None, "403 ip_denied"]


def test_a_policy_that_was_skipped_is_told(peers):
    settings = config.proxy(peers.origin(), policies=[{"external_auth": {
        "service": "gone", "on_error": "allow"}}], **DEBUG)
    settings["services"]["gone"] = {"endpoints": ["http://127.0.0.1:1"]}
    said = told(peers.client(peers.gateway(settings)).get("/", ASK))
    assert said["policies"][0]["verdict"] == "pass"
    assert re.fullmatch(r"\d{3} \w+", said["policies"][0]["skipped"])


@TALKS
def test_without_a_route_the_near_ones_are_told_as_explain_does(peers, talk, doorward):
    settings = config.proxy(peers.origin(), route={"match": {
        "host": "api.example.com", "path": "/orders/{id}", "method": ["GET"]}}, **DEBUG)
    gateway = peers.gateway(settings)
    answer = peers.client(gateway, talk).ask("/orders/7/items", ASK, host="api.example.com")
    said = told(answer)
    assert answer.status == 404 and said["error"] == "no_route" and "route" not in said
    explained = json.loads(doorward(
        "explain", "--json", "-c", str(gateway.config_path),
        "GET http://api.example.com/orders/7/items").stdout)
    assert (said["result"], said["others"]) == (explained["result"], explained["others"])
    answer = peers.client(gateway, talk).ask("/orders/7", ASK, method="DELETE",
                                             host="api.example.com")
    assert answer.status == 405 and "method is DELETE" in told(answer)["others"][0]["reasons"][0]


@TALKS
def test_a_backend_that_refuses_is_told_with_every_attempt(peers, talk):
    client = talking(peers, talk, ["http://127.0.0.1:1", "http://127.0.0.1:2"])
    answer = client.ask("/", ASK)
    said = told(answer)
    assert answer.status == 502 and said["error"] == "connect_failed" and said["attempts"] == 2
    assert [(one["error"], one["kept"]) for one in said["failed"]] == [("connect_failed", False)]
    assert {said["failed"][0]["endpoint"], said["endpoint"]} == {"http://127.0.0.1:1",
                                                                 "http://127.0.0.1:2"}
    assert "backend_protocol" not in said


def test_a_stale_connection_is_told_as_a_failed_attempt(peers):
    def script(connection):
        if connection.recv_request():
            connection.send(raw.response(200))
            if connection.recv_request():
                connection.reset()
    client = talking(peers, Talk1, peers.backend(script))
    assert told(client.ask("/1", ASK))["kept"] is False
    said = told(client.ask("/2", ASK))
    assert said["attempts"] == 2 and said["kept"] is False and len(said["failed"]) == 1
    assert said["failed"][0]["kept"] is True and said["failed"][0]["error"] in ("closed", "reset")


@TALKS
def test_a_malformed_response_is_told_with_its_fault(peers, talk):
    client = talking(peers, talk, peers.backend(b"HTTP/1.1 abc OK\r\n\r\n"))
    answer = client.ask("/", ASK)
    said = told(answer)
    assert answer.status == 502
    assert (said["error"], said["fault"]) == ("backend_protocol_error", "bad_status")
    assert said["backend_protocol"] == "HTTP/1.1"


@TALKS
def test_a_refusal_before_the_route_is_told(peers, talk):
    client = talking(peers, talk, peers.origin())
    answer = client.ask("/%00", ASK)
    said = told(answer)
    assert answer.status == 400 and said["error"] and "route" not in said and "others" not in said


def test_redirects_and_head_requests_are_told(peers):
    settings = config.respond("fixed", **DEBUG)
    settings["routes"].append({"name": "moved", "match": {"path": "/old"},
                               "redirect": {"to": "/new"}})
    client = peers.client(peers.gateway(settings))
    assert told(client.get("/old", ASK))["handler"] == "redirect"
    answer = client.get("/", ASK, method="HEAD")
    assert told(answer)["handler"] == "respond" and answer.body == b""


# --- what is more than a request and a response --------------------------------------------------
@TALKS
def test_a_stream_is_told_when_it_begins(peers, talk):
    told_first = threading.Event()

    def play(asked):
        asked.head(200)
        asked.send(b"first")
        assert told_first.wait(DEADLINE)
        asked.send(b"second")
        asked.end()
    call = talking(peers, talk, peers.add(EitherBackend(1, play))).begin("/", ASK)
    assert "await_response" in told(call.head())["steps_us"]
    assert call.piece() == b"first"
    told_first.set()
    assert call.piece() == b"second"


def test_an_upgrade_is_told(peers):
    gateway = peers.gateway(config.proxy(peers.backend(Frames(ws.echo)), **DEBUG))
    client = peers.client(gateway)
    answer = client.send(request(
        "/", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", ASK)).recv_head()
    assert answer.status == 101 and told(answer)["service"] == "app"


def test_an_extended_connect_is_told(peers):
    gateway = peers.gateway(config.proxy(peers.backend(Frames(ws.echo)), **DEBUG))
    socket = Http2Socket(peers.http2(gateway), ASK)
    assert socket.answer.status == 200 and told(socket.answer)["protocol"] == "HTTP/2"


def test_a_grpc_status_of_doorwards_own_is_told(peers):
    answer = talking(peers, Talk2, "http://127.0.0.1:1").ask(
        "/a.B/C", ASK, "content-type: application/grpc", "te: trailers", method="POST")
    said = told(answer)
    assert answer.get("grpc-status") == "14" and said["error"] == "connect_failed"


# --- hostile bytes -------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [
    "/%0d%0aset-cookie:%20a=b", "/%ff%fe%80", "/%e2%82%ac%22%5c", "/" + "%01" * 2000,
    "/" + "a" * 6000, "/x" * 3000])
@pytest.mark.parametrize("method", ["GET", "ODD'!"])
def test_bytes_of_the_request_break_nothing_out(peers, path, method):
    route = {"match": {"host": "*.example.com", "path": "/here/{it}",
                       "header": {"x-kind": "wanted"}, "query": {"page": "1"}}}
    settings = config.proxy(peers.origin(), route=route,
                            policies=[{"request_id": {}}], **DEBUG)
    settings["routes"] += [{**settings["routes"][0], "name": f"other-{n}"} for n in range(5)]
    client = peers.client(peers.gateway(settings))
    answer = client.get(path + "?page=%22%0a", ASK, "x-kind: \xff\"\\\t" + "\x80" * 500,
                        method=method)
    assert not answer.has("set-cookie")
    said = told(answer)
    assert said["error"] and (said.get("others") or "others" in said.get("left_out", []) or
                              answer.status == 400)


def test_a_long_chain_is_left_out_before_the_answer_grows_too_large(peers):
    settings = config.respond("fixed", **DEBUG)
    settings["routes"][0]["policies"] = [{"headers": {"request": {"set": {"x-a": "b"}}}}] * 100
    said = told(peers.client(peers.gateway(settings)).get("/", ASK))
    assert said["left_out"] == ["policies"] and "policies" not in said and said["route"] == "all"
