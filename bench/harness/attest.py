"""Attestation: before a cell counts, each candidate must be seen to do what the cell is about.

Every check raises BenchError with the candidate's name; what was checked goes into the result.
"""
import gzip
import http.client
import json
import re
import time

from harness.process import BenchError


def fetch(port, path, headers=None, method="GET", body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body=body, headers={"Host": "bench.test",
                                                             **(headers or {})})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"no answer for {method} {path}: {error!r}") from error
    finally:
        connection.close()


def require(condition, candidate, text):
    if not condition:
        raise BenchError(f"{candidate.name} fails its attestation: {text}")


def same_body(candidate, backend, path, headers=None):
    want_status, want, want_body = fetch(backend.port, path, headers)
    status, got, body = fetch(candidate.server.port, path, headers)
    require(want_status == 200 and status == 200, candidate, f"GET {path} gave {status}")
    require(body == want_body, candidate, f"the body of {path} differs from the backend's")
    require(got.get("content-type") == want.get("content-type"), candidate, "content-type differs")
    return [f"body of {path} equals the backend's ({len(body)} bytes)"]


def headers_and_log(candidate, backend, path):
    """Request id and the two header changes act, and each request leaves its JSON line."""
    done = same_body(candidate, backend, path)
    before = complete_lines(candidate, 1)
    _, got, echoed = fetch(candidate.server.port, "/echo")
    seen = dict(line.split("=", 1) for line in echoed.decode().splitlines())
    require(re.fullmatch(r"[0-9a-fA-F-]{32,36}", seen.get("x-request-id", "")), candidate,
            f"no request id at the backend, but {seen.get('x-request-id')!r}")
    require(seen.get("x-team") == "bench", candidate, "x-team is missing at the backend")
    require(got.get("x-served-by") == "bench", candidate, "x-served-by is missing at the client")
    require(got.get("x-request-id") == seen["x-request-id"], candidate,
            "the client got another request id than the backend")
    for _ in range(9):
        fetch(candidate.server.port, path)
    lines = complete_lines(candidate, before + 10)
    require(lines == before + 10, candidate, f"10 requests wrote {lines - before} log lines")
    last = [json.loads(line) for line in
            candidate.log_path.read_text().splitlines()[before:before + 10]]
    require(any(seen["x-request-id"] in map(str, entry.values()) for entry in last), candidate,
            "the log does not hold the request id")
    return done + ["request id at backend, client and log", "x-team and x-served-by set",
                   "10 requests, 10 JSON lines"]


def count_lines(path):
    count = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            count += block.count(b"\n")
    return count


def complete_lines(candidate, at_least, seconds=5):
    """Lines in the log once it holds `at_least`, or what it has after waiting."""
    deadline = time.monotonic() + seconds
    while True:
        lines = count_lines(candidate.log_path)
        if lines >= at_least or time.monotonic() > deadline:
            return lines
        time.sleep(0.1)


def authorises(candidate, backend, path):
    good = {"Authorization": "Bearer good"}
    done = same_body(candidate, backend, path, good)
    for headers in ({}, {"Authorization": "Bearer bad"}):
        status, _, _ = fetch(candidate.server.port, path, headers)
        require(status == 401, candidate, f"{headers or 'no token'} gave {status}, not 401")
    _, _, echoed = fetch(candidate.server.port, "/echo", good)
    require(b"x-user=alice" in echoed, candidate, "x-user of the service's answer is not passed on")
    return done + ["401 without and with a wrong token", "x-user reaches the backend"]


def compresses(candidate, backend, path):
    _, _, want = fetch(backend.port, path)
    status, got, body = fetch(candidate.server.port, path, {"Accept-Encoding": "gzip"})
    require(status == 200 and got.get("content-encoding") == "gzip", candidate,
            "the answer is not gzip")
    require(gzip.decompress(body) == want, candidate, "the decoded body differs")
    require("accept-encoding" in got.get("vary", "").lower(), candidate, "Vary is missing")
    _, plain, same = fetch(candidate.server.port, path)
    require("content-encoding" not in plain and same == want, candidate,
            "a client that asks for no coding got one")
    return [f"gzip of {len(want)} bytes decodes to the backend's body", f"{len(body)} bytes sent"]


def uploads(candidate, backend, path):
    status, _, body = fetch(candidate.server.port, path, method="POST", body=b"x" * 1_000_000)
    require(status == 200 and body == b"ok", candidate, f"POST {path} gave {status}")
    return ["1 MB POST answered by the backend"]
