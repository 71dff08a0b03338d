"""The access log: a JSON line per request, never in a request's way."""
import datetime
import json
import os
import signal
import threading

import pytest

from harness import config, raw
from harness import websocket as ws
from harness.clients import Load
from harness.http2 import END_HEADERS, END_STREAM, Kind, frame
from harness.raw import Raw, assert_problem, chunked, request
from harness.waiting import DEADLINE, eventually
from harness.websocket import Frames


def logged(peers, *requests, backend=None, **top):
    gateway = peers.gateway(config.proxy(backend or peers.origin(), **top))
    for text in requests:
        with Raw(gateway.address()) as client:
            client.request(text)
    return gateway, gateway.wait_access_log(len(requests))


def test_a_line_tells_the_whole_story(peers):
    origin = peers.origin()
    _, lines = logged(peers, request("/a//b?c=d", "User-Agent: me/1", method="POST",
                                     body=b"x" * 100, host="Shop.example.com"), backend=origin)
    line, = lines
    assert line["method"] == "POST" and line["path"] == "/a/b" and line["query"] == "c=d"
    assert line["host"].lower() == "shop.example.com" and line["protocol"] == "HTTP/1.1"
    assert line["status"] == 200 and line["client_ip"] == "127.0.0.1"
    assert (line["listener"], line["route"], line["service"]) == ("web", "all", "app")
    assert origin.url.removeprefix("http://") in line["endpoint"] and line["attempts"] == 1
    assert line["user_agent"] == "me/1" and line["request_id"] and line["time"].endswith("Z")
    assert line["bytes_in"] > 100 and line["bytes_out"] > 200
    assert line["total_us"] >= line["first_byte_us"] >= 0 and line["connect_us"] >= 0
    assert line["response_us"] >= 0 and not line.get("error")


def test_every_request_has_exactly_one_line(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    with Raw(gateway.address()) as client:
        client.send(b"".join(request(f"/{n}") for n in range(50)))
        for _ in range(50):
            client.recv_response()
    gateway.wait_access_log(50)
    gateway.stop()
    assert [line["path"] for line in gateway.access_log()] == [f"/{n}" for n in range(50)]
    assert len({line["request_id"] for line in gateway.access_log()}) == 50


def test_replies_tell_their_code(peers):
    _, lines = logged(peers, request("/gone"), route={"match": {"path": "/here"}})
    assert (lines[0]["status"], lines[0]["error"]) == (404, "no_route")


def test_refusals_of_policies_tell_the_policy(peers):
    _, lines = logged(peers, request("/"), policies=[{"ip_filter": {"deny": ["127.0.0.1"]}}])
    assert (lines[0]["status"], lines[0]["error"], lines[0]["policy"]) == (403, "ip_denied",
                                                                          "ip_filter")


def test_malformed_requests_are_logged_with_their_code(peers):
    began = datetime.datetime.now(datetime.UTC)
    _, lines = logged(peers, b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n")
    assert (lines[0]["status"], lines[0]["error"]) == (400, "space_before_colon")
    took = datetime.datetime.now(datetime.UTC) - began
    assert lines[0]["total_us"] <= took / datetime.timedelta(microseconds=1)
    assert datetime.datetime.fromisoformat(lines[0]["time"]) > began - datetime.timedelta(seconds=1)


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 abc OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
])
def test_a_malformed_response_is_logged_with_its_fault(peers, answer):
    gateway = peers.gateway(config.proxy(peers.backend(answer)))
    peers.client(gateway).send(request("/"))
    line = gateway.wait_access_log()[0]
    assert line["error"] == "backend_protocol_error"
    assert line["fault"] in ("bad_status", "bad_chunk_size")


def test_retries_of_stale_connections_are_counted(peers):
    def script(connection):
        if connection.recv_request():
            connection.send(raw.response(200, body=b"ok"))
            connection.stream.fill(1)
    _, lines = logged(peers, request("/1"), request("/2"), backend=peers.backend(script))
    assert [line["status"] for line in lines] == [200, 200]
    assert lines[1]["attempts"] in (1, 2)


def test_a_client_that_leaves_is_logged(peers):
    def script(connection):
        connection.recv_request()
        connection.at_end()
    backend = peers.backend(script)
    gateway = peers.gateway(config.proxy(backend))
    client = peers.client(gateway)
    client.send(request("/left"))
    backend.wait_requests()
    client.reset()
    line = gateway.wait_access_log()[0]
    assert line["path"] == "/left" and line["status"] in (0, 499) and line["error"]


