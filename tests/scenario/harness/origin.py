"""Origin: a well-behaved backend that tells what it received.
  /bytes/N     N bytes with Content-Length     /chunked/N   the same chunked
  /status/S    an empty answer of status S     /upgrade     101, then bytes come back in capitals
  anything     JSON: method, target, headers as received, body (up to KEPT_MAX bytes, else none),
               its length and sha256, trailers
"""
import json

from . import raw, wire
from .backend import ScriptedBackend

BLOCK = bytes(range(256)) * 1024
KEPT_MAX = 1 << 16


def pattern(count):
    """The bytes of /bytes/N, piece by piece."""
    while count > 0:
        yield BLOCK[:min(count, len(BLOCK))]
        count -= len(BLOCK)


class Origin(ScriptedBackend):
    def __init__(self, name="origin", **options):
        self.name = name
        super().__init__(self._serve, **options)

    def _serve(self, connection):
        while request := connection.recv_head():
            if request.target.startswith("/upgrade"):
                self._upgrade(connection)
                return
            if request.get("expect", "").lower() == "100-continue":
                connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            wire.read_body(connection.stream, request, "none", keep_max=KEPT_MAX)
            self._answer(connection, request)
            if "close" in request.get("connection", "").lower() or request.version == 0:
                return

    def _answer(self, connection, request):
        words = request.target.split("?")[0].strip("/").split("/")
        if words[0] in ("bytes", "chunked") and len(words) == 2 and words[1].isdigit():
            self._stream(connection, request, words[0], int(words[1]))
        elif words[0] == "status" and len(words) == 2 and words[1].isdigit():
            status = int(words[1])
            connection.send(raw.response(status, length=status not in (204, 304)))
        else:
            body = self._told(request)
            head = raw.response(200, "Content-Type: application/json",
                                f"Content-Length: {len(body)}", length=False)
            connection.send(head if request.method == "HEAD" else head + body)

    def _told(self, request):
        return json.dumps({
            "origin": self.name, "connection": request.connection, "method": request.method,
            "target": request.target, "version": request.version, "headers": request.headers,
            "body_length": request.body_length, "sha256": request.sha256.hexdigest(),
            "body": request.body.decode("latin-1"), "framing": request.framing,
            "trailers": request.trailers}).encode()

    def _stream(self, connection, request, kind, count):
        sized = f"Content-Length: {count}" if kind == "bytes" else "Transfer-Encoding: chunked"
        connection.send(raw.response(200, "Content-Type: application/octet-stream", sized,
                                     length=False))
        if request.method == "HEAD":
            return
        for piece in pattern(count):
            connection.send(piece if kind == "bytes" else b"%x\r\n%s\r\n" % (len(piece), piece))
        if kind == "chunked":
            connection.send(b"0\r\n\r\n")

    def _upgrade(self, connection):
        protocol = connection.requests[-1].get("upgrade", "echo")
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                        b"Upgrade: " + protocol.encode() + b"\r\n\r\n")
        stream = connection.stream
        while stream.buffer or stream.fill():
            connection.send(stream.take(len(stream.buffer)).upper())


class Told:
    """What an Origin's JSON answer says it received."""

    def __init__(self, answer):
        assert answer.status == 200, answer
        self.__dict__.update(json.loads(answer.body))

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name):
        found = self.all(name)
        assert len(found) < 2, f"{name}: {found}"
        return found[0] if found else None
