"""Policies `headers` and `request_id`."""
import re
import uuid

import pytest

from harness import binary, config, gateway as gateways, raw
from harness.origin import Told


def through(peers, *policies, backend=None, **options):
    backend = backend or peers.origin()
    return peers.client(peers.gateway(config.proxy(backend, policies=list(policies), **options)))


def test_request_headers_are_set_added_removed_and_renamed(peers):
    client = through(peers, {"headers": {"request": {
        "set": {"X-Set": "new", "x-made": "1"}, "add": {"x-add": "2"},
        "remove": ["x-gone", "x-secret-*"], "rename": {"x-old": "x-new"}}}})
    told = Told(client.get("/", "x-set: old", "X-SET: older", "X-Add: 1", "X-Gone: 1",
                           "X-Secret-A: 1", "X-Secret-B: 1", "X-Old: kept", "X-Stays: 1"))
    assert told.all("x-set") == ["new"] and told.get("x-made") == "1"
    assert told.all("x-add") == ["1", "2"]
    assert not told.all("x-gone") and not told.all("x-secret-a") and not told.all("x-secret-b")
    assert told.get("x-new") == "kept" and not told.all("x-old")
    assert told.get("x-stays") == "1"


def test_response_headers_are_set_added_removed_and_renamed(peers):
    backend = peers.backend(raw.response(
        200, "X-Set: old", "X-Add: 1", "Server: secret/1.0", "X-Powered-By: y", "X-Old: kept",
        "X-Debug-A: 1", body=b"abc"))
    client = through(peers, {"headers": {"response": {
        "set": {"x-set": "new", "strict-transport-security": "max-age=1"}, "add": {"x-add": "2"},
        "remove": ["server", "x-powered-by", "x-debug-*"], "rename": {"x-old": "x-new"}}}},
        backend=backend)
    for _ in range(2):
        answer = client.get("/")
        assert answer.body == b"abc" and answer.get("x-set") == "new"
        assert answer.all("x-add") == ["1", "2"] and answer.get("x-new") == "kept"
        assert answer.has("strict-transport-security")
        for name in ("server", "x-powered-by", "x-debug-a", "x-old"):
            assert not answer.has(name), name


def test_headers_of_replies_are_changed_too(peers):
    settings = config.respond()
    settings["routes"][0]["policies"] = [{"headers": {"response": {"set": {"x-frame": "deny"}}}}]
    assert peers.client(peers.gateway(settings)).get("/").get("x-frame") == "deny"


def test_templates_tell_of_request_route_and_client(peers):
    client = through(peers, {"headers": {"request": {"set": {
        "x-t": "{request.method} {request.host} {request.path} {request.query} {request.target}",
        "x-h": "<{request.header.x-in}>", "x-c": "{client.ip}", "x-r": "{route.name}",
        "x-none": "<{request.header.x-absent}>", "x-brace": "{{literal}}"}}}})
    told = Told(client.get("/a//b?c=d", "X-In: v", host="Shop.example.com:81"))
    assert told.get("x-t").lower() == "get shop.example.com /a/b c=d /a/b?c=d"
    assert told.get("x-h") == "<v>" and told.get("x-c") == "127.0.0.1"
    assert told.get("x-r") == "all" and told.get("x-none") == "<>"
    assert told.get("x-brace") in ("{literal}", "{literal}}")


def test_templates_of_responses_tell_of_the_response(peers):
    client = through(peers, {"headers": {"response": {"set": {
        "x-s": "{response.status} {response.header.content-type} {request.method}"}}}})
    assert client.get("/").get("x-s") == "200 application/json GET"


def test_values_from_requests_cannot_carry_lines(peers):
    client = through(peers, {"headers": {"response": {"set": {"x-q": "{request.query}"}}}})
    answer = client.get("/?a%0d%0aSet-Cookie:%20b=c")
    assert not answer.has("set-cookie") and "\n" not in answer.get("x-q")


@pytest.mark.parametrize("name", ["content-length", "transfer-encoding", "connection"])
def test_framing_cannot_be_configured_away(peers, name):
    path = peers.folder / "bad.yaml"
    gateways.write_config(path, config.proxy("http://127.0.0.1:1", policies=[
        {"headers": {"request": {"set": {name: "5"}}}}]))
    done = binary.command("check", "-c", path)
    assert done.returncode == 2 and name in (done.stdout + done.stderr).lower()


def test_a_request_id_is_made_and_told_to_both_sides(peers):
    client = through(peers, {"request_id": {}})
    ids = set()
    for _ in range(3):
        answer = client.get("/")
        told = Told(answer)
        uuid.UUID(told.get("x-request-id"))
        assert answer.get("x-request-id") in (None, told.get("x-request-id"))
        ids.add(told.get("x-request-id"))
    assert len(ids) == 3


def test_a_clients_request_id_is_not_trusted_by_default(peers):
    told = Told(through(peers, {"request_id": {}}).get("/", "X-Request-Id: forged"))
    assert told.get("x-request-id") != "forged"


def test_a_clients_request_id_may_be_trusted(peers):
    client = through(peers, {"request_id": {"trust": True}})
    assert Told(client.get("/", "X-Request-Id: a-1")).get("x-request-id") == "a-1"
    assert Told(client.get("/")).get("x-request-id")


@pytest.mark.parametrize("forged", ["x" * 5000, "a\tb", "a\"b\\", "\xe9"])
def test_odd_request_ids_are_replaced_even_when_trusted(peers, forged):
    told = Told(through(peers, {"request_id": {"trust": True}}).get("/", f"X-Request-Id: {forged}"))
    assert re.fullmatch(r"[0-9a-f-]+", told.get("x-request-id"))


def test_the_request_ids_form_and_header_can_be_chosen(peers):
    client = through(peers, {"request_id": {"header": "x-trace", "format": "hex"}})
    assert re.fullmatch("[0-9a-f]{32}", Told(client.get("/")).get("x-trace"))


def test_problems_and_access_log_carry_the_same_request_id(peers):
    backend = peers.backend(lambda connection: connection.recv_request() and None)
    gateway = peers.gateway(config.proxy(backend, policies=[{"request_id": {"trust": True}}]))
    answer = peers.client(gateway).get("/", "X-Request-Id: my-id")
    assert answer.json()["request_id"] == "my-id"
    assert gateway.wait_access_log()[0]["request_id"] == "my-id"
