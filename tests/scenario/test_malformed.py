"""The tables of malformed and odd messages (tests/conformance) against the real binary: refused
requests get their status and code, end the connection and never reach the backend whole; refused
responses become 502 and their connection is not used again; what is accepted passes."""
import json
import pathlib
import re

import pytest

from harness import config, raw, wire
from harness.raw import Raw
from harness.waiting import eventually

TABLES = pathlib.Path(__file__).parents[1] / "conformance"
# Refusals that can only be found behind a head that was good.
IN_CONTENT = re.compile("bad_chunk|chunk_|forbidden_trailer|trailers_too_large|bare_|control_byte|"
                        "bad_header_name|missing_colon|space_before|obs_fold|empty_header|header_")


# Rows at the limits of a parser left alone; the binary's own come from its configuration and are
# tested in test_limits.py.
PARSER_LIMITS = {"header line one byte too long", "endless header name", "endless status line",
                 "headers: 101"}


# Where HTTP/2 is spoken it begins an HTTP/2 connection.
PREFACE = "http/2 preface in full"


def rows_of(name):
    return json.loads((TABLES / f"{name}.json").read_text())


def table(name):
    return [pytest.param(row, id=row["name"].replace(" ", "-")) for row in rows_of(name)
            if row["name"] not in PARSER_LIMITS | {PREFACE}]


def content(row):
    text = row["bytes"]
    if "repeat" in row:
        text = text.replace("<<repeat>>", row["repeat"][0] * row["repeat"][1])
    return text.encode("latin-1")


def refused(row):
    return row["expect"] not in ("accepted", "incomplete")


def method_of(row):
    return content(row).lstrip(b"\r\n").split(b" ")[0].decode("latin-1")


@pytest.fixture(scope="module")
def fronted(module_peers):
    origin = module_peers.origin()
    return origin, module_peers.gateway(config.proxy(origin))


def whole_requests(origin):
    return sum(request.whole for request in origin.requests)


def assert_refused(client, row):
    answer = client.recv_response()
    problem = raw.assert_problem(answer, row["status"], row["expect"])
    assert answer.get("connection") == "close", problem
    assert client.at_end()


def assert_accepted(client, row):
    answer = client.recv_response(method_of(row))
    if answer.status == 400:  # well-formed, but its path is not one (docs: paths)
        assert answer.json()["code"].startswith("path_"), answer
    elif method_of(row) != "HEAD":
        assert answer.status == 200, answer
        if "content" in row:
            assert answer.json()["body"].encode("latin-1") == row["content"].encode("latin-1")


def check_request(fronted, row, send):
    origin, gateway = fronted
    before = whole_requests(origin)
    with Raw(gateway.address()) as client:
        send(client)
        if refused(row):
            assert_refused(client, row)
        elif row["expect"] == "incomplete":
            try:
                assert client.recv_response().status >= 400
            except (wire.Closed, ConnectionResetError):
                pass
        else:
            assert_accepted(client, row)
            return
    assert whole_requests(origin) == before


@pytest.mark.parametrize("row", table("requests"))
def test_requests(fronted, row):
    check_request(fronted, row, lambda client: client.send(content(row)).half_close())


def test_a_listener_without_http2_refuses_its_preface(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={"http2": {"enabled": False}}))
    row = next(row for row in rows_of("requests") if row["name"] == PREFACE)
    with Raw(gateway.address()) as client:
        assert_refused(client.send(content(row)), row)


@pytest.mark.parametrize("row", [r for r in table("requests") if len(content(r.values[0])) < 400])
def test_requests_split_at_every_byte(fronted, row):
    def send(client):
        try:
            client.send_split(content(row)).half_close()
        except OSError:
            pass  # refused before its last byte
    check_request(fronted, row, send)


class Feed:
    """A backend that answers with the row under test; open until the gateway closes, unless the
    row's meaning lies in the end of the connection."""

    def __init__(self, peers):
        self.row, self.backend = None, peers.backend(self.script)

    def script(self, connection):
        while connection.recv_request():
            row = self.row
            connection.send(content(row))
            if row["expect"] == "incomplete" or row.get("framing") == "until_close":
                connection.half_close()
                connection.at_end()
                return


@pytest.fixture(scope="module")
def fed(module_peers):
    feed = Feed(module_peers)
    return feed, module_peers.gateway(config.proxy(feed.backend))


def final_status(row):
    statuses = re.findall(rb"(?:\A|\r\n\r\n)HTTP/1\.[01] ([0-9]{3})", content(row))
    return int(statuses[-1])


def check_broken(client, row):
    try:
        answer = client.recv_response(row.get("method", "GET"))
    except (wire.ProtocolError, ConnectionResetError):
        assert row["expect"] == "incomplete" or IN_CONTENT.match(row["expect"]), "no 502 came"
        return
    assert answer.status == 502, answer
    if row.get("method") != "HEAD":
        assert answer.json()["code"].startswith("backend_"), answer


@pytest.mark.parametrize("row", table("responses"))
def test_responses(fed, row):
    feed, gateway = fed
    feed.row = row
    upgrade = ("Connection: upgrade", "Upgrade: x") if row.get("upgrade_sent") else ()
    method = row.get("method", "GET")
    with Raw(gateway.address()) as client:
        client.send(raw.request("/", *upgrade, method=method))
        if row["expect"] == "accepted":
            answer = client.recv_response(method)
            assert answer.status == final_status(row), answer
            assert "content" not in row or answer.body == row["content"].encode("latin-1")
        else:
            check_broken(client, row)
    if row["expect"] != "accepted" or not row["keep_alive"] or "left" in row:
        eventually(lambda: all(c.over.is_set() for c in feed.backend.connections),
                   "the end of the backend's connection")
