"""Policy `compress`: gzip, brotli, zstd by Accept-Encoding (RFC 9110 §12.5.3)."""
import gzip
import subprocess
import threading
import zlib

import pytest

from harness import config, raw
from harness.clients import curl
from harness.raw import chunked, request

TEXT = b'{"some": "json that repeats itself"}, ' * 2000
TYPE = "Content-Type: application/json"


def decoded(coding, data):
    if coding == "gzip":
        return gzip.decompress(data)
    tool = {"br": "brotli", "zstd": "zstd"}[coding]
    return subprocess.run([tool, "-dc"], input=data, capture_output=True, check=True).stdout


def compressing(peers, answer, **settings):
    backend = peers.backend(answer) if not hasattr(answer, "url") else answer
    return peers.client(peers.gateway(config.proxy(backend, policies=[{"compress": settings}])))


def json_answer(*headers, body=TEXT, status=200):
    return raw.response(status, TYPE, *headers, body=body)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_each_coding_of_each_framing_is_byte_equal_after_decoding(peers, coding, framing):
    def script(connection):
        while connection.recv_request():
            if framing == "length":
                connection.send(json_answer())
            elif framing == "chunked":
                connection.send(raw.response(200, TYPE, "Transfer-Encoding: chunked", length=False)
                                + chunked(TEXT[:5], TEXT[5:70000], TEXT[70000:]))
            else:
                connection.send(raw.response(200, TYPE, "Connection: close", length=False) + TEXT)
                return
    client = compressing(peers, script)
    for _ in range(2):
        answer = client.get("/", f"Accept-Encoding: {coding}")
        assert answer.get("content-encoding") == coding
        # A body that was compressed in one piece has its own length; never the backend's.
        assert answer.get("content-length") != str(len(TEXT))
        assert "accept-encoding" in answer.get("vary").lower()
        assert len(answer.body) < len(TEXT) / 5 and decoded(coding, answer.body) == TEXT


@pytest.mark.parametrize("accept,coding", [
    ("gzip, br, zstd", ("zstd",)), ("gzip, br", ("br",)), ("gzip;q=1, br;q=0.5", ("gzip",)),
    ("*", ("zstd", "br", "gzip")), ("gzip;q=0, *;q=0.1", ("zstd", "br")), ("identity", None),
    ("gzip;q=0", None), ("*;q=0", None), ("", None), ("x-gzip", ("gzip", None)),
    ("GZIP", ("gzip",)),
    ("deflate", None), ("gzip;q=0.001", ("gzip", None)), ("identity;q=1, gzip;q=0.5",
                                                           ("gzip", None)),
    ("br;q=abc", None)])
def test_accept_encoding_is_understood(peers, accept, coding):
    answer = compressing(peers, json_answer()).get("/", f"Accept-Encoding: {accept}")
    got = answer.get("content-encoding")
    assert got in (coding if isinstance(coding, tuple) else (coding,)), answer.headers
    assert answer.status == 200
    if got is None:
        assert answer.body == TEXT


def test_without_accept_encoding_nothing_is_compressed_but_vary_is_said(peers):
    answer = compressing(peers, json_answer()).get("/")
    assert answer.body == TEXT and not answer.has("content-encoding")
    assert "accept-encoding" in answer.get("vary").lower()


@pytest.mark.parametrize("answer", [
    json_answer(body=b"small"),
    raw.response(200, "Content-Type: image/png", body=TEXT),
    raw.response(200, body=TEXT),
    json_answer("Content-Encoding: gzip", body=gzip.compress(TEXT)),
    json_answer("Cache-Control: public, no-transform"),
    json_answer("Content-Range: bytes 0-75999/100000", status=206)],
    ids=["small", "image", "no type", "already", "no-transform", "range"])
def test_what_must_stay_stays_byte_for_byte(peers, answer):
    body = answer.split(b"\r\n\r\n", 1)[1]
    got = compressing(peers, answer).get("/", "Accept-Encoding: gzip, br, zstd")
    assert got.body == body and got.get("content-length") == str(len(body))


def test_requests_with_no_transform_are_respected_in_responses_only(peers):
    got = compressing(peers, json_answer("Cache-Control: NO-TRANSFORM")).get(
        "/", "Accept-Encoding: gzip")
    assert not got.has("content-encoding")


@pytest.mark.parametrize("etag,after", [('"abc"', 'W/"abc"'), ('W/"abc"', 'W/"abc"')])
def test_strong_etags_become_weak(peers, etag, after):
    client = compressing(peers, json_answer(f"ETag: {etag}"))
    assert client.get("/", "Accept-Encoding: gzip").get("etag") == after
    assert client.get("/").get("etag") == etag


