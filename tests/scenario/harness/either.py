"""Clients and backends of either HTTP, spoken alike: what a test of both has to say once. Clients:
`Talk1`, `Talk2`; a request under way is a `Call`. Backends: EitherBackend hands `play` an Asked."""
from . import raw, wire
from .backend import ScriptedBackend
from .http2 import Answer, Code, Http2Client, fields_of, pair_of
from .http2_backend import Gone, Http2Backend
from .raw import Raw, chunked, request


class Talk1:
    """An HTTP/1.1 connection of a client: one request at a time."""

    version = 1

    def __init__(self, address, tls=None, **options):
        self.raw = Raw(address, tls=tls, **options)

    def ask(self, target="/", *headers, method="GET", body=None, host="example.com"):
        return self.raw.request(request(target, *headers, method=method, body=body, host=host))

    def open(self, target="/", *headers, method="POST", length=None):
        """Sends a head; its body follows by the Call. Without `length` nobody knows that yet."""
        framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        self.raw.send(request(target, framing, *headers, method=method))
        return Call1(self.raw, method, length is None)

    def begin(self, target="/", *headers, method="GET"):
        """Sends a request without a body."""
        self.raw.send(request(target, *headers, method=method))
        return Call1(self.raw, method, False)

    def ask_at_once(self, target, *headers, body, trailers):
        """Head, body and trailers in one write."""
        return self.raw.request(request(target, "Transfer-Encoding: chunked", *headers,
                                        method="POST") + chunked(body, trailers=trailers))

    def close(self):
        self.raw.close()


class Call1:
    def __init__(self, connection, method, in_chunks):
        self.raw, self.method, self.chunked = connection, method, in_chunks
        self.got, self.body = None, None

    def send(self, piece):
        self.raw.send(b"%x\r\n%s\r\n" % (len(piece), piece) if self.chunked else piece)

    def end(self, *trailers):
        if self.chunked:
            self.raw.send(b"0\r\n" + "".join(f"{t}\r\n" for t in trailers).encode() + b"\r\n")

    def interim(self):
        return self.raw.recv_head()

    def head(self):
        if self.got is None:
            self.got = self.raw.recv_head()
            self.body = wire.body_pieces(self.raw.stream, self.got, "close")
        return self.got

    def piece(self):
        """What comes next of the body; None at its end."""
        self.head()
        return next(self.body, None)

    def answer(self):
        return self.raw.recv_response(self.method)

    def abort(self):
        """By RST: FIN alone would leave the client's other half open."""
        self.raw.reset()


class Talk2:
    """An HTTP/2 connection of a client."""

    version = 2

    def __init__(self, address, tls=None, **options):
        self.http2 = Http2Client(address, tls=tls, **options)

    def ask(self, target="/", *headers, body=None, **options):
        sized = () if body is None else (f"content-length: {len(body)}",)
        return self.http2.ask(target, *sized, *headers, body=body, **options)

    def open(self, target="/", *headers, method="POST", length=None):
        sized = () if length is None else (f"content-length: {length}",)
        return Call2(self.http2, self.http2.request(target, *sized, *headers, method=method,
                                                    end=False), length == 0)

    def begin(self, target="/", *headers, method="GET"):
        return Call2(self.http2, self.http2.request(target, *headers, method=method), True)

    def ask_at_once(self, target, *headers, body, trailers):
        h2, stream = self.http2.h2, self.http2.h2.get_next_available_stream_id()
        self.http2.answers[stream] = Answer(stream, "POST")
        h2.send_headers(stream, fields_of(target, *headers, method="POST",
                                          scheme=self.http2.scheme))
        h2.send_data(stream, body)
        h2.send_headers(stream, [pair_of(line) for line in trailers], end_stream=True)
        self.http2.flush()
        return self.http2.answer(stream)

    def close(self):
        self.http2.close()


