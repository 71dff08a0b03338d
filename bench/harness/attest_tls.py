"""Attestation of the TLS cells: the version, suite, group and certificate that were agreed on with
a client that offers what the loads offer, and the backend's answer through it."""
import os
import re
import subprocess

from harness import attest, certificate, clients
from harness.attest import require
from harness.process import BenchError

# What `openssl s_client -brief` says of a handshake, and what it must say here.
AGREED = {"Protocol version": "TLSv1.3", "Ciphersuite": certificate.SUITE,
          "Server Temp Key": f"{certificate.GROUP}, 253 bits", "Signature type": "ECDSA",
          "Peer certificate": f"CN = {certificate.NAME}"}


def tls_http1(candidate, backend, path):
    return _handshake(candidate) + _same_answer(candidate, backend, path, "--http1.1", "1.1")


def tls_http2(candidate, backend, path):
    return _handshake(candidate) + _same_answer(candidate, backend, path, "--http2", "2")


def _handshake(candidate):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{candidate.server.port}",
               "-servername", certificate.NAME, "-brief"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=20, env={**os.environ, **certificate.offer(candidate.run)})
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"{candidate.name}: openssl s_client failed: {error}") from error
    said = done.stdout + done.stderr
    for name, want in AGREED.items():
        got = re.search(f"^{name}: (.*)$", said, re.MULTILINE)
        require(got and got[1].strip() == want, candidate,
                f"{name} is {got[1].strip() if got else 'unknown: ' + said.strip()[-200:]}")
    return [f"{name}: {want}" for name, want in AGREED.items()]


def _same_answer(candidate, backend, path, option, version):
    _, want, want_body = attest.fetch(backend.port, path)
    got = clients.curl(candidate.server.port, path, option, ca=candidate.run / "certificate.pem")
    require(got.status == 200, candidate, f"GET {path} over TLS gave {got.status}")
    require(got.version == version, candidate, f"HTTP/{got.version} was spoken, not {version}")
    require(got.body == want_body, candidate, f"the body of {path} differs from the backend's")
    require(got.headers.get("content-type") == want.get("content-type"), candidate,
            "content-type differs")
    return [f"HTTP/{version} over it; body of {path} equals the backend's ({len(got.body)} bytes)"]
