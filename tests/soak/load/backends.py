"""The backends: they answer what answers.py says, over each protocol, and keep nothing."""
import hashlib
import ssl
import time

from harness import raw, wire
from harness import websocket as ws
from harness.backend import ScriptedBackend
from harness.grpc_peer import GrpcBackend
from harness.http2_backend import Http2Backend
from harness.nginx import Nginx
from harness.tls import server_context
from harness.websocket_http2 import TAKES_WEBSOCKETS, Pipe

from .answers import answer_to

FILES = {"small": b"s" * 1_000, "large": b"l" * 200_000}


def serve_http1(connection):
    connection.stream.keep = False
    try:
        while request := connection.recv_head():
            connection.requests.clear()
            if request.get("expect", "").lower() == "100-continue":
                connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            wire.read_body(connection.stream, request, "none", keep=False)
            # Ends some of its connections, and says so: those are not taken for kept ones.
            closing = request.sha256.digest()[0] < 8 and request.body_length > 0
            connection.send(_http1_answer(request, closing))
            if closing:
                return
    except ssl.SSLError:  # the gateway gave it up, as its client did
        pass


def _http1_answer(request, closing):
    status, lines, body, chunked, wait = answer_to(request.target, request.headers,
                                                   request.sha256.hexdigest())
    time.sleep(wait)
    lines = [*lines, "Connection: close"] if closing else lines
    if not chunked:
        return raw.response(status, *lines, body=body)
    half = len(body) // 2
    return raw.response(status, *lines, "Transfer-Encoding: chunked", length=False) + raw.chunked(
        *filter(None, (body[:half], body[half:])))


def serve_http2(stream):
    try:
        if stream.method == "CONNECT":
            _echo_frames(stream)
        else:
            _answer_http2(stream)
    finally:
        with stream.connection.changed:
            stream.connection.streams.pop(stream.stream, None)
        stream.connection.backend.streams.remove(stream)


def _answer_http2(stream):
    digest = hashlib.sha256()
    while (piece := stream.piece()) is not None:
        digest.update(piece)
    status, lines, body, _, wait = answer_to(stream.target, stream.headers, digest.hexdigest())
    time.sleep(wait)
    stream.answer(status, *lines, body=body)


def _echo_frames(stream):
    stream.begin(200)
    pipe = Pipe(lambda: stream.piece() or b"")
    while got := ws.read_frame(pipe):
        stream.data(ws.frame(*got, masked=False))
        if got[0] == ws.CLOSE:
            break
    stream.end()
    while stream.piece() is not None:  # its own end comes after ours
        pass


class Http2(Http2Backend):
    def _serve(self, accepted):
        try:
            super()._serve(accepted)
        except ssl.SSLError:  # the gateway gave the connection up
            pass


class Backends:
    """All of them, each `url` by the name of its service."""

    def __init__(self, folder, certificates):
        http1 = server_context(certificates.server, alpn=["http/1.1"])
        http2 = server_context(certificates.server, alpn=["h2"])
        self.peers = {
            "http1": ScriptedBackend(serve_http1),
            "http1-b": ScriptedBackend(serve_http1),
            "http1s": ScriptedBackend(serve_http1, tls=http1),
            "http2": Http2(serve_http2, settings=TAKES_WEBSOCKETS),
            "http2s": Http2(serve_http2, settings=TAKES_WEBSOCKETS, tls=http2),
            "websocket": ws.EchoServer(),
            "grpc": GrpcBackend(),
            "files": Nginx(folder / "files", FILES),
            "filess": Nginx(folder / "filess", FILES, certificate=certificates.server),
        }
        self.urls = {name: peer.url for name, peer in self.peers.items()}

    def tidy(self):
        """Lets go of what the peers note for other tests."""
        self.peers["grpc"].calls.clear()
        self.peers["grpc"].remaining.clear()
        for name in ("http1", "http1-b", "http1s", "http2", "http2s"):
            connections = self.peers[name].connections
            connections[:] = [c for c in connections if not c.over.is_set()]

    def finish(self):
        failures = []
        for peer in self.peers.values():
            try:
                peer.finish()
            except Exception as failure:  # pylint: disable=broad-except
                failures.append(failure)
        assert not failures, failures