def test_odd_bytes_stay_valid_json_on_one_line(peers):
    _, lines = logged(peers, request("/a%22b%0a\"", "User-Agent: \xff\xfe\"\\\t<>", host="a.test"),
                      request("/?q=%22\"'", method="X-ODD!"))
    assert len(lines) == 2 and all(line["status"] in (200, 400) for line in lines)


def test_secrets_in_queries_are_masked(peers):
    gateway, lines = logged(peers, request("/?a=b&token=hunter2&password=hunter3"))
    assert "hunter" not in gateway.access_path.read_text() and "a=b" in lines[0]["query"]


def test_fields_can_be_chosen(peers):
    _, lines = logged(peers, request("/a"), access_log={"path": "stdout",
                                                         "fields": ["status", "path"]})
    assert lines == [{"status": 200, "path": "/a"}]


def test_the_log_can_be_off(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), access_log="off"))
    assert peers.client(gateway).get("/").status == 200
    gateway.stop()
    assert gateway.access_path.read_text() == ""


def moved_away(peers):
    """(gateway, its client, the path of its log): the file with the first line has another name."""
    path = peers.folder / "access.log"
    gateway = peers.gateway(config.proxy(peers.origin(), access_log={"path": str(path)}))
    client = peers.client(gateway)
    client.get("/1")
    gateway.wait_access_log(1, path)
    path.rename(path.with_suffix(".old"))
    return gateway, client, path


def test_a_file_is_rotated_on_sighup(peers):
    gateway, client, path = moved_away(peers)
    client.get("/2")
    gateway.wait_access_log(2, path.with_suffix(".old"))
    gateway.reload()
    client.get("/3")
    assert [line["path"] for line in gateway.wait_access_log(1, path)] == ["/3"]


def test_a_file_is_rotated_on_sigusr1_without_a_reload(peers):
    gateway, client, path = moved_away(peers)
    gateway.process.send_signal(signal.SIGUSR1)
    eventually(path.exists, "the new file")
    client.get("/2")
    assert [line["path"] for line in gateway.wait_access_log(1, path)] == ["/2"]
    assert not gateway.events("reloaded", "reload_failed", "draining")


def test_lines_in_flight_are_written_before_the_end(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    with Raw(gateway.address()) as client:
        for number in range(20):
            client.get(f"/{number}")
    gateway.stop()
    assert len(gateway.access_log()) == 20


def test_a_full_disk_stops_no_request_and_is_counted(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), access_log={"path": "/dev/full"}))
    client = peers.client(gateway)
    for _ in range(50):
        assert client.get("/").status == 200
    eventually(lambda: gateway.metrics().sum("doorward_access_log_errors_total") > 0,
               "the error's count")
    told = [e for e in gateway.events() if "/dev/full" in str(e)]
    assert told and "space" in str(told).lower()


def test_a_full_disk_is_told_with_the_way_out_and_when_it_is_over(peers):
    """As on a disk, the lines that waited are written then."""
    path = peers.folder / "access.log"
    path.symlink_to("/dev/full")
    gateway = peers.gateway(config.proxy(peers.origin(), access_log={"path": str(path)}))
    assert peers.client(gateway).get("/").status == 200
    told = gateway.wait_event("access_log_failed")
    assert told["path"] == str(path) and "No space left" in told["error"]
    assert "lines wait in memory" in told["effect"] and "free space there" in told["hint"]
    path.unlink()
    gateway.signal(signal.SIGHUP)
    gateway.wait_event("access_log_recovered")
    assert gateway.wait_access_log(path=path)[0]["path"] == "/"


@pytest.mark.parametrize("path", ["/nonexistent/folder/access.log", "/proc/nothing"])
def test_a_file_that_cannot_be_opened_is_named(peers, path):
    gateway = peers.gateway(config.proxy(peers.origin(), access_log={"path": path}), ready=False)
    gateway.expected_status = gateway.process.wait(20)
    assert gateway.expected_status in (1, 2) and path in gateway.stderr()


