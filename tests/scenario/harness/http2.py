"""HTTP/2 from the client's side (RFC 9113). Http2Client is python3-h2 on a socket: strict in what
it takes, obedient in what it sends. FrameSocket sends frames by hand, for what no library would."""
import collections
import enum
import select
import socket
import struct

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
import hpack

from . import raw, wire

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
Code = h2.errors.ErrorCodes
Setting = h2.settings.SettingCodes


class Kind(enum.IntEnum):
    DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
        CONTINUATION = range(10)


Goaway = collections.namedtuple("Goaway", "last code")
Frame = collections.namedtuple("Frame", "kind flags stream payload bytes")


def frame(kind, payload=b"", flags=0, stream=0):
    """A frame as bytes, right or wrong."""
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def settings_payload(settings):
    return b"".join(struct.pack("!HI", name, value) for name, value in settings.items())


def number(value):
    return struct.pack("!I", value)


def goaway_of(got):
    return Goaway(*struct.unpack("!II", got.payload[:8]))


class FrameReader:
    """Splits what a socket receives into frames."""

    def __init__(self, sock):
        self.stream = wire.Stream(sock)

    def next(self):
        """The next frame; None when the peer closed behind a whole one."""
        if not self.stream.buffer and not self.stream.fill():
            return None
        head = self.stream.exactly(9, "a frame's head")
        size, (kind, flags, stream) = int.from_bytes(head[:3], "big"), struct.unpack("!BBI",
                                                                                     head[3:])
        payload = self.stream.exactly(size, "a frame")
        return Frame(kind, flags, stream & 0x7fffffff, payload, head + payload)


def readable(reader, sock, seconds=0):
    """Whether something can be read at once, or within `seconds`."""
    pending = getattr(sock, "pending", lambda: 0)()
    return bool(reader.stream.buffer or pending or select.select([sock], [], [], seconds)[0])


def fields_of(target="/", *headers, method="GET", host="example.com", scheme="http"):
    """A request's header list; `headers` are "name: value" lines."""
    fields = [(":method", method), (":scheme", scheme), (":path", target)]
    if host is not None:
        fields.append((":authority", host))
    return fields + [pair_of(line) for line in headers]


def pair_of(line):
    name, _, value = line.partition(": ")
    return name.lower(), value


class Answer(wire.Response):
    """A response as far as it has come."""

    def __init__(self, stream, method):
        super().__init__()
        self.stream, self.method = stream, method
        self.body = bytearray()
        self.reset_code = None
        self.version = 2

    @property
    def over(self):
        return self.whole or self.reset_code is not None

    def take(self, data):
        self.body += data
        self.body_length += len(data)
        self.sha256.update(data)


def decoded(headers):
    """(status, fields) of a block as h2 gives it."""
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    status = dict(pairs).get(":status")
    return int(status or 0), [pair for pair in pairs if pair[0] != ":status"]


