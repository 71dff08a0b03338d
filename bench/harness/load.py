"""The loads: wrk and h2load for as fast as it goes, fixed_rate for a given rate, handshakes.
Counts come from what the load generator itself saw to be right."""
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from harness import certificate, h2load
from harness.process import BenchError

SCRIPTS = Path(__file__).resolve().parent.parent / "load"


def _environment():
    """A load that is built with counters must not write into the gateway's profile."""
    return {name: value for name, value in os.environ.items() if name != "LLVM_PROFILE_FILE"}


@dataclass
class Load:
    """A load generator's command, and how what it prints becomes counts."""
    command: list
    read: object            # text -> requests, seconds, bytes, errors, and what else it counts
    seconds: float
    cores: set = None
    environment: dict = field(default_factory=dict)

    def start(self):
        pin = (lambda: os.sched_setaffinity(0, self.cores)) if self.cores else None
        try:
            return subprocess.Popen([str(c) for c in self.command], text=True, preexec_fn=pin,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    env={**_environment(), **self.environment})
        except OSError as error:
            raise BenchError(f"{self.command[0]} cannot be started: {error}") from error

    def counts(self, process, timeout=60):
        """What the process counted; waits for its end, and ends it when that does not come."""
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.communicate()
            raise BenchError(f"{self.command[0]} did not end: {error}") from error
        if process.returncode != 0:
            raise BenchError(f"{self.command[0]} failed: {err.strip() or out.strip()}")
        return self.read(out)

    def run(self):
        return self.counts(self.start(), self.seconds + 60)


def of_cell(cell, candidate, places, seconds, rate=None):
    """The load of a cell on one candidate."""
    port, cores = candidate.server.port, places.other_cores
    program = places.build / "bench" / ("fixed_rate" if cell.kind == "latency" else "handshakes")
    if cell.kind == "latency":
        return fixed_rate(program, port, cell.path, cell.connections, seconds, rate, cores)
    if cell.kind in ("handshakes", "resumed"):
        return handshakes(program, port, cell.connections, seconds, cell.kind == "resumed", cores)
    offer = certificate.offer(places.out / "run") if candidate.tls else {}
    url = f"{'https' if candidate.tls else 'http'}://127.0.0.1:{port}{cell.path}"
    if cell.kind == "streams":
        return Load(h2load.command(url, cell, seconds, places.out), h2load.counts, seconds, cores,
                    offer)
    return wrk(url, cell.connections, seconds, cell.headers, cell.upload_bytes, cores, offer)


def wrk(url, connections, seconds, headers=(), upload_bytes=0, cores=None, environment=None):
    """A closed loop; counts come from wrk's own summary."""
    command = ["wrk", "-t", 1, "-c", connections, "-d", f"{seconds}s", "--timeout", "10s"]
    for header in headers:
        command += ["-H", header]
    command += ["-s", SCRIPTS / "summary.lua", url, "--", upload_bytes]
    return Load(command, _wrk_counts, seconds, cores, environment or {})


def _wrk_counts(out):
    got = json.loads(out[out.rindex("SUMMARY ") + len("SUMMARY "):])
    bad = {k: got[k] for k in ("connect", "read", "write", "timeout", "status") if got[k]}
    return {"requests": got["requests"], "seconds": got["duration_us"] / 1e6,
            "bytes": got["bytes"], "errors": bad}


def fixed_rate(program, port, path, connections, seconds, rate, cores=None):
    """An open loop with latencies counted from when each request was due."""
    command = [program, "--port", port, "--path", path, "--connections", connections,
               "--rate", rate, "--seconds", seconds]

    def read(out):
        got = json.loads(out)
        bad = {k: got[k] for k in ("errors", "unanswered") if got[k]}
        # The half second of warm-up is in the CPU time as well, so it is in the count too.
        return {"requests": round(got["requests"] * (seconds + 0.5) / seconds),
                "seconds": seconds + 0.5, "bytes": got["body_bytes"], "errors": bad,
                **{k: got[k] for k in ("p50_us", "p90_us", "p99_us", "p999_us", "max_us")}}
    return Load(command, read, seconds, cores)


def handshakes(program, port, connections, seconds, resume, cores=None):
    """Connect, handshake, close, again; each one full, or each but the first ones resumed."""
    command = [program, "--port", port, "--name", certificate.NAME, "--connections", connections,
               "--seconds", seconds, "--suite", certificate.SUITE, "--group", certificate.GROUP,
               "--resume", int(resume)]

    def read(out):
        got = json.loads(out)
        full = got["handshakes"] - got["resumed"]
        # With nothing to resume yet, the first handshake of each connection is full.
        wrong_kind = max(0, full - connections) if resume else got["resumed"]
        bad = {k: got[k] for k in ("errors", "unanswered", "first_error") if got[k]}
        bad |= {"not resumed" if resume else "resumed": wrong_kind} if wrong_kind else {}
        return {"requests": got["handshakes"], "seconds": got["seconds"], "bytes": 0,
                "errors": bad}
    return Load(command, read, seconds, cores)
