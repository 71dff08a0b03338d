"""WebSockets over HTTP/2 (RFC 8441): both ends of a stream, read and written as if it were a
socket, so that harness.websocket's frames go over it."""
import threading

from . import websocket as ws
from .http2 import Setting

TAKES_WEBSOCKETS = {Setting.ENABLE_CONNECT_PROTOCOL: 1}


class Pipe:
    """What read_frame() wants: a buffer that fills. `more()`: the next bytes; none at the end."""

    def __init__(self, more):
        self.more, self.buffer = more, bytearray()

    def fill(self):
        data = self.more()
        self.buffer += data
        return bool(data)

    def exactly(self, count, what="bytes"):
        while len(self.buffer) < count:
            assert self.fill(), f"the stream ended while {what} was read"
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data


class Http2Socket:
    """A client's WebSocket on a stream of an Http2Client."""

    def __init__(self, client, *headers, path="/socket"):
        self.client, self.used = client, 0
        client.until(lambda: client.h2.remote_settings.get(Setting.ENABLE_CONNECT_PROTOCOL),
                     "SETTINGS")
        fields = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", client.scheme),
                  (":path", path), (":authority", "example.com"),
                  ("sec-websocket-version", "13")]
        fields += [(name.lower(), value) for name, _, value in (h.partition(": ") for h in headers)]
        self.number = client.open(fields, end=False)
        self.answer = client.head(self.number)
        self.stream = Pipe(self._more)

    def _more(self):
        self.client.until(lambda: len(self.answer.body) > self.used or self.answer.over, "bytes")
        data = bytes(self.answer.body[self.used:])
        self.used += len(data)
        return data

    def send(self, data):
        self.client.data(self.number, data)
        return self

    def half_close(self):
        """Also when the other side has ended already; not behind a reset."""
        if self.answer.reset_code is None:
            self.client.h2.end_stream(self.number)
            self.client.flush()

    def at_end(self):
        """Waits for END_STREAM; true when nothing came before it."""
        return not self.stream.buffer and not self.stream.fill() and self.answer.whole


def script(frames):
    """For Http2Backend: what harness.websocket.Frames does with a connection of HTTP/1.1."""
    def play(stream):
        frames.asked = stream
        stream.begin(200, *frames.headers)
        stream.data(frames.first)
        pipe = Pipe(lambda: stream.piece() or b"")
        try:
            while got := ws.read_frame(pipe):
                frames.frames.append(got)
                if got[0] == ws.CLOSE:
                    stream.data(ws.frame(ws.CLOSE, got[1], masked=False))
                    break
                if (said := frames.answer(*got)) is not None:
                    stream.data(said)
        finally:
            frames.over.set()
        stream.end()
    frames.over = threading.Event()
    return play
