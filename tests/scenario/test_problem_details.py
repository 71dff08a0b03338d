"""A problem's detail explains: who was too slow, the limit, and the setting that says it."""
import pytest

from harness import backend as backends
from harness import config, raw
from harness.raw import assert_problem, request


def silent(connection):
    connection.recv_request()
    connection.at_end()


def detail(peers, script, status, code, text=request("/"), **settings):
    gateway = peers.gateway(config.proxy(peers.backend(script), **settings))
    client = peers.client(gateway).send(text)
    return assert_problem(client.recv_response(), status, code)["detail"]


def test_a_body_that_stops(peers):
    text = request("/", "Content-Length: 10", method="POST") + b"abc"
    told = detail(peers, silent, 408, "body_timeout", text,
                  listener={"timeouts": {"body": "300ms"}})
    assert told == ("The client sent nothing of the request's body for 300ms "
                    "(timeouts.body of listener web).")


@pytest.mark.parametrize("setting,code,words", [
    ("first_byte", "first_byte_timeout", "The backend did not begin its response within 300ms"),
    ("total", "total_timeout", "The exchange took longer than 300ms"),
])
def test_a_backend_that_does_not_answer(peers, setting, code, words):
    told = detail(peers, silent, 504, code, service={"timeouts": {setting: "300ms"}})
    assert told == f"{words} (timeouts.{setting} of service app)."


@pytest.mark.parametrize("endpoint,code,words", [
    (None, "connect_failed", "No connection to service app: Connection refused."),
    ("unix:/nowhere/app.sock", "connect_failed",
     "No connection to service app: No such file or directory."),
    ("http://nowhere.invalid", "name_unresolved",
     "The name of an endpoint of service app was not resolved."),
])
def test_where_endpoints_are_is_not_told(peers, endpoint, code, words):
    """The access log names the endpoint that was tried."""
    listener, url = backends.listen()
    listener.close()
    gateway = peers.gateway(config.proxy(endpoint or url))
    assert assert_problem(peers.client(gateway).get("/"), 502, code)["detail"] == words
    if code == "connect_failed":
        assert gateway.wait_access_log()[0]["endpoint"] == (endpoint or url)


@pytest.mark.parametrize("answer,fault", [
    (b"HTTP/1.1 abc OK\r\n\r\n", "bad_status"),
    (raw.response(200, "Content-Length: 1", "Content-Length: 2", length=False),
     "content_length_differs"),
    (raw.response(200, "X : 1"), "space_before_colon"),
])
def test_a_malformed_response_names_its_fault(peers, answer, fault):
    assert detail(peers, answer, 502, "backend_protocol_error").startswith(f"{fault}: ")
