"""curl and nghttp, for the attestation of what Python's http.client cannot speak: TLS of a given
certificate, HTTP/2, and trailers."""
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from harness import certificate
from harness.process import BenchError


@dataclass
class Answer:
    status: int
    version: str      # "1.1" or "2"
    headers: dict     # names in lower case
    body: bytes
    trailers: dict = field(default_factory=dict)


def curl(port, path, *options, ca=None):
    """One GET; `ca` asks by TLS and accepts that certificate alone."""
    scheme = "https" if ca else "http"
    trust = ["--cacert", ca] if ca else []
    with tempfile.TemporaryDirectory() as folder:
        head, body = Path(folder) / "head", Path(folder) / "body"
        said = _run(["curl", "-sS", "--max-time", "20", "--dump-header", head, "--output", body,
                     "--write-out", "%{http_code} %{http_version}", "--connect-to",
                     f"::127.0.0.1:{port}", *trust, *options,
                     f"{scheme}://{certificate.NAME}:{port}{path}"])
        status, version = said.decode().split()
        fields = [line.split(":", 1) for line in head.read_text().splitlines() if ":" in line]
        return Answer(int(status), version,
                      {name.lower(): value.strip() for name, value in fields},
                      body.read_bytes() if body.exists() else b"")


def grpc_call(port, path, message):
    """One unary call by HTTP/2 with prior knowledge; `message` is a file, with its prefix."""
    command = ["nghttp", "--no-dep", "--timeout=20", f"--data={message}",
               "--header=content-type: application/grpc", "--header=te: trailers"]
    url = f"http://127.0.0.1:{port}{path}"
    frames = _run([*command, "--null-out", "--verbose", url]).decode(errors="replace")
    head, _, end = frames.partition("recv DATA frame")
    headers, trailers = _received(head), _received(end)
    return Answer(int(headers.get(":status", 0)), "2", headers, _run([*command, url]), trailers)


def _received(frames):
    return dict(re.findall(r"recv \(stream_id=\d+\) (:?[^:\s]+): (.*)", frames))


def _run(command):
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"{command[0]} failed: {error}") from error
    if done.returncode != 0:
        raise BenchError(f"{command[0]} got no answer: {done.stderr.decode().strip()[-200:]}")
    return done.stdout
