"""HTTP/1.1 messages as bytes, read strictly: a peer that sends anything sloppy fails the test.
Used by the raw client for responses and by the backends for requests (RFC 9112)."""
import hashlib
import re

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)\Z")
REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP/1\.([01])\Z")
BAD_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
PIECE = 256 * 1024
RECEIVED_MAX = 1 << 20


class ProtocolError(AssertionError):
    """The peer broke the protocol."""


class Closed(ProtocolError):
    """The peer closed before the message was whole; `got` is what had come of it."""

    def __init__(self, what, got):
        super().__init__(f"the peer closed while {what} was read, after {bytes(got[:200])!r}")
        self.got = bytes(got)


class Stream:
    """A socket with a read buffer. With `keep`, `received` has the first bytes as they came, about
    RECEIVED_MAX of them: enough for what tests ask, and no burden below a large body."""

    def __init__(self, sock, keep=False):
        self.sock = sock
        self.buffer = bytearray()
        self.keep = keep
        self.received = bytearray()
        self.ended = False

    def fill(self, size=PIECE):
        """Reads once; false at the end of the stream."""
        data = self.sock.recv(size)
        if self.keep and len(self.received) < RECEIVED_MAX:
            self.received += data
        self.buffer += data
        self.ended = self.ended or not data
        return bool(data)

    def take(self, count):
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def exactly(self, count, what="a body"):
        while len(self.buffer) < count:
            if not self.fill():
                raise Closed(what, self.buffer)
        return self.take(count)

    def line(self, what="a line", limit=1 << 20):
        """One line without its CRLF; a bare LF or CR is an error."""
        while (end := self.buffer.find(b"\n")) < 0:
            if len(self.buffer) > limit:
                raise ProtocolError(f"{what} has no end")
            if not self.fill():
                raise Closed(what, self.buffer)
        line = self.take(end + 1)
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise ProtocolError(f"{what} does not end with CRLF: {line!r}")
        return line[:-2]

    def to_end(self):
        while self.fill():
            pass
        return self.take(len(self.buffer))

    def pieces(self, count):
        """`count` bytes as they come, without keeping them."""
        while count:
            if not self.buffer and not self.fill():
                raise Closed("a body", b"")
            piece = self.take(min(count, len(self.buffer)))
            count -= len(piece)
            yield piece


class Message:
    """What requests and responses share: fields in order, body, trailers."""

    def __init__(self):
        self.version = 1
        self.headers = []
        self.body = b""
        self.body_length = 0
        self.sha256 = hashlib.sha256()
        self.trailers = []
        self.chunks = []  # sizes, when chunked
        self.framing = "none"  # none | length | chunked | close
        self.head = b""
        self.whole = False  # its body has come to its end

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name, default=None):
        found = self.all(name)
        assert len(found) < 2, f"{name} came {len(found)} times: {found}"
        return found[0] if found else default

    def has(self, name):
        return bool(self.all(name))


class Request(Message):
    method = ""
    target = ""


class Response(Message):
    status = 0
    reason = ""

    def __init__(self):
        super().__init__()
        self.interim = []

    def json(self):
        import json
        return json.loads(self.body)

    def __repr__(self):
        return f"<Response {self.status} {self.headers} {self.body[:300]!r}>"


def read_fields(stream, what):
    fields, raw = [], b""
    while line := stream.line(what):
        raw += line + b"\r\n"
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.match(name) or BAD_VALUE.search(value):
            raise ProtocolError(f"bad field line in {what}: {line!r}")
        fields.append((name.decode(), value.strip(b" \t").decode("latin-1")))
    return fields, raw + b"\r\n"


def _framing(message, default):
    coding = message.all("transfer-encoding")
    lengths = message.all("content-length")
    if coding:
        if lengths or coding != ["chunked"]:
            raise ProtocolError(f"transfer-encoding {coding} with content-length {lengths}")
        return "chunked", 0
    if lengths:
        if len(lengths) > 1 or not re.fullmatch("[0-9]+", lengths[0]):
            raise ProtocolError(f"content-length {lengths}")
        return "length", int(lengths[0])
    return default, 0


def read_chunked(stream, message):
    """Pieces of a chunked body; trailers end up in the message."""
    while True:
        size_line = stream.line("a chunk's size")
        size_text = size_line.split(b";")[0]
        if not re.fullmatch(rb"[0-9a-fA-F]{1,16}", size_text):
            raise ProtocolError(f"bad chunk size {size_line!r}")
        size = int(size_text, 16)
        if size == 0:
            break
        message.chunks.append(size)
        yield from stream.pieces(size)
        if stream.exactly(2, "a chunk's end") != b"\r\n":
            raise ProtocolError("a chunk does not end with CRLF")
    message.trailers, _ = read_fields(stream, "trailers")


def body_pieces(stream, message, default):
    message.framing, length = _framing(message, default)
    if message.framing == "chunked":
        return read_chunked(stream, message)
    if message.framing == "length":
        return stream.pieces(length)
    if message.framing == "close":
        return _to_close(stream)
    return iter(())


def _to_close(stream):
    while stream.buffer or stream.fill():
        yield stream.take(len(stream.buffer))


def read_body(stream, message, default, keep=True, keep_max=None):
    """Reads it to its end; `.body` has it with `keep`, unless it is longer than `keep_max`."""
    kept = bytearray()
    for piece in body_pieces(stream, message, default):
        message.body_length += len(piece)
        message.sha256.update(piece)
        if keep_max is not None and message.body_length > keep_max:
            keep = False
            kept.clear()
        if keep:
            kept += piece
        message.body = kept if keep else b""
    message.body = bytes(kept)
    message.whole = True
    return message


def read_request_head(stream):
    """The next request's head, or None when the peer closed between requests."""
    if not stream.buffer and not stream.fill():
        return None
    request = Request()
    line = stream.line("a request line")
    found = REQUEST_LINE.match(line)
    if not found:
        raise ProtocolError(f"bad request line {line!r}")
    request.method, request.target = found[1].decode(), found[2].decode()
    request.version = int(found[3])
    request.headers, raw = read_fields(stream, "a request head")
    request.head = line + b"\r\n" + raw
    return request


def read_request(stream, keep=True):
    request = read_request_head(stream)
    return request and read_body(stream, request, "none", keep)


def read_response_head(stream):
    response = Response()
    line = stream.line("a status line")
    found = STATUS_LINE.match(line)
    if not found:
        raise ProtocolError(f"bad status line {line!r}")
    response.version, response.status = int(found[1]), int(found[2])
    response.reason = found[3].decode("latin-1")
    response.headers, raw = read_fields(stream, "a response head")
    response.head = line + b"\r\n" + raw
    return response


def read_response(stream, method="GET", keep=True):
    """The next final response; 1xx (but 101) before it are kept in `.interim`."""
    interim = []
    while True:
        response = read_response_head(stream)
        if 100 <= response.status < 200 and response.status != 101:
            interim.append(response)
            continue
        break
    response.interim = interim
    if method == "HEAD" or response.status in (101, 204, 304):
        return response
    return read_body(stream, response, "close", keep)
