"""The loads: wrk for as fast as it goes, fixed_rate for a given rate. One slice each."""
import json
import os
import resource
import subprocess
import time
from pathlib import Path

from harness.process import TICKS, BenchError, machine_ticks

SCRIPTS = Path(__file__).resolve().parent.parent / "load"


def _run(command, cores, seconds):
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                          preexec_fn=pin, timeout=seconds + 60)
    if done.returncode != 0:
        raise BenchError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def wrk(port, path, connections, seconds, headers=(), upload_bytes=0, cores=None):
    """One closed-loop slice; counts come from wrk's own summary."""
    command = ["wrk", "-t", 1, "-c", connections, "-d", f"{seconds}s", "--timeout", "10s"]
    for header in headers:
        command += ["-H", header]
    command += ["-s", SCRIPTS / "summary.lua", f"http://127.0.0.1:{port}{path}", "--", upload_bytes]
    out = _run(command, cores, seconds)
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


def measured(server, backend, load):
    """Runs one slice and adds what it cost: the server, the backend, and the whole machine."""
    own, other, machine, start = (server.usage(), backend.usage(), machine_ticks(),
                                  time.monotonic())
    children = _children_cpu()
    result = load()
    after, backend_after = server.usage(), backend.usage()
    result["own_cpu_s"] = (after["cpu_ns"] - own["cpu_ns"]) / 1e9
    user = after["user_ticks"] - own["user_ticks"]
    system = after["system_ticks"] - own["system_ticks"]
    result["own_user_share"] = user / (user + system) if user + system else 0
    result["backend_cpu_s"] = (backend_after["cpu_ns"] - other["cpu_ns"]) / 1e9
    result["load_cpu_s"] = _children_cpu() - children
    result["machine_cpu_s"] = (machine_ticks() - machine) / TICKS
    result["wall_s"] = time.monotonic() - start
    result["foreign_cpu_s"] = max(0.0, result["machine_cpu_s"] - result["own_cpu_s"] -
                                  result["backend_cpu_s"] - result["load_cpu_s"])
    result["peak_rss_kb"] = server.peak_rss_kb()
    return result


def _children_cpu():
    """CPU of ended children: the load generators, which alone are waited for during a slice."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
