"""What RFC 9113 §8 says of a request's head, content and trailers: what breaks a rule is answered
with its code and reset, the connection goes on, and the backend never hears of it."""
import pytest

from harness import config, wire
from harness.http2 import Code, Http2Client, Kind, fields_of, frame, number
from harness.origin import Told

GET = fields_of("/")
LONG = "a" * 20_000


def without(name, *more):
    return [pair for pair in GET if pair[0] != name] + list(more)


def having(name, value):
    """In the place of that field; pseudo-headers stay in front."""
    return [(n, value if n == name else v) for n, v in GET]


MALFORMED = {  # RFC 9113 §8.1.1: stream errors
    "no method": (without(":method"), "pseudo_header_missing"),
    "no scheme": (without(":scheme"), "pseudo_header_missing"),
    "no path": (without(":path"), "pseudo_header_missing"),
    "empty path": (having(":path", ""), "pseudo_header_missing"),
    "path twice": (GET[:3] + [(":path", "/")] + GET[3:], "pseudo_header_doubled"),
    "late pseudo-header": (without(":path", ("x", "y"), (":path", "/")), "pseudo_header_late"),
    "unknown pseudo-header": (GET + [(":color", "red")], "unknown_pseudo_header"),
    "a response's pseudo-header": (GET + [(":status", "200")], "unknown_pseudo_header"),
    "scheme": (having(":scheme", "ftp"), "bad_scheme"),
    "method": (having(":method", "GE T"), "bad_method"),
    "absolute target": (having(":path", "http://b/"), "target_form"),
    "asterisk": (having(":path", "*"), "target_form"),
    "space in target": (having(":path", "/a HTTP/1.1"), "bad_target"),
    "CRLF in target": (having(":path", "/a\r\nx: y"), "bad_target"),
    "fragment": (having(":path", "/a#b"), "target_fragment"),
    "no host": (without(":authority"), "host_missing"),
    "hosts that differ": (GET + [("host", "other")], "host_differs"),
    "user in authority": (having(":authority", "me@a"), "target_userinfo"),
    "space in name": (GET + [("x y", "1")], "bad_header_name"),
    "underscore": (GET + [("content_length", "1")], "ambiguous_header_name"),
    "upper case": (GET + [("X-One", "1")], "header_name_upper_case"),
    "CRLF in value": (GET + [("x", "a\r\nb: c")], "bad_header_value"),
    "NUL in value": (GET + [("x", "a\0b")], "bad_header_value"),
    "space before value": (GET + [("x", " a")], "bad_header_value"),
    "connection": (GET + [("connection", "close")], "connection_specific_header"),
    "transfer-encoding": (GET + [("transfer-encoding", "chunked")], "connection_specific_header"),
    "upgrade": (GET + [("upgrade", "websocket")], "connection_specific_header"),
    "te": (GET + [("te", "gzip")], "bad_te"),
    "lengths that differ": (GET + [("content-length", "1"), ("content-length", "2")],
                            "content_length_differs"),
    "length": (GET + [("content-length", "1x")], "bad_content_length"),
}
REFUSED = {  # sound messages with a sound answer
    "long target": (having(":path", "/" + LONG), 414, "target_too_long"),
    "many fields": (GET + [(f"x-{n}", "y") for n in range(101)], 431, "too_many_headers"),
    "many bytes": (GET + [(f"x-{n}", "v" * 7000) for n in range(6)], 431, "head_too_large"),
    "expectation": (GET + [("expect", "the best")], 417, "unknown_expectation"),
    "CONNECT": ([(":method", "CONNECT"), (":authority", "a:1")], None, "connect_unsupported"),
}
TAKEN = {
    "host instead of authority": without(":authority", ("host", "example.com")),
    "host that agrees": GET + [("host", "EXAMPLE.com:80")],
    "te: trailers": GET + [("te", "trailers")],
    "cookies in pieces": GET + [("cookie", "a=b"), ("cookie", "c=d")],
    "empty value": GET + [("x-empty", "")],
}


def named(table):
    return [pytest.param(*(row if isinstance(row, tuple) else (row,)), id=name.replace(" ", "-"))
            for name, row in table.items()]


@pytest.fixture(scope="module")
def guarded(module_peers):
    origin = module_peers.origin()
    return origin, module_peers.gateway(config.proxy(origin))


@pytest.fixture
def client(guarded):
    with Http2Client(guarded[1].address()) as made:
        yield made


@pytest.mark.parametrize("fields,code", named(MALFORMED))
def test_malformed_requests(guarded, client, fields, code):
    before = len(guarded[0].requests)
    stream = client.open(fields)
    assert client.reset_of(stream) == Code.PROTOCOL_ERROR
    answer = client.answers[stream]
    assert answer.status == 400 and code in bytes(answer.body).decode(), answer
    assert len(guarded[0].requests) == before
    assert client.get("/").status == 200
    assert guarded[1].metrics().sum("doorward_parser_refusals_total", code=code) >= 1


