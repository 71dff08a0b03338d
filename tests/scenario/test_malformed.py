"""The tables of malformed and odd messages against the real binary: refused requests are answered
with the table's status and code, end the connection and never reach the backend; refused responses
become 502 and their connection is not used again. Accepted ones pass."""
import json
import pathlib

import pytest

from harness import config, raw, wire
from harness.raw import Raw

TABLES = pathlib.Path(__file__).parents[1] / "conformance"


def table(name):
    path = TABLES / f"{name}.json"
    rows = json.loads(path.read_text()) if path.exists() else []
    rows = rows.get("cases", rows) if isinstance(rows, dict) else rows
    return [pytest.param(row, id=row["name"].replace(" ", "-")) for row in rows]


def refused(row):
    return row["outcome"] == "refused"


def content(row):
    return row["bytes"].encode("latin-1")


@pytest.fixture(scope="module")
def counted(module_peers):
    origin = module_peers.origin()
    return origin, module_peers.gateway(config.proxy(origin))


def assert_refused(client, row):
    answer = client.recv_response()
    while answer.status == 200:  # good requests pipelined before the bad one
        answer = client.recv_response()
    assert answer.status == row["status"], answer
    problem = json.loads(answer.body)
    assert problem["code"] == row["code"], problem
    assert answer.get("connection") == "close"
    assert client.at_end()


@pytest.mark.parametrize("row", table("requests"))
def test_requests(counted, row):
    origin, gateway = counted
    before = len(origin.requests)
    with Raw(gateway.address()) as client:
        client.send(content(row))
        client.half_close()
        if refused(row):
            assert_refused(client, row)
            assert len(origin.requests) - before == row.get("before", 0)
        else:
            answer = client.recv_response(content(row).lstrip(b"\r\n").split(b" ")[0].decode())
            assert answer.status == row.get("status", 200), answer


@pytest.mark.parametrize("row", [r for r in table("requests") if len(r.values[0]["bytes"]) < 400][::4])
def test_requests_split_at_every_byte(counted, row):
    _, gateway = counted
    with Raw(gateway.address()) as client:
        try:
            client.send_split(content(row))
            client.half_close()
        except (BrokenPipeError, ConnectionResetError, OSError):
            pass  # refused before its last byte
        if refused(row):
            try:
                assert_refused(client, row)
            except ConnectionResetError:
                pass  # the answer was overtaken by the reset that our surplus bytes caused
        else:
            assert client.recv_response("HEAD" if content(row).startswith(b"HEAD") else "GET"
                                        ).status == row.get("status", 200)


class Feed:
    """A backend that answers with the row under test, then shows whether it is used again."""

    def __init__(self, peers):
        self.text, self.backend = b"", peers.backend(self.script)

    def script(self, connection):
        if connection.recv_request():
            connection.send(self.text)
            connection.half_close()
            connection.at_end()


@pytest.fixture(scope="module")
def fed(module_peers):
    feed = Feed(module_peers)
    return feed, module_peers.gateway(config.proxy(feed.backend))


@pytest.mark.parametrize("row", table("responses"))
def test_responses(fed, row):
    feed, gateway = fed
    feed.text, before = content(row), len(feed.backend.connections)
    with Raw(gateway.address()) as client:
        method = row.get("method", "GET")
        client.send(raw.request("/", method=method))
        if not refused(row):
            answer = client.recv_response(method)
            assert answer.status == row.get("status", answer.status), answer
        elif row.get("body_part"):  # refused after its head had passed on
            with pytest.raises((wire.ProtocolError, ConnectionResetError)):
                client.recv_response(method)
        else:
            answer = client.recv_response(method)
            assert answer.status == 502, answer
            if method != "HEAD":
                assert json.loads(answer.body)["code"].startswith("backend_")
    assert len(feed.backend.connections) == before + 1
    assert len(feed.backend.connections[-1].requests) == 1