def test_a_reader_that_blocks_stops_no_request(peers):
    """The log is a pipe that nobody reads: lines are dropped and counted."""
    reader = os.path.join(peers.folder, "fifo")
    os.mkfifo(reader)
    end = os.open(reader, os.O_RDWR | os.O_NONBLOCK)  # keeps the pipe open, reads only later
    gateway = peers.gateway(config.proxy(peers.nginx(), access_log={"path": reader,
                                                                    "buffer": "64KiB"}))
    with Load(f"http://{gateway.address()}/small", peers.folder, seconds=3) as load:
        pass
    load.assert_clean()
    dropped = gateway.metrics().sum("doorward_access_log_dropped_total")
    assert dropped > 0
    text = bytearray()

    def all_accounted_for():
        try:
            text.extend(os.read(end, 1 << 20))
        except BlockingIOError:
            pass
        metrics = gateway.metrics()
        return (text.count(b"\n") + metrics.sum("doorward_access_log_dropped_total") ==
                metrics.sum("doorward_requests_total"))
    eventually(all_accounted_for, "each request's line, written or counted as dropped")
    assert all(json.loads(line) for line in text.splitlines())
    gateway.stop()
    os.close(end)


def test_bytes_are_those_on_the_wire(peers):
    text = request("/", "Transfer-Encoding: chunked", method="POST") + chunked(b"abc", b"def")
    backend = peers.backend(raw.response(200, "Date: x", body=b"y" * 50))
    gateway = peers.gateway(config.proxy(backend))
    with Raw(gateway.address()) as client:
        answer = client.request(text)
    line = gateway.wait_access_log()[0]
    assert line["bytes_in"] == len(text) and line["bytes_out"] == len(answer.head) + 50


def test_steps_are_timed(peers):
    step = threading.Event()

    def script(connection):
        connection.recv_request()
        step.wait(0.2)
        connection.send(raw.response(200, "Content-Length: 4", length=False) + b"ab")
        step.wait(0.2)
        connection.send(b"cd")
    _, lines = logged(peers, request("/"), backend=peers.backend(script))
    line = lines[0]
    # A busy machine may read the head late, which then counts to the wait before it.
    assert line["first_byte_us"] >= 190000
    assert line["first_byte_us"] + line["response_us"] >= 390000
    assert line["total_us"] >= line["first_byte_us"] + line["response_us"] - 1000


def test_a_response_that_did_not_come_tells_how_long_it_was_awaited(peers):
    backend = peers.backend(lambda connection: connection.recv_request() and connection.at_end())
    gateway = peers.gateway(config.proxy(backend, service={"timeouts": {"first_byte": "200ms"}}))
    assert_problem(peers.client(gateway).get("/"), 504, "first_byte_timeout")
    line = gateway.wait_access_log()[0]
    assert line["first_byte_us"] >= 190_000
    assert line["total_us"] >= line["first_byte_us"] + line["response_us"]


# Steps that a request did not come to, or that no request waits for, have no field.
WAITS = ["head_us", "retried_us", "queue_us", "connect_us", "upload_us", "response_policies_us",
         "body_us"]


def test_a_plain_request_has_no_time_of_what_did_not_happen(peers):
    _, lines = logged(peers, request("/1"), backend=peers.nginx({"1": b"small"}))
    line = lines[0]
    assert [name for name in WAITS if name in line] == ["connect_us"]
    assert line["send_us"] >= 0 and line["connect_us"] >= 0 and "policies_us" not in line