@pytest.mark.parametrize("fields,status,code", named(REFUSED))
def test_refused_requests(guarded, client, fields, status, code):
    before = len(guarded[0].requests)
    answer = client.answer(client.open(fields))
    assert answer.json()["code"] == code
    assert answer.status == status or status is None and 400 <= answer.status < 502
    assert len(guarded[0].requests) == before
    assert client.get("/").status == 200


@pytest.mark.parametrize("fields", named(TAKEN))
def test_accepted_requests(client, fields):
    told = Told(client.answer(client.open(fields)))
    assert told.get("host").lower().removesuffix(":80") == "example.com"
    assert not told.all("te")
    if any(name == "cookie" for name, _ in fields):
        assert told.get("cookie") == "a=b; c=d"  # RFC 9113 §8.2.3


def test_asterisk_is_for_options(client):
    assert client.answer(client.open([(":method", "OPTIONS")] + having(":path", "*")[1:])
                         ).status in (200, 204, 404)


@pytest.mark.parametrize("length,body", [("3", b"four"), ("5", b"four"), ("5", b"")])
def test_content_that_is_not_as_long_as_announced(client, length, body):
    stream = client.open(fields_of("/", f"content-length: {length}", method="POST"), end=False)
    client.data(stream, body, end=True)
    assert client.reset_of(stream) == Code.PROTOCOL_ERROR
    assert client.get("/").status == 200


@pytest.mark.parametrize("trailer", ["content-length: 1", ":path: /", "connection: close",
                                     "X-Upper: 1"])
def test_trailers_that_are_not_allowed(client, trailer):
    stream = client.open(fields_of("/", method="POST"), end=False)
    client.data(stream, b"x")
    name, _, value = trailer.rpartition(": ")
    client.h2.send_headers(stream, [(name, value)], end_stream=True)
    client.flush()
    assert client.reset_of(stream) == Code.PROTOCOL_ERROR
    assert client.get("/").status == 200


CONNECTION_ERRORS = {
    "DATA on stream 0": (frame(Kind.DATA, b"x"), Code.PROTOCOL_ERROR),
    "HEADERS on an even stream": (frame(Kind.HEADERS, b"\x82\x86\x84\x41\x01a", 5, 2),
                                  Code.PROTOCOL_ERROR),
    "CONTINUATION alone": (frame(Kind.CONTINUATION, b"\x82", 4, 1), Code.PROTOCOL_ERROR),
    "PUSH_PROMISE": (frame(Kind.PUSH_PROMISE, number(2) + b"\x82", 4, 1), Code.PROTOCOL_ERROR),
    "PING of five bytes": (frame(Kind.PING, b"short"), Code.FRAME_SIZE_ERROR),
    "SETTINGS of five bytes": (frame(Kind.SETTINGS, b"short"), Code.FRAME_SIZE_ERROR),
    "a frame that is too large": (frame(Kind.DATA, b"x" * 20_000, 0, 1), Code.FRAME_SIZE_ERROR),
    "a window beyond its most": (frame(Kind.WINDOW_UPDATE, number(0x7fffffff)),
                                 Code.FLOW_CONTROL_ERROR),
    "a window of nothing": (frame(Kind.WINDOW_UPDATE, number(0)), Code.PROTOCOL_ERROR),
    "HPACK nonsense": (frame(Kind.HEADERS, b"\xff\xff\xff\xff\xff", 5, 1), Code.COMPRESSION_ERROR),
    "an initial window beyond its most": (frame(Kind.SETTINGS, b"\x00\x04" + number(0x80000000)),
                                          Code.FLOW_CONTROL_ERROR),
}


@pytest.mark.parametrize("broken,code", named(CONNECTION_ERRORS))
def test_what_breaks_a_connection(guarded, peers, broken, code):
    frames = peers.frames(guarded[1].address()).ready()
    frames.send(broken)
    assert frames.ending() == code


def test_a_frame_within_a_head_breaks_the_connection(guarded, peers):
    frames = peers.frames(guarded[1].address()).ready()
    frames.send(frame(Kind.HEADERS, b"\x82", 1, 1) + frame(Kind.PING, b"12345678"))
    assert frames.ending() == Code.PROTOCOL_ERROR


def test_a_stream_that_ended_stays_ended(guarded, peers):
    frames = peers.frames(guarded[1].address()).ready()
    frames.send(frames.head(1)).until(Kind.DATA, 1)
    frames.send(frames.head(1))
    assert frames.ending() == Code.STREAM_CLOSED


def test_a_preface_that_is_none_is_no_http2(guarded, peers):
    client = peers.client(guarded[1])
    client.send(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")
    try:
        assert client.recv_response().status in (400, 505)
    except (wire.Closed, ConnectionResetError):
        pass


def test_connections_that_broke_are_counted_and_told(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    frames = peers.frames(gateway).ready()
    frames.send(frame(Kind.PING, b"short")).ending()
    event = gateway.wait_event("http2_connection_broken")
    assert (event["reason"], event["listener"]) == ("protocol_error", "web")
    assert gateway.metrics().sum("doorward_http2_connections_broken_total",
                                 reason="protocol_error", listener="web") == 1
