"""A request and the answer that it must get. Every answer is made of its request's id, from the
first byte to the last, and tells the digest of the request's body: an answer, or a piece of one,
that belongs to another request cannot pass for the right one."""
import hashlib
import urllib.parse
import zlib

from harness import raw

LARGEST = 1_000_000


def body_of(ident, digest, size):
    """What backends answer: the id, what came, then `size` bytes that repeat the id."""
    word = f"{ident} ".encode()
    return f"{ident} {digest}\n".encode() + (word * (size // len(word) + 1))[:size]


def answer_to(target, headers, digest):
    """(status, header lines, body, chunked?, seconds to wait) of a backend that was asked so."""
    path, _, query = target.partition("?")
    if path == "/auth":
        return 200, [], b"", False, 0
    asked = dict(urllib.parse.parse_qsl(query))
    ident = path.rpartition("/")[2]
    said = [value for name, value in headers if name.lower() == "x-soak-id"]
    if said != [ident]:
        return 500, [], f"path of {ident}, headers of {said}".encode(), False, 0
    lines = [f"x-soak-id: {ident}", "content-type: text/plain"]
    return (200, lines, body_of(ident, digest, int(asked["size"])), asked["how"] == "chunked",
            float(asked.get("wait", 0)))


def some_size(random):
    """Mostly small, seldom large."""
    return random.randrange(random.choice([2_000] * 7 + [65_000] * 2 + [LARGEST]))


class Ask:
    """One request of a client; `ident` is used once in a soak."""

    def __init__(self, ident, service, random, size=None, upload=None, wait=0):
        self.ident = ident
        self.size = some_size(random) if size is None else size
        if upload is None:
            upload = some_size(random) if random.random() < 0.4 else 0
        self.body = random.randbytes(upload) if upload else None
        self.method = "GET" if self.body is None else random.choice(["POST", "PUT"])
        how = random.choice(["length", "chunked"])
        self.target = f"/{service}/echo/{ident}?size={self.size}&how={how}&wait={wait}"
        self.headers = [f"x-soak-id: {ident}"]
        if random.random() < 0.25:
            self.headers.append("accept-encoding: gzip")

    def http1(self, random):
        """As bytes; a body may go in chunks."""
        if self.body is None or random.random() < 0.5:
            return raw.request(self.target, *self.headers, method=self.method, body=self.body)
        cut = sorted({0, random.randrange(len(self.body)), len(self.body)})
        return (raw.request(self.target, *self.headers, "Transfer-Encoding: chunked",
                            method=self.method) +
                raw.chunked(*(self.body[a:b] for a, b in zip(cut, cut[1:]))))

    def check(self, answer):
        body = bytes(answer.body)
        assert answer.status == 200, (self.target, answer.status, answer.headers, body[:400])
        if answer.get("content-encoding") == "gzip":
            assert "accept-encoding: gzip" in self.headers, self.target
            body = zlib.decompress(body, 31)
        assert answer.get("x-soak-id") == self.ident, (self.ident, answer.headers)
        assert answer.get("x-config") and answer.get("x-request-id"), answer.headers
        expected = body_of(self.ident, hashlib.sha256(self.body or b"").hexdigest(), self.size)
        assert body == expected, (self.target, len(body), len(expected), body[:200])