def test_not_modified_confirms_the_tag_that_the_client_was_given(peers):
    client = compressing(peers, raw.response(304, 'ETag: "abc"', length=False))
    encoded = client.get("/", "Accept-Encoding: gzip", 'If-None-Match: W/"abc"')
    assert (encoded.status, encoded.get("etag"), encoded.get("vary")) == (
        304, 'W/"abc"', "Accept-Encoding")
    plain = client.get("/", 'If-None-Match: "abc"')
    assert (plain.status, plain.get("etag")) == (304, '"abc"')


def test_a_part_varies_as_the_whole_does(peers):
    client = compressing(peers, raw.response(206, TYPE, "Content-Range: bytes 0-3/5000",
                                             body=b"abcd"), min_size="1B")
    answer = client.get("/", "Accept-Encoding: gzip", "Range: bytes=0-3")
    assert (answer.body, answer.get("vary")) == (b"abcd", "Accept-Encoding")
    assert not answer.has("content-encoding")


def test_ranges_are_not_offered_for_what_is_compressed(peers):
    answer = compressing(peers, json_answer("Accept-Ranges: bytes")).get(
        "/", "Accept-Encoding: gzip")
    assert answer.get("accept-ranges") in (None, "none")


def test_an_existing_vary_is_kept(peers):
    client = compressing(peers, json_answer("Vary: Origin"))
    values = ", ".join(client.get("/", "Accept-Encoding: gzip").all("vary")).lower()
    assert "origin" in values and "accept-encoding" in values


def test_head_is_not_answered_with_a_body(peers):
    client = compressing(peers, raw.response(200, TYPE, f"Content-Length: {len(TEXT)}",
                                             length=False))
    for _ in range(2):
        assert client.get("/", "Accept-Encoding: gzip", method="HEAD").body == b""


@pytest.mark.parametrize("status", [204, 304])
def test_bodiless_answers_stay_bodiless(peers, status):
    client = compressing(peers, raw.response(status, TYPE, 'ETag: "a"', length=False))
    for _ in range(2):
        answer = client.get("/", "Accept-Encoding: gzip")
        assert answer.status == status and not answer.has("content-encoding")


def test_what_must_not_wait_is_flushed(peers):
    """An event stream: each event can be decoded before the next one exists."""
    more = threading.Event()

    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, "Content-Type: text/event-stream",
                                     "Transfer-Encoding: chunked", length=False) +
                        b"9\r\ndata: 1\n\n\r\n")
        assert more.wait(20)
        connection.send(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")
    client = compressing(peers, script, types=["text/event-stream"])
    head = client.send(request("/", "Accept-Encoding: gzip")).recv_head()
    assert head.get("content-encoding") == "gzip"
    decoder, text = zlib.decompressobj(31), b""
    while text != b"data: 1\n\n":
        size = int(client.stream.line().split(b";")[0], 16)
        text += decoder.decompress(client.recv_exactly(size + 2)[:-2])
    more.set()
    while size := int(client.stream.line().split(b";")[0], 16):
        text += decoder.decompress(client.recv_exactly(size + 2)[:-2])
    assert text == b"data: 1\n\ndata: 2\n\n"


def test_http_1_0_clients_get_compressed_bodies_to_the_close(peers):
    client = compressing(peers, json_answer())
    answer = client.request(request("/", "Accept-Encoding: gzip", version="1.0"))
    assert answer.framing == "close" and gzip.decompress(answer.body) == TEXT


def test_algorithms_and_sizes_can_be_chosen(peers):
    client = compressing(peers, json_answer(body=TEXT[:500]), algorithms=["gzip"], min_size="100B")
    answer = client.get("/", "Accept-Encoding: zstd, br, gzip")
    assert answer.get("content-encoding") == "gzip" and gzip.decompress(answer.body) == TEXT[:500]


def test_large_bodies_are_compressed_as_they_flow(peers):
    origin = peers.origin()
    client = compressing(peers, origin, types=["application/octet-stream"])
    answer = client.get("/chunked/30000000", "Accept-Encoding: gzip")
    assert len(gzip.decompress(answer.body)) == 30000000


def test_a_body_cut_short_is_not_completed(peers):
    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, TYPE, "Content-Length: 100000", length=False) +
                        TEXT[:50000])
    client = compressing(peers, script)
    client.send(request("/", "Accept-Encoding: gzip"))
    assert client.recv_head().status == 200
    assert not client.stream.to_end().endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_curl_decodes_every_coding(peers, coding):
    backend = peers.backend(json_answer())
    gateway = peers.gateway(config.proxy(backend, policies=[
        {"compress": {"algorithms": [coding]}}]))
    assert curl("--compressed", f"http://{gateway.address()}/").stdout == TEXT


def test_doorwards_own_answers_are_compressed_too(peers):
    settings = config.respond(text=TEXT.decode())
    settings["routes"][0]["respond"]["content_type"] = "application/json"
    settings["routes"][0]["policies"] = [{"compress": {}}]
    answer = peers.client(peers.gateway(settings)).get("/", "Accept-Encoding: gzip")
    assert answer.status == 200
    body = gzip.decompress(answer.body) if answer.has("content-encoding") else answer.body
    assert body == TEXT
