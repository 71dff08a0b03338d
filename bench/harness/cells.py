"""Cells: one scenario each, with who takes part in it, its load and its attestation."""
from dataclasses import dataclass, field

from harness import attest
from harness.candidates import Candidate

DOORWARD_URING, DOORWARD_EPOLL, COPY = "doorward-uring", "doorward-epoll", "doorward-uring-copy"
FLOOR_URING, FLOOR_EPOLL = "floor-uring", "floor-epoll"
OPTIONAL = ("envoy", "caddy", "pingora")


@dataclass
class Cell:
    name: str
    title: str
    feature: str
    path: str
    connections: int = 64
    headers: tuple = ()
    upload_bytes: int = 0
    body_bytes: int = 0                 # least bytes that each answer must have put on the wire
    check: object = attest.same_body
    featured: tuple = ()                # peers that do the same as Doorward in this cell
    control: bool = False
    with_optional: bool = False
    kind: str = "closed"                # closed (wrk), latency (fixed_rate), idle, routes
    unit: str = "µs/request"
    candidates: list = field(default_factory=list)

    def cast(self, optional):
        """Who takes part: Doorward and the floor on both loops, and nginx and HAProxy always."""
        logs = self.feature == "log"
        cast = [Candidate(DOORWARD_URING, "doorward", "uring", self.feature, logs),
                Candidate(DOORWARD_EPOLL, "doorward", "epoll", self.feature, logs),
                Candidate("nginx", "nginx"), Candidate("haproxy", "haproxy"),
                Candidate(FLOOR_URING, "floor", "uring"), Candidate(FLOOR_EPOLL, "floor", "epoll")]
        if self.control:
            cast.append(Candidate(COPY, "doorward", "uring", self.feature, logs))
        cast += [Candidate(f"{peer}-{self.feature}", peer, "epoll", self.feature, logs)
                 for peer in self.featured]
        if self.with_optional:
            cast += [Candidate(peer, peer) for peer in OPTIONAL if peer in optional]
        return cast

    def attest(self, candidate, backend):
        if candidate.feature == self.feature and candidate.kind != "floor":
            return self.check(candidate, backend, self.path)
        if self.upload_bytes:
            return attest.uploads(candidate, backend, self.path)
        return attest.same_body(candidate, backend, self.path, dict(h.split(": ") for h in
                                self.headers if not h.startswith("Accept-Encoding")))


def all_cells():
    small, auth = "/small.json", ("Authorization: Bearer good",)
    return [
        Cell("plain-64", "plain HTTP/1.1, 64 connections", "plain", small, 64, control=True,
             body_bytes=176, with_optional=True),
        Cell("plain-1", "plain HTTP/1.1, 1 connection", "plain", small, 1, body_bytes=176),
        Cell("plain-512", "plain HTTP/1.1, 512 connections", "plain", small, 512, body_bytes=176),
        Cell("log", "JSON access log, request id, two header changes, metrics", "log", small, 64,
             body_bytes=176, check=attest.headers_and_log, featured=("nginx", "haproxy"),
             control=True),
        Cell("auth", "external_auth against auth_request", "auth", small, 64, auth,
             body_bytes=176, check=attest.authorises, featured=("nginx",)),
        Cell("gzip", "gzip of a 50 KB JSON, level 5", "gzip", "/large.json", 16,
             ("Accept-Encoding: gzip",), body_bytes=1000, check=attest.compresses,
             featured=("nginx", "haproxy")),
        Cell("large", "10 MB responses", "plain", "/10m.bin", 8, body_bytes=10_000_000,
             unit="µs/MB"),
        Cell("upload", "1 MB uploads", "plain", "/upload", 8, upload_bytes=1_000_000,
             check=attest.uploads, unit="µs/MB"),
        Cell("latency", "latency at half of nginx's capacity", "plain", small, 64, body_bytes=176,
             kind="latency"),
        Cell("idle", "10,000 idle keep-alive connections", "plain", small, kind="idle",
             unit="bytes/connection"),
        Cell("routes", "matching one of 10,000 routes against one of 10", "plain", small,
             kind="routes", unit="ratio"),
    ]
