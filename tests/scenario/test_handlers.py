"""Routes that answer themselves: fixed responses and redirects."""
import pytest

from harness import config, raw
from harness.raw import request


def answering(peers, **route):
    settings = config.respond()
    settings["routes"] = [{"name": "all", **route}]
    return peers.client(peers.gateway(settings))


def test_a_fixed_response_has_what_was_configured(peers):
    client = answering(peers, respond={"status": 418, "body": "short and stout",
                                       "content_type": "text/plain", "headers": {"x-a": "b"}})
    for _ in range(2):
        answer = client.get("/")
        assert (answer.status, answer.body) == (418, b"short and stout")
        assert answer.get("content-type") == "text/plain" and answer.get("x-a") == "b"
        assert answer.get("content-length") == "15"


def test_a_fixed_response_to_head_has_no_body(peers):
    client = answering(peers, respond={"status": 200, "body": "abc"})
    assert client.get("/", method="HEAD").get("content-length") == "3"
    assert client.get("/").body == b"abc"


def test_a_fixed_response_does_not_wait_for_the_body_and_keeps_in_step(peers):
    client = answering(peers, respond={"status": 200, "body": "abc"})
    client.send(request("/", method="POST", body=b"GET /evil HTTP/1.1\r\nHost: a\r\n\r\n") +
                request("/next"))
    assert client.recv_response().body == b"abc"
    assert client.recv_response().body == b"abc"
    assert client.silent(0.2)


def test_204_has_no_body(peers):
    client = answering(peers, respond={"status": 204})
    answer = client.get("/")
    assert answer.status == 204 and not answer.has("content-length")
    assert client.get("/").status == 204


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects(peers, status):
    client = answering(peers, redirect={"to": "https://{request.host}{request.target}",
                                        "status": status})
    answer = client.get("/a/b?c=d", host="shop.example.com")
    assert answer.status == status
    assert answer.get("location") == "https://shop.example.com/a/b?c=d"
    assert client.get("/x").status == status


def test_a_redirect_cannot_be_made_to_carry_header_lines(peers):
    client = answering(peers, match={"path": "/**"},
                       redirect={"to": "https://e.test/?p={request.query}", "status": 302})
    answer = client.get("/a?x%0d%0aSet-Cookie:%20a=b")
    assert not answer.has("set-cookie")
    assert answer.get("location") == "https://e.test/?p=x%0d%0aSet-Cookie:%20a=b"


def test_a_redirect_may_keep_the_port_and_the_query(peers):
    client = answering(peers, match={"path": "/**"},
                       redirect={"to": "http://{request.header.host}/new{?request.query}",
                                 "status": 302})
    for target, place in (("/a", "http://a.test:8080/new"), ("/a?", "http://a.test:8080/new"),
                          ("/a?x=1&y", "http://a.test:8080/new?x=1&y"),
                          ("http://a.test:8080/a?x", "http://a.test:8080/new?x")):
        assert client.get(target, host="a.test:8080").get("location") == place


@pytest.mark.parametrize("value", ["", "a b", "a.test:x", "u@a.test", "\u00e9", '"'])
def test_a_redirect_goes_nowhere_without_a_host(peers, value):
    """The client's own header is all that the template has."""
    client = answering(peers, redirect={"to": "http://{request.header.x-to}/", "status": 308})
    answer = client.get("/", f"x-to: {value}")
    raw.assert_problem(answer, 500, "redirect_invalid")
    assert not answer.has("location")
    assert client.get("/", "x-to: a.test").get("location") == "http://a.test/"


def test_a_redirect_may_use_parameters(peers):
    client = answering(peers, match={"path": "/old/{id}"},
                       redirect={"to": "/new/{route.param.id}", "status": 308})
    assert client.get("/old/7").get("location") == "/new/7"
