"""Policy `grpc_web`: what a browser's client sends and reads, byte for byte, in front of a real gRPC
server."""
import base64

import pytest

from harness import config, raw
from harness.clients import curl

pytest.importorskip("grpc")
from harness.grpc_peer import PACKAGE, GrpcBackend, frame, frames  # noqa: E402


class Web:
    def __init__(self, peers, policies=(), **options):
        self.backend = peers.add(GrpcBackend())
        self.gateway = peers.gateway(config.proxy(
            self.backend, policies=[*policies, {"grpc_web": {}}],
            service={"protocol": "http2", **options.pop("service", {})}, **options))
        self.client = peers.client(self.gateway)

    def post(self, method, body, *headers, kind="application/grpc-web+proto", path=None):
        return self.client.request(raw.request(
            path or PACKAGE + method, f"Content-Type: {kind}", "X-Grpc-Web: 1", *headers,
            method="POST", body=body))


@pytest.fixture
def web(peers):
    return Web(peers)


def segments(text):
    """Base64 of padded segments behind each other."""
    out = b""
    while text:
        end = text.find(b"=")
        end = len(text) if end < 0 else end + 1 + text[end + 1:].startswith(b"=")
        out += base64.b64decode(text[:end], validate=True)
        text = text[end:]
    return out


def read(body):
    """(messages, trailers) of a binary body."""
    found = frames(body)
    assert [flags for flags, _ in found[:-1]] == [0] * (len(found) - 1) and found[-1][0] == 0x80
    lines = found[-1][1].decode().split("\r\n")
    assert lines[-1] == ""
    return [m for _, m in found[:-1]], dict(line.split(": ", 1) for line in lines[:-1])


def test_a_binary_call_is_answered(web):
    answer = web.post("Unary", frame(b"hello"))
    assert answer.status == 200 and answer.get("content-type") == "application/grpc-web+proto"
    messages, trailers = read(answer.body)
    assert messages == [b"hello"] and trailers["grpc-status"] == "0"
    assert not answer.trailers and not answer.has("trailer")
    assert web.gateway.wait_access_log()[0]["grpc_status"] == "0"


@pytest.mark.parametrize("padded", [False, True], ids=["one segment", "a segment a byte"])
def test_a_text_call_is_answered_in_text(web, padded):
    body = frame(b"hello there")
    text = (b"".join(base64.b64encode(body[i:i + 1]) for i in range(len(body))) if padded
            else base64.b64encode(body))
    for _ in range(2):
        answer = web.post("Unary", text, kind="application/grpc-web-text+proto")
        assert answer.get("content-type") == "application/grpc-web-text+proto"
        messages, trailers = read(segments(answer.body))
        assert messages == [b"hello there"] and trailers["grpc-status"] == "0"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_text_may_come_in_pieces_cut_anywhere(web, size):
    text = base64.b64encode(frame(b"hello there"))
    pieces = [text[i:i + size] for i in range(0, len(text), size)]
    head = raw.request(PACKAGE + "Unary", "Content-Type: application/grpc-web-text",
                       "Transfer-Encoding: chunked", method="POST")
    web.client.send(head)
    for piece in pieces:
        web.client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
    answer = web.client.send(b"0\r\n\r\n").recv_response("POST")
    assert read(segments(answer.body))[0] == [b"hello there"]


def test_accept_may_want_text_for_a_binary_request(web):
    answer = web.post("Unary", frame(b"x"), "Accept: application/grpc-web-text")
    assert answer.get("content-type") == "application/grpc-web-text+proto"
    assert read(segments(answer.body))[0] == [b"x"]


@pytest.mark.parametrize("text", [False, True], ids=["binary", "text"])
def test_a_server_stream_is_downloaded(web, text):
    kind = "application/grpc-web" + ("-text" if text else "")
    asked = frame(b"100,1001")
    answer = web.post("Download", base64.b64encode(asked) if text else asked, kind=kind)
    messages, trailers = read(segments(answer.body) if text else answer.body)
    assert len(messages) == 100 and messages[99] == b"\x63" * 1001
    assert trailers["grpc-status"] == "0"


def test_a_large_message_goes_both_ways(web):
    message = bytes(range(256)) * 20_000
    text = base64.b64encode(frame(message))
    answer = web.post("Unary", text, kind="application/grpc-web-text")
    assert read(segments(answer.body))[0] == [message]


def test_metadata_and_errors_are_in_the_frame(web):
    answer = web.post("Fail", frame(b""), "fail-code: 5", "fail-after: 1",
                      "fail-text-bin: " + base64.b64encode(b"not here").decode().rstrip("="))
    messages, trailers = read(answer.body)
    assert messages == [b"0"]
    assert trailers["grpc-status"] == "5" and trailers["grpc-message"] == "not here"
    assert trailers["x-why-bin"].rstrip("=") == "AP8"
    assert web.gateway.wait_access_log()[0]["grpc_status"] == "5"


