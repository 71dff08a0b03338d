"""Attestation of the HTTP/2 and gRPC cells: which version each side really spoke, and that the
answer is the backend's, trailers included."""
from harness import attest, clients
from harness.attest import require
from harness.process import BenchError

PRIOR_KNOWLEDGE = "--http2-prior-knowledge"


def from_http2_clients(candidate, backend, path):
    """HTTP/2 from clients arrives, and the backend is still asked in HTTP/1.1."""
    _, want, want_body = attest.fetch(backend.port, path)
    got = clients.curl(candidate.server.port, path, PRIOR_KNOWLEDGE)
    require(got.status == 200 and got.version == "2", candidate,
            f"GET {path} gave {got.status} in HTTP/{got.version}")
    require(got.body == want_body, candidate, f"the body of {path} differs from the backend's")
    require(got.headers.get("content-type") == want.get("content-type"), candidate,
            "content-type differs")
    spoken = _spoken(clients.curl(candidate.server.port, "/echo", PRIOR_KNOWLEDGE).body)
    require(spoken == "HTTP/1.1", candidate, f"the backend was asked in {spoken}")
    return [f"HTTP/2 to the client; body of {path} equals the backend's ({len(got.body)} bytes)",
            "the backend was asked in HTTP/1.1"]


def to_http2_backend(candidate, backend, path):
    """The answer is of the backend that knows no other version; only that one tells a date."""
    done = attest.same_body(candidate, backend, path)
    want = clients.curl(backend.http2_port, path, PRIOR_KNOWLEDGE).headers["last-modified"]
    got = attest.fetch(candidate.server.port, path)[1].get("last-modified")
    require(got == want, candidate, f"last-modified is {got!r}, not the HTTP/2 backend's {want!r}")
    try:
        attest.fetch(backend.http2_port, path)
    except BenchError:
        return done + ["it came from the backend that answers nothing but HTTP/2"]
    raise BenchError("the HTTP/2 backend answers HTTP/1.1 as well")


def to_http2_nginx(candidate, backend, path):
    """The backend's own word is that it was asked in HTTP/2."""
    done = attest.same_body(candidate, backend, path)
    spoken = _spoken(attest.fetch(candidate.server.port, "/echo")[2])
    require(spoken == "HTTP/2.0", candidate, f"the backend was asked in {spoken}")
    return done + ["the backend was asked in HTTP/2"]


def _spoken(echoed):
    fields = dict(line.split("=", 1) for line in echoed.decode().splitlines() if "=" in line)
    return fields.get("protocol", "an unknown protocol")


def unary_grpc(candidate, backend, path):
    """The message comes back whole, and the call's status after it, in a trailer."""
    message = backend.run.parent / "grpc" / "request.bin"
    want = clients.grpc_call(backend.grpc_port, path, message)
    got = clients.grpc_call(candidate.server.port, path, message)
    for answer, who in ((want, "the backend"), (got, "it")):
        require(answer.status == 200, candidate, f"{who} answered {answer.status}")
        require(answer.headers.get("content-type") == "application/grpc", candidate,
                f"{who} answered with content-type {answer.headers.get('content-type')}")
        require(answer.trailers.get("grpc-status") == "0", candidate,
                f"{who} sent no grpc-status 0 in a trailer")
    require(got.body == want.body and len(got.body) > 5, candidate,
            "the reply differs from the backend's")
    return [f"reply equals the backend's ({len(got.body)} bytes)", "grpc-status: 0 in a trailer"]
