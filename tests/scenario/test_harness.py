"""The peers against each other, without a gateway: what the scenarios rely on."""
import hashlib

import pytest

from harness import metrics, raw, wire
from harness.backend import ScriptedBackend, answering
from harness.clients import Load, curl
from harness.dns import Dns
from harness.nginx import Nginx
from harness.origin import Origin, Told, pattern
from harness.raw import Raw, chunked, request


@pytest.fixture
def origin():
    made = Origin()
    yield made
    made.finish()


def address(url):
    return url.removeprefix("http://")


def test_the_raw_client_hears_from_the_origin_what_it_sent(origin):
    with Raw(address(origin.url)) as client:
        told = Told(client.request(request("/a?b=c", "X-A: 1", method="POST", body=b"abc")))
    assert (told.method, told.target, told.body, told.get("x-a")) == ("POST", "/a?b=c", "abc", "1")


def test_chunked_requests_split_at_every_byte_arrive_whole(origin):
    text = request("/", "Transfer-Encoding: chunked", method="POST") + chunked(
        b"abc", b"defg", extension=";a=b", trailers=["x-t: 1"])
    with Raw(address(origin.url)) as client:
        told = Told(client.send_split(text).recv_response())
    assert told.sha256 == hashlib.sha256(b"abcdefg").hexdigest()
    assert told.trailers == [["x-t", "1"]]


@pytest.mark.parametrize("chunk", [False, True])
def test_the_origin_keeps_no_large_body(origin, chunk):
    """It would tell it in JSON, several times as long."""
    body = b"".join(pattern(1000000))
    sent = request("/", "Transfer-Encoding: chunked", method="POST") + chunked(
        body) if chunk else request("/", method="POST", body=body)
    with Raw(address(origin.url)) as client:
        told = Told(client.request(sent))
    assert (told.body, told.body_length) == ("", len(body))
    assert told.sha256 == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("kind", ["bytes", "chunked"])
def test_the_origin_streams_a_pattern(origin, kind):
    with Raw(address(origin.url)) as client:
        answer = client.get(f"/{kind}/1000000")
    assert answer.body == b"".join(pattern(1000000)) and len(answer.body) == 1000000


def test_the_origin_upgrades(origin):
    with Raw(address(origin.url)) as client:
        assert client.get("/upgrade", "Connection: upgrade", "Upgrade: x").status == 101
        assert client.send(b"abc").recv_exactly(3) == b"ABC"


@pytest.mark.parametrize("kind", ["ipv4", "ipv6", "unix"])
def test_backends_listen_on_every_kind_of_socket(kind, tmp_path):
    backend = ScriptedBackend(answering(raw.response(200, body=b"x")), kind=kind, folder=tmp_path)
    with Raw(address(backend.url)) as client:
        assert client.get("/").body == b"x"
    backend.finish()
    assert backend.requests[0].target == "/"


def test_a_script_that_fails_fails_the_test():
    backend = ScriptedBackend(lambda connection: 1 / 0)
    with Raw(address(backend.url)) as client:
        assert client.at_end()
    with pytest.raises(ZeroDivisionError):
        backend.finish()


@pytest.mark.parametrize("sloppy", [
    b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", b"HTTP/2.0 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"])
def test_the_reader_refuses_sloppy_responses(sloppy):
    backend = ScriptedBackend(answering(sloppy))
    with Raw(address(backend.url)) as client, pytest.raises(wire.ProtocolError):
        client.get("/")
    backend.finish()


def test_nginx_serves_files_to_curl_and_wrk(tmp_path):
    nginx = Nginx(tmp_path / "nginx", {"a.txt": b"content"})
    assert curl(f"{nginx.url}/a.txt").stdout == b"content"
    with Load(f"{nginx.url}/small", tmp_path, seconds=1) as load:
        pass
    load.assert_clean()
    with Load(f"{nginx.url}/missing", tmp_path, seconds=1) as load:
        pass
    assert load.result()["bad"] > 0 and load.statuses() == {"404"}
    nginx.finish()


def test_the_dns_server_answers():
    import socket
    server = Dns({"a.test": (["127.0.0.1"], 1)})
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x04test\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(query, ("127.0.0.1", server.port))
        assert client.recv(512).endswith(b"\x00\x04\x7f\x00\x00\x01")
    server.finish()


def test_metrics_are_parsed_with_labels():
    parsed = metrics.parse('# TYPE a counter\na{x="1",y="q\\"r"} 2\na{x="2"} 3\nb 1.5\n')
    assert parsed.sum("a") == 5 and parsed.sum("a", x="1") == 2 and parsed.sum("b") == 1.5
