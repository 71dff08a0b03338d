"""h2load: its command for a cell, and what its report says."""
import re

from harness import certificate

# Lines of the report; a slice counts only when all of them are there.
REPORT = {
    "finished": r"^finished in ([\d.]+)(us|ms|s|m)\b",
    "protocol": r"^Application protocol: (\S+)",
    "requests": r"^requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, "
                r"(\d+) errored, (\d+) timeout",
    "status": r"^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx",
    "traffic": r"^traffic: .*\((\d+)\) data",
}
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}


def command(url, cell, seconds, out):
    """A closed loop on one thread. It has no warm-up of its own: what is not counted would cost
    CPU all the same, and each candidate was warmed before its first slice."""
    words = ["h2load", "--threads=1", f"--clients={cell.connections}",
             f"--max-concurrent-streams={cell.streams}", f"--duration={seconds}",
             "--npn-list=h2", "--no-tls-proto=h2c", f"--tls13-ciphers={certificate.SUITE}",
             f"--groups={certificate.GROUP}"]
    if cell.post:
        words.append(f"--data={out / cell.post}")
    return words + [f"--header={header}" for header in cell.headers] + [url]


def counts(text):
    """The counts of a slice: only 2xx are requests, and anything else is an error."""
    found = {name: re.search(pattern, text, re.MULTILINE) for name, pattern in REPORT.items()}
    missing = [name for name, match in found.items() if match is None]
    if missing:
        return {"requests": 0, "bytes": 0, "seconds": 0, "errors":
                {"not in h2load's report": missing, "report": text.strip()[-400:]}}
    succeeded, failed, errored, timeout = map(int, found["requests"].groups())
    good, *statuses = map(int, found["status"].groups())
    bad = {"failed": failed, "errored": errored, "timeout": timeout,
           **dict(zip(("3xx", "4xx", "5xx"), statuses)), "not 2xx": max(0, succeeded - good)}
    if found["protocol"][1] not in ("h2", "h2c"):
        bad["protocol"] = found["protocol"][1]
    return {"requests": min(good, succeeded), "bytes": int(found["traffic"][1]),
            "seconds": float(found["finished"][1]) * SECONDS[found["finished"][2]],
            "errors": {name: value for name, value in bad.items() if value}}