class Call2:
    def __init__(self, http2, stream, ended):
        self.http2, self.stream, self.ended, self.read = http2, stream, ended, 0

    def send(self, piece):
        return self.http2.data(self.stream, piece)

    def end(self, *trailers):
        if trailers:
            self.http2.trailers(self.stream, *trailers)
        elif not self.ended:
            self.http2.data(self.stream, end=True)

    def interim(self):
        return self.http2.until(lambda: self.http2.answers[self.stream].interim, "1xx")[0]

    def head(self):
        return self.http2.head(self.stream)

    def piece(self):
        answer = self.http2.answers[self.stream]
        self.http2.until(lambda: answer.over or answer.body_length > self.read, "a piece")
        begin, self.read = self.read, answer.body_length
        if begin == self.read and not answer.whole:
            raise wire.Closed(f"a body, reset by {answer.reset_code!r},", b"")
        return bytes(answer.body[begin:]) or None

    def answer(self):
        return self.http2.answer(self.stream)

    def abort(self):
        self.http2.reset_stream(self.stream, Code.CANCEL)


class Asked1:
    """A request at a backend of HTTP/1.1."""

    version = 1

    def __init__(self, connection, message):
        self.connection, self.message, self.chunked = connection, message, False
        self.method, self.target, self.headers = message.method, message.target, message.headers
        self.authority = message.get("host")
        self.get, self.all, self.has = message.get, message.all, message.has
        self.body_left = connection.body_pieces(message)

    def piece(self):
        found = next(self.body_left, None)
        self.message.whole = self.message.whole or found is None
        return found

    def body(self):
        """All that is left of it; then `trailers` are known."""
        return b"".join(iter(self.piece, None))

    @property
    def trailers(self):
        return self.message.trailers

    def interim(self, status, *lines):
        self.connection.send(raw.response(status, *lines, length=False))

    def head(self, status=200, *lines, length=None):
        self.chunked = length is None and status not in (204, 304) and self.method != "HEAD"
        framing = ["Transfer-Encoding: chunked"] if self.chunked else []
        framing += [f"Content-Length: {length}"] if length is not None else []
        self.connection.send(raw.response(status, *lines, *framing, length=False))

    def send(self, piece):
        self.connection.send(b"%x\r\n%s\r\n" % (len(piece), piece) if self.chunked else piece)

    def end(self, *trailers):
        if self.chunked:
            self.connection.send(b"0\r\n" + "".join(f"{t}\r\n" for t in trailers).encode() +
                                 b"\r\n")

    def answer(self, status=200, *lines, body=b""):
        text = raw.response(status, *lines, body=body, length=status not in (204, 304))
        self.connection.send(text.removesuffix(body) if self.method == "HEAD" else text)

    def reset(self):
        self.connection.reset()

    def wait_gone(self):
        """Passes over what still comes of the body."""
        self.connection.at_end()
        return True


class Asked2:
    """A request at a backend of HTTP/2."""

    version = 2

    def __init__(self, stream):
        self.stream = stream
        self.method, self.target, self.headers = stream.method, stream.target, stream.headers
        self.authority, self.piece, self.body = stream.authority, stream.piece, stream.recv_body
        self.get, self.all, self.has = stream.get, stream.all, stream.has
        self.interim, self.reset = stream.interim, stream.reset
        self.wait_gone = stream.wait_gone

    @property
    def trailers(self):
        return self.stream.trailers

    def head(self, status=200, *lines, length=None):
        sized = () if length is None else (f"content-length: {length}",)
        bodiless = status in (204, 304) or self.method == "HEAD"
        self.stream.begin(status, *lines, *sized, end=bodiless)

    def send(self, piece):
        self.stream.data(piece)

    def end(self, *trailers):
        if self.method != "HEAD":
            self.stream.end(*trailers)

    def answer(self, status=200, *lines, body=b""):
        sized = () if status in (204, 304) else (f"content-length: {len(body)}",)
        self.stream.answer(status, *lines, *sized, body=b"" if self.method == "HEAD" else body)


class EitherBackend:
    """Calls `play(asked)`, which a test may change between requests."""

    def __init__(self, version, play=None, **options):
        self.play, self.version = play, version
        self.backend = (ScriptedBackend(self._serve, **options) if version == 1 else
                        Http2Backend(lambda stream: self.play(Asked2(stream)), **options))
        self.url = self.backend.url

    def _serve(self, connection):
        while message := connection.recv_head():
            try:
                self.play(Asked1(connection, message))
            except Gone:
                return
            if not message.whole and message.framing != "none":
                connection.at_end()
                return

    def finish(self):
        self.backend.finish()