def test_a_kept_connection_has_no_connect_us(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    client = peers.client(gateway)
    for _ in range(2):
        client.get("/")
    assert ["connect_us" in line for line in gateway.wait_access_log(2)] == [True, False]


@pytest.mark.parametrize("version", [1, 2])
def test_a_head_in_several_pieces_tells_how_long_it_took(peers, version):
    gateway = peers.gateway(config.proxy(peers.origin()))
    if version == 1:
        client = peers.client(gateway)
        begin, rest = b"GET /slow HTTP/1.1\r\nHo", b"st: a\r\n\r\n"
    else:
        client = peers.frames(gateway).ready()
        block = client.block()
        begin = frame(Kind.HEADERS, block[:4], END_STREAM, 1)
        rest = frame(Kind.CONTINUATION, block[4:], END_HEADERS, 1)
    client.send(begin)
    peers.client(gateway).get("/between")  # the core has seen the beginning when it answers this
    client.send(rest)
    lines = {line["path"]: line for line in gateway.wait_access_log(2)}
    assert lines.pop("/between").get("head_us") is None
    (line,) = lines.values()
    assert line["head_us"] > 0


def test_a_head_that_never_ends_tells_how_long_it_was_awaited(peers):
    gateway = peers.gateway(config.proxy(peers.origin(),
                                         listener={"timeouts": {"header": "200ms"}}))
    client = peers.client(gateway).send(b"GET / HTTP/1.1\r\nHo")
    assert client.recv_response().status == 408
    line = gateway.wait_access_log()[0]
    assert line["head_us"] >= 190_000 and line["total_us"] < line["head_us"]


def test_the_wait_for_a_connection_is_told_apart(peers):
    busy = threading.Semaphore(0)

    def script(connection):
        while connection.recv_request():
            assert busy.acquire(timeout=DEADLINE)
            connection.send(raw.response(200))
    backend = peers.backend(script)
    gateway = peers.gateway(config.proxy(backend, service={"pool": {"max_connections": 1}}))
    first = peers.client(gateway).send(request("/first"))
    backend.wait_requests()
    second = peers.client(gateway).send(request("/second"))
    eventually(lambda: gateway.metrics().sum("doorward_service_waiting", service="app") == 1,
               "one that waits")
    busy.release(2)
    assert first.recv_response().status == second.recv_response().status == 200
    lines = {line["path"]: line for line in gateway.wait_access_log(2)}
    assert "queue_us" not in lines["/first"] and "connect_us" in lines["/first"]
    assert lines["/second"]["queue_us"] > 0 and "connect_us" not in lines["/second"]


def test_earlier_attempts_are_told_apart_from_the_last(peers):
    def script(connection):
        if connection.recv_request():
            connection.send(raw.response(200))
            if connection.recv_request():
                connection.reset()
    gateway = peers.gateway(config.proxy(peers.backend(script)))
    client = peers.client(gateway)
    for _ in range(2):
        assert client.get("/").status == 200
    first, second = gateway.wait_access_log(2)
    assert first["attempts"] == 1 and "retried_us" not in first
    assert second["attempts"] == 2 and "connect_us" in second
    spent = second["retried_us"] + second["connect_us"] + second["send_us"]
    assert spent + second["first_byte_us"] <= second["total_us"]


def test_a_connection_that_could_not_be_opened_tells_how_long_it_was_tried(peers):
    _, lines = logged(peers, request("/"), backend="http://127.0.0.1:1")
    assert lines[0]["error"] == "connect_failed" and "connect_us" in lines[0]
    assert "send_us" not in lines[0] and "first_byte_us" not in lines[0]


def test_the_upload_and_the_download_of_a_body_are_told(peers):
    go_on = threading.Event()

    def script(connection):
        head = connection.recv_head()
        pieces = connection.body_pieces(head)
        next(pieces)
        go_on.set()
        for _ in pieces:
            pass
        connection.send(raw.response(200, "Content-Length: 4", length=False) + b"ab")
        go_on.wait(DEADLINE)
        connection.send(b"cd")
    gateway = peers.gateway(config.proxy(peers.backend(script), policies=[{"request_id": {}}]))
    client = peers.client(gateway).send(
        request("/", "Content-Length: 4", method="POST") + b"ab")
    assert go_on.wait(DEADLINE)
    go_on.clear()
    client.send(b"cd")
    assert client.recv_head().status == 200
    go_on.set()
    assert client.recv_exactly(4) == b"abcd"
    line = gateway.wait_access_log()[0]
    assert line["upload_us"] > 0 and line["first_byte_us"] >= line["upload_us"]
    assert line["response_us"] >= line["body_us"] > 0 and "policies_us" in line


def test_an_upgraded_connection_counts_as_the_body(peers):
    gateway = peers.gateway(config.proxy(peers.backend(Frames(ws.echo))))
    client = ws.opened(peers, gateway)
    client.send(ws.close_frame(1000))
    ws.read_close(client.stream)
    client.half_close()
    line = gateway.wait_access_log()[0]
    assert line["status"] == 101 and line["response_us"] >= line["body_us"] >= 0


def test_response_policies_are_told(peers):
    _, lines = logged(peers, request("/"), policies=[{"headers": {"response": {"set": {"a": "b"}}}}])
    assert lines[0]["response_us"] >= lines[0]["response_policies_us"] >= 0