def test_a_status_in_the_head_stays_there_and_is_exposed(web):
    answer = web.post("Nothing", frame(b""), "Origin: https://app.example.com")
    assert answer.status == 200 and answer.body == b""
    assert answer.get("content-type").startswith("application/grpc-web")
    assert answer.get("grpc-status") == "12"
    assert "grpc-status" in answer.get("access-control-expose-headers")


@pytest.mark.parametrize("kind,body", [
    ("application/grpc-web-text", b"no base64 at all!"), ("application/grpc-web-text", b"AAAAA"),
    ("application/grpc-web", b"\x80\0\0\0\0"), ("application/grpc-web", b"\0\0\0\0\5hell"),
    ("application/grpc-web", b"GET / HTTP/1.1\r\n\r\n")])
def test_a_body_that_is_no_grpc_web_is_refused(web, kind, body):
    answer = web.post("Unary", body, kind=kind)
    assert answer.status == 200 and answer.get("content-type") == kind and answer.body == b""
    assert answer.get("grpc-status") == "13" and "(grpc_web_invalid)" in answer.get("grpc-message")
    assert web.gateway.wait_access_log()[0]["error"] == "grpc_web_invalid"


@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_refusal_by_a_policy_is_readable(peers, place):
    deny = {"ip_filter": {"deny": ["127.0.0.0/8"]}}
    web = Web(peers, policies=[deny] if place == "before" else [])
    if place == "behind":
        web.gateway.reload(config.proxy(web.backend, policies=[{"grpc_web": {}}, deny],
                                        service={"protocol": "http2"}))
    answer = web.post("Unary", frame(b""), "Origin: https://a.example",
                      kind="application/grpc-web-text")
    assert answer.status == 200 and answer.get("content-type") == "application/grpc-web-text"
    assert answer.get("grpc-status") == "7" and "(ip_denied)" in answer.get("grpc-message")
    assert "grpc-status" in answer.get("access-control-expose-headers")
    assert answer.body == b"" and answer.get("x-request-id")


def test_no_route_is_readable_without_the_policy(peers):
    web = Web(peers, route={"match": {"path": "/other"}})
    answer = web.post("Unary", frame(b""))
    assert answer.get("content-type") == "application/grpc-web+proto"
    assert answer.get("grpc-status") == "12" and "(no_route)" in answer.get("grpc-message")


def test_a_backend_that_is_down_is_unavailable(peers):
    backend = peers.backend(lambda connection: connection.at_end())
    backend.stop_listening()
    gateway = peers.gateway(config.proxy(backend, policies=[{"grpc_web": {}}],
                                         service={"protocol": "http2"}))
    answer = peers.client(gateway).request(raw.request(
        PACKAGE + "Unary", "Content-Type: application/grpc-web", method="POST", body=frame(b"")))
    assert answer.get("grpc-status") == "14" and "(connect_failed)" in answer.get("grpc-message")


def test_the_clients_deadline_is_kept(web):
    answer = web.post("Wait", frame(b""), "grpc-timeout: 300m")
    status = answer.get("grpc-status") or read(answer.body)[1]["grpc-status"]
    assert status == "4"


def test_a_stream_that_takes_too_long_ends_with_a_status_in_the_frame(peers):
    """The head is out already, and the request still open."""
    web = Web(peers, service={"timeouts": {"total": "1s"}})
    head = raw.request(PACKAGE + "Chat", "Content-Type: application/grpc-web-text",
                       "Transfer-Encoding: chunked", method="POST")
    text = base64.b64encode(frame(b"one"))
    answer = web.client.send(head + b"%x\r\n%s\r\n" % (len(text), text)).recv_response("POST")
    messages, trailers = read(segments(answer.body))
    assert messages == [b"one"] and trailers["grpc-status"] == "4"
    assert "(total_timeout)" in trailers["grpc-message"]
    line = web.gateway.wait_access_log()[0]
    assert line["grpc_status"] == "4" and line["error"] == "total_timeout", line


def test_clients_of_http2_are_answered_too(web):
    answer = curl("--http2-prior-knowledge", "-H", "content-type: application/grpc-web",
                  "--data-binary", "@-", f"http://{web.gateway.address()}{PACKAGE}Unary",
                  stdin=frame(b"hello"))
    assert answer.returncode == 0, answer.stderr
    messages, trailers = read(answer.stdout)
    assert messages == [b"hello"] and trailers["grpc-status"] == "0"


def test_other_requests_pass_untouched(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin, policies=[{"grpc_web": {}}]))
    answer = peers.client(gateway).request(raw.request(
        "/x", "Content-Type: application/octet-stream", method="POST", body=frame(b"hello")))
    assert answer.status == 200
    request = origin.requests[-1]
    assert request.get("content-type") == "application/octet-stream"
    assert request.body == frame(b"hello") and not request.has("te")


def test_a_type_that_only_looks_like_it_passes_untouched(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin, policies=[{"grpc_web": {}}]))
    peers.client(gateway).request(raw.request(
        "/x", "Content-Type: application/grpc-webish", method="POST", body=b"abc"))
    assert origin.requests[-1].get("content-type") == "application/grpc-webish"