class Http2Client:
    """A connection; a request is a number, its answer grows in `answers`. `settings` are sent
    first. With `tls` (a context) the server must have chosen h2. A closed window is opened again
    unless `keeps_windows`."""

    def __init__(self, address, settings=None, tls=None, keeps_windows=False, host="example.com",
                 **options):
        self.sock = raw.connect(address, tls=tls, **options)
        if tls is not None:
            assert self.sock.selected_alpn_protocol() == "h2"
        self.scheme, self.host = ("http" if tls is None else "https"), host
        self.frames = FrameReader(self.sock)
        self.answers, self.goaways, self.pings = {}, [], []
        self.keeps_windows, self.ended, self.acknowledged = keeps_windows, False, 0
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding=None, validate_outbound_headers=False,
            normalize_outbound_headers=False))
        self.h2.local_settings = h2.settings.Settings(client=True, initial_values=settings or {})
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- sending -------------------------------------------------------------------------------
    def flush(self):
        self.send_raw(self.h2.data_to_send())

    def send_raw(self, data):
        if data:
            self.sock.sendall(data)
        return self

    def open(self, fields, end=True):
        """Sends a head of exactly these fields; the stream's number."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, fields, end_stream=end)
        self.answers[stream] = Answer(stream, dict(fields).get(":method"))
        self.flush()
        return stream

    def request(self, target="/", *headers, method="GET", body=None, end=True, host=None):
        """Sends a request (its head alone with `end=False`); the stream's number."""
        fields = fields_of(target, *headers, method=method, host=host or self.host,
                           scheme=self.scheme)
        stream = self.open(fields, end and body is None)
        if body is not None:
            self.data(stream, body, end)
        return stream

    def data(self, stream, piece=b"", end=False):
        """Sends as the windows allow. False when the stream was over before all of it was sent."""
        view, answer = memoryview(piece), self.answers[stream]
        while view or end:
            while readable(self.frames, self.sock) and self.receive():
                pass
            if answer.over or self.ended:
                return False
            room = min(self.h2.local_flow_control_window(stream), len(view),
                       self.h2.max_outbound_frame_size)
            if view and not room:
                self.receive()
                continue
            last = end and room == len(view)
            self.h2.send_data(stream, bytes(view[:room]), end_stream=last)
            self.flush()
            view, end = view[room:], end and not last
        return True

    def trailers(self, stream, *lines):
        self.h2.send_headers(stream, [pair_of(line) for line in lines], end_stream=True)
        self.flush()

    def reset_stream(self, stream, code=Code.CANCEL):
        self.h2.reset_stream(stream, code)
        self.flush()

    def ping(self, data=b"scenario"):
        """Returns when it is answered: what was sent before has been looked at."""
        self.h2.ping(data)
        self.flush()
        count = len(self.pings)
        self.until(lambda: len(self.pings) > count, "a PING's answer")

    def widen(self, size, stream=None):
        self.h2.increment_flow_control_window(size, stream)
        self.flush()

    # --- receiving -----------------------------------------------------------------------------
    def receive(self):
        """Takes one frame; False at the connection's end."""
        got = None if self.ended else self.frames.next()
        if got is None:
            self.ended = True
            return False
        if got.kind == Kind.GOAWAY:  # h2 would take nothing more
            self.goaways.append(goaway_of(got))
            return True
        for event in self.h2.receive_data(got.bytes):
            self._take(event)
        self.flush()
        return True

    def _take(self, event):
        answer = self.answers.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ResponseReceived):
            answer.status, answer.headers = decoded(event.headers)
        elif isinstance(event, h2.events.InformationalResponseReceived):
            interim = wire.Response()
            interim.status, interim.headers = decoded(event.headers)
            answer.interim.append(interim)
        elif isinstance(event, h2.events.DataReceived):
            answer.take(event.data)
            if not self.keeps_windows:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            answer.trailers = decoded(event.headers)[1]
        elif isinstance(event, h2.events.StreamEnded):
            answer.body, answer.whole = bytes(answer.body), True
        elif isinstance(event, h2.events.StreamReset) and answer is not None:
            answer.reset_code = event.error_code
        elif isinstance(event, h2.events.PingAckReceived):
            self.pings.append(event.ping_data)
        elif isinstance(event, h2.events.SettingsAcknowledged):
            self.acknowledged += 1

    def until(self, condition, what="the condition"):
        while not (found := condition()):
            if not self.receive():
                raise wire.Closed(what, repr((self.goaways, self.answers)).encode())
        return found

    def head(self, stream):
        """The answer, once its final head has come."""
        answer = self.answers[stream]
        self.until(lambda: answer.status or answer.over, "a head")
        if not answer.status:
            raise wire.Closed(f"a head, reset by {answer.reset_code!r},", b"")
        return answer

    def answer(self, stream):
        """The whole answer; wire.Closed when it was cut off."""
        answer = self.answers[stream]
        self.until(lambda: answer.over, "an answer")
        if not answer.whole:
            raise wire.Closed(f"an answer, reset by {answer.reset_code!r},", bytes(answer.body))
        return answer

    def reset_of(self, stream):
        """The code that the stream is reset with, whatever came before."""
        answer = self.answers[stream]
        self.until(lambda: answer.reset_code is not None, "RST_STREAM")
        return answer.reset_code

    def ask(self, target="/", *headers, **options):
        return self.answer(self.request(target, *headers, **options))

    get = ask

    def goaway(self, count=1):
        self.until(lambda: len(self.goaways) >= count, "GOAWAY")
        return self.goaways[count - 1]

    def at_end(self):
        """Waits for the gateway to close; what comes before is taken."""
        try:
            while self.receive():
                pass
        except ConnectionResetError:
            pass
        return True

    def close(self):
        self.sock.close()

    def reset(self):
        raw.reset(self.sock)


class FrameSocket:
    """Frames by hand: the preface and SETTINGS go first, then what a test wants."""

    def __init__(self, address, settings=None, begin=True, **options):
        self.sock = raw.connect(address, **options)
        self.frames = FrameReader(self.sock)
        self.encoder = hpack.Encoder()
        self.goaways, self.resets = [], {}
        if begin:
            self.send(PREFACE + frame(Kind.SETTINGS, settings_payload(settings or {})))

    def send(self, data):
        self.sock.sendall(data)
        return self

    def block(self, *headers, **options):
        return self.encoder.encode(fields_of("/", *headers, **options), huffman=False)

    def head(self, stream, *headers, end=True, **options):
        """A request's HEADERS frame."""
        flags = END_HEADERS | (END_STREAM if end else 0)
        return frame(Kind.HEADERS, self.block(*headers, **options), flags, stream)

    def next(self):
        got = self.frames.next()
        if got is None:
            return None
        if got.kind == Kind.GOAWAY:
            self.goaways.append(goaway_of(got))
        elif got.kind == Kind.RST_STREAM:
            self.resets[got.stream] = int.from_bytes(got.payload, "big")
        return got

    def until(self, kind, flags=0):
        """The next frame of this kind with these flags."""
        while got := self.next():
            if got.kind == kind and got.flags & flags == flags:
                return got
        raise wire.Closed(f"a frame of kind {kind}", repr(self.goaways).encode())

    def ready(self):
        """Waits until both sides' SETTINGS are known."""
        self.until(Kind.SETTINGS, ACK)
        return self.send(frame(Kind.SETTINGS, flags=ACK))

    def flood(self, pieces):
        """Sends them until the gateway has had enough; how many went out."""
        sent = 0
        try:
            for piece in pieces:
                if readable(self.frames, self.sock) and (not self.next() or self.goaways):
                    break
                self.send(piece)
                sent += 1
        except (ConnectionError, socket.timeout):
            pass
        return sent

    def ending(self):
        """Reads to the connection's end; the code of the last GOAWAY, None without one."""
        try:
            while self.next():
                pass
        except (ConnectionError, wire.Closed):
            pass
        return Code(self.goaways[-1].code) if self.goaways else None

    def close(self):
        self.sock.close()
