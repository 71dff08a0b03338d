"""The loads: wrk and h2load for as fast as it goes, fixed_rate for a given rate, handshakes. One
slice each; counts come from what the load generator itself saw to be right."""
import json
import os
import subprocess
from pathlib import Path

from harness import certificate, h2load
from harness.process import BenchError

SCRIPTS = Path(__file__).resolve().parent.parent / "load"


def of_cell(cell, candidate, places, seconds, rate=None):
    """The load of a cell on one candidate, as a function without arguments."""
    port, cores = candidate.server.port, places.other_cores
    program = places.build / "bench" / ("fixed_rate" if cell.kind == "latency" else "handshakes")
    if cell.kind == "latency":
        return lambda: fixed_rate(program, port, cell.path, cell.connections, seconds, rate, cores)
    if cell.kind in ("handshakes", "resumed"):
        return lambda: handshakes(program, port, cell.connections, seconds,
                                  cell.kind == "resumed", cores)
    offer = certificate.offer(places.out / "run") if candidate.tls else None
    url = f"{'https' if candidate.tls else 'http'}://127.0.0.1:{port}{cell.path}"
    if cell.kind == "streams":
        command = h2load.command(url, cell, seconds, places.out)
        return lambda: h2load.counts(_run(command, cores, seconds, offer))
    return lambda: wrk(url, cell.connections, seconds, cell.headers, cell.upload_bytes, cores,
                       offer)


def _run(command, cores, seconds, environment=None):
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                              preexec_fn=pin, timeout=seconds + 60,
                              env={**os.environ, **(environment or {})})
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"{command[0]} failed: {error}") from error
    if done.returncode != 0:
        raise BenchError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def wrk(url, connections, seconds, headers=(), upload_bytes=0, cores=None, environment=None):
    """One closed-loop slice; counts come from wrk's own summary."""
    command = ["wrk", "-t", 1, "-c", connections, "-d", f"{seconds}s", "--timeout", "10s"]
    for header in headers:
        command += ["-H", header]
    command += ["-s", SCRIPTS / "summary.lua", url, "--", upload_bytes]
    out = _run(command, cores, seconds, environment)
    got = json.loads(out[out.rindex("SUMMARY ") + len("SUMMARY "):])
    bad = {k: got[k] for k in ("connect", "read", "write", "timeout", "status") if got[k]}
    return {"requests": got["requests"], "seconds": got["duration_us"] / 1e6,
            "bytes": got["bytes"], "errors": bad}


def fixed_rate(program, port, path, connections, seconds, rate, cores=None):
    """One open-loop slice with latencies counted from when each request was due."""
    out = _run([program, "--port", port, "--path", path, "--connections", connections,
                "--rate", rate, "--seconds", seconds], cores, seconds)
    got = json.loads(out)
    bad = {k: got[k] for k in ("errors", "unanswered") if got[k]}
    # The half second of warm-up is in the CPU time as well, so it is in the count too.
    return {"requests": round(got["requests"] * (seconds + 0.5) / seconds), "seconds": seconds + 0.5,
            "bytes": got["body_bytes"], "errors": bad,
            "p50_us": got["p50_us"], "p90_us": got["p90_us"], "p99_us": got["p99_us"],
            "p999_us": got["p999_us"], "max_us": got["max_us"]}


def handshakes(program, port, connections, seconds, resume, cores=None):
    """One slice of connect, handshake, close; each one full, or each but the first ones resumed."""
    out = _run([program, "--port", port, "--name", certificate.NAME, "--connections", connections,
                "--seconds", seconds, "--suite", certificate.SUITE, "--group", certificate.GROUP,
                "--resume", int(resume)], cores, seconds)
    got = json.loads(out)
    full = got["handshakes"] - got["resumed"]
    # With nothing to resume yet, the first handshake of each connection is full.
    wrong_kind = max(0, full - connections) if resume else got["resumed"]
    bad = {k: got[k] for k in ("errors", "unanswered", "first_error") if got[k]}
    bad |= {"not resumed" if resume else "resumed": wrong_kind} if wrong_kind else {}
    return {"requests": got["handshakes"], "seconds": got["seconds"], "bytes": 0, "errors": bad}
