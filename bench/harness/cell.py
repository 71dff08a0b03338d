"""Cell: one scenario, with who takes part in it, its load and its attestation."""
from dataclasses import dataclass, field

from harness import attest
from harness.candidates import Candidate

DOORWARD_URING, DOORWARD_EPOLL, COPY = "doorward-uring", "doorward-epoll", "doorward-uring-copy"
DOORWARD_PLAIN = "doorward-plain"
FLOOR_URING, FLOOR_EPOLL = "floor-uring", "floor-epoll"


@dataclass
class Cell:
    """`feature` names the configs (doorward/FEATURE.yaml, peers/FEATURE.*); `kind` the load:
    closed (wrk), latency (fixed_rate), streams (h2load), handshakes, resumed, idle, routes."""
    name: str
    title: str
    feature: str
    path: str
    connections: int = 64
    streams: int = 1                    # requests in flight on each connection (h2load)
    headers: tuple = ()
    upload_bytes: int = 0
    post: str = ""                      # a file of the run that each request carries (h2load)
    body_bytes: int = 0                 # least bytes that each answer must have put on the wire
    check: object = attest.same_body
    bare: bool = True                   # nginx and HAProxy with nothing on but the proxy
    floors: bool = True                 # the relays; left out where they cannot carry the load
    peers: tuple = ()                   # peers that do the same as Doorward, where none is bare
    featured: tuple = ()                # the same beside bare ones: their rows are called PEER-FEATURE
    own_plain: bool = False             # Doorward's plain proxy as well, to compare with
    control: bool = False
    marks: dict = field(default_factory=dict)  # of the feature's configs: mark -> the one it means
    optional: tuple = ()                # peers that take part where they could be had
    kind: str = "closed"
    unit: str = "µs/request"
    subject: str = "HTTP/1.1"
    candidates: list = field(default_factory=list)

    def cast(self, optional):
        """Who takes part: Doorward on both loops, and in every cell nginx and HAProxy where they
        can do what the cell is about."""
        cast = [self._candidate(DOORWARD_URING, "doorward", "uring"),
                self._candidate(DOORWARD_EPOLL, "doorward", "epoll")]
        if self.bare:
            cast += [Candidate("nginx", "nginx"), Candidate("haproxy", "haproxy")]
        if self.floors:
            cast += [Candidate(FLOOR_URING, "floor", "uring"),
                     Candidate(FLOOR_EPOLL, "floor", "epoll")]
        if self.own_plain:
            cast.append(Candidate(DOORWARD_PLAIN, "doorward", "uring"))
        if self.control:
            cast.append(self._candidate(COPY, "doorward", "uring"))
        cast += [self._candidate(peer, peer) for peer in self.peers]
        cast += [self._candidate(f"{peer}-{self.feature}", peer) for peer in self.featured]
        return cast + [self._candidate(peer, peer) for peer in self.optional if peer in optional]

    def _candidate(self, name, kind, loop="epoll"):
        return Candidate(name, kind, loop, self.feature, self.marks, logs=self.feature == "log")

    def attest(self, candidate, backend):
        if candidate.feature == self.feature and candidate.kind != "floor":
            return self.check(candidate, backend, self.path)
        if self.upload_bytes:
            return attest.uploads(candidate, backend, self.path)
        return attest.same_body(candidate, backend, self.path, dict(h.split(": ") for h in
                                self.headers if not h.startswith("Accept-Encoding")))
