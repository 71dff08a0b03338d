"""A backend that speaks HTTP/2: `script(stream)` runs in a thread per request, one reader thread
per connection. Built on python3-h2, so a gateway that breaks RFC 9113 fails the test."""
import queue
import socket
import ssl
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from . import wire
from .backend import ScriptedBackend
from .http2 import PREFACE, Code, FrameReader, Kind, frame, goaway_of, number, pair_of
from .tls import Shared
from .waiting import DEADLINE, eventually


# What it is to write to a connection that its gateway has closed, over TLS.
CLOSED_TLS = (ssl.SSLZeroReturnError, ssl.SSLEOFError)


class Gone(ConnectionError):
    """The stream or its connection has ended; `code` when it was reset."""


class Stream(wire.Request):
    """One request; its answer is made by a script."""

    def __init__(self, connection, stream, headers):
        super().__init__()
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        pseudo = dict(pair for pair in pairs if pair[0].startswith(":"))
        self.fields, self.headers = pairs, [p for p in pairs if not p[0].startswith(":")]
        self.method, self.target = pseudo.get(":method"), pseudo.get(":path")
        self.authority, self.scheme = pseudo.get(":authority"), pseudo.get(":scheme")
        self.connection, self.stream, self.version = connection, stream, 2
        self.pieces = queue.Queue()  # (bytes, what they cost of the window); None, Gone at the end
        self.reset_code = None
        self.gone = threading.Event()  # reset by the gateway, or the connection ended
        self.over = threading.Event()  # the script has ended

    # --- the request ---------------------------------------------------------------------------
    def piece(self):
        """The next piece of the body as it came, None at its end; opens the window again."""
        if self.whole:
            return None
        got = self.pieces.get(timeout=4 * DEADLINE)
        if got is Gone:
            raise Gone(self.reset_code)
        if got is None:
            self.whole = True
            return None
        self.connection.acknowledge(self.stream, got[1])
        return got[0]

    def recv_body(self):
        kept = bytearray()
        while (piece := self.piece()) is not None:
            kept += piece
            self.sha256.update(piece)
        self.body, self.body_length = bytes(kept), len(kept)
        return self.body

    # --- the answer ----------------------------------------------------------------------------
    def interim(self, status, *lines):
        self.begin(status, *lines)

    def begin(self, status=200, *lines, end=False):
        fields = [(":status", str(status))] + [pair_of(line) for line in lines]
        self.connection.act(self, lambda h2: h2.send_headers(self.stream, fields, end_stream=end))

    def data(self, data=b"", end=False):
        """Sends as the windows allow."""
        self.connection.send_data(self, memoryview(data), end)

    def end(self, *trailers):
        if not trailers:
            self.data(end=True)
            return
        fields = [pair_of(line) for line in trailers]
        self.connection.act(self, lambda h2: h2.send_headers(self.stream, fields, end_stream=True))

    def answer(self, status=200, *lines, body=b"", trailers=()):
        self.begin(status, *lines, end=not body and not trailers)
        if body:
            self.data(body, end=not trailers)
        if trailers:
            self.end(*trailers)

    def reset(self, code=Code.INTERNAL_ERROR):
        self.connection.act(self, lambda h2: h2.reset_stream(self.stream, code))

    def wait_gone(self):
        """Waits until the gateway resets the stream or the connection ends."""
        assert self.gone.wait(DEADLINE), f"stream {self.stream} was not given up"
        return True


class Http2Connection:
    """One accepted connection. `error`: what ended it out of order."""

    def __init__(self, sock, backend, settings):
        self.backend, self.number = backend, len(backend.connections)
        self.alpn = getattr(sock, "selected_alpn_protocol", lambda: None)()
        self.io, self.streams, self.goaways, self.error = Shared(sock), {}, [], None
        self.acknowledged, self.pings, self.over = 0, 0, threading.Event()
        self.changed = threading.Condition(threading.RLock())
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding=None, validate_outbound_headers=False,
            normalize_outbound_headers=False))
        self.settings = settings

    # --- for streams and scripts ---------------------------------------------------------------
    def act(self, stream, action):
        with self.changed:
            if stream.gone.is_set():
                raise Gone(stream.reset_code)
            action(self.h2)
            self.flush()

    def send_data(self, stream, view, end):
        while view or end:
            with self.changed:
                self._wait_for_window(stream, view)
                room = min(self._window(stream), len(view), self.h2.max_outbound_frame_size)
                last = end and room == len(view)
                self.act(stream, lambda h2, piece=bytes(view[:room]), last=last: h2.send_data(
                    stream.stream, piece, end_stream=last))
                view, end = view[room:], end and not last

    def _window(self, stream):
        return self.h2.local_flow_control_window(stream.stream)

    def _wait_for_window(self, stream, view):
        ready = self.changed.wait_for(
            lambda: stream.gone.is_set() or not view or self._window(stream) > 0, 4 * DEADLINE)
        assert ready, "the gateway does not open its window"
        if stream.gone.is_set():
            raise Gone(stream.reset_code)

    def acknowledge(self, stream, size):
        with self.changed:
            if not self.over.is_set():
                self.h2.acknowledge_received_data(size, stream)
                self.flush()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.io.sendall(data)

    def send_raw(self, data):
        with self.changed:
            self.io.sendall(data)

    def goaway(self, last=None, code=Code.NO_ERROR):
        """h2 itself would take nothing more afterwards."""
        last = max(self.streams, default=0) if last is None else last
        self.send_raw(frame(Kind.GOAWAY, number(last) + number(code)))

    def end(self):
        """FIN, while it still reads: closing with unread bytes would reset."""
        self.io.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.io.close()

    # --- the reader ----------------------------------------------------------------------------
    def serve(self):
        try:
            self._read()
        except (ConnectionError, wire.Closed, ssl.SSLError) as error:
            self.error = error
        finally:
            self.over.set()
            with self.changed:
                for stream in self.streams.values():
                    self._end(stream)

    def _read(self):
        frames = FrameReader(self.io)
        with self.changed:
            self.h2.initiate_connection()
            self.h2.update_settings(self.settings)  # holds once the gateway has heard of it
            self.flush()
        preface = frames.stream.exactly(len(PREFACE), "a preface")
        self.h2.receive_data(preface)
        while got := frames.next():
            if got.kind == Kind.GOAWAY:
                self.goaways.append(goaway_of(got))
            else:
                self._feed(got.bytes)

    def _feed(self, data):
        with self.changed:
            for event in self.h2.receive_data(data):
                self._take(event)
            self.flush()
            self.changed.notify_all()

    def _take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            stream = Stream(self, event.stream_id, event.headers)
            self.streams[event.stream_id] = stream
            self.backend.begin(stream)
            return
        stream = self.streams.get(getattr(event, "stream_id", None))
        self.acknowledged += isinstance(event, h2.events.SettingsAcknowledged)
        self.pings += isinstance(event, h2.events.PingReceived)
        if isinstance(event, h2.events.DataReceived):
            stream.pieces.put((event.data, event.flow_controlled_length))
        elif isinstance(event, h2.events.TrailersReceived):
            stream.trailers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers]
        elif isinstance(event, h2.events.StreamEnded):
            stream.pieces.put(None)
        elif isinstance(event, h2.events.StreamReset) and stream:
            stream.reset_code = event.error_code
            self._end(stream)

    def _end(self, stream):
        stream.gone.set()
        stream.pieces.put(Gone)
        self.changed.notify_all()


class Http2Backend(ScriptedBackend):
    """Like ScriptedBackend, but for `script(stream)`; `settings` are sent to each connection.
    `http1`: a script for connections over TLS whose ALPN did not choose h2."""

    def __init__(self, script, settings=None, http1=None, **options):
        self.settings, self.play, self.streams = settings or {}, script, []
        self.http1 = http1
        super().__init__(self._serve, **options)

    def _serve(self, accepted):
        """In the thread of a connection that ScriptedBackend accepted."""
        if self.http1 and accepted.sock.selected_alpn_protocol() != "h2":
            self.http1(accepted)
            return
        accepted.http2 = Http2Connection(accepted.sock, self, self.settings)
        accepted.http2.number = accepted.number
        accepted.http2.serve()

    def begin(self, stream):
        self.streams.append(stream)
        threading.Thread(target=self._run_stream, args=(stream,), daemon=True).start()

    def _run_stream(self, stream):
        try:
            self.play(stream)
        except (ConnectionError, *CLOSED_TLS, h2.exceptions.StreamClosedError):
            pass
        except Exception as error:  # pylint: disable=broad-except
            if not self.closing:
                self.failures.put(error)
            stream.connection.close()  # so that nobody waits for the rest
        finally:
            stream.over.set()

    @property
    def requests(self):
        return list(self.streams)

    def settled(self):
        """Whether all connections know the backend's settings."""
        return all(connection.http2.acknowledged >= 2 for connection in self.connections)

    def http2(self, connection=0):
        """The n-th connection, once there is one."""
        return eventually(lambda: getattr(self.wait_connections(connection + 1)[connection],
                                          "http2", None), "an HTTP/2 connection")


def saying(status=200, *lines, body=b"", trailers=()):
    """A script: reads the request and gives this answer."""
    def script(stream):
        stream.recv_body()
        stream.answer(status, *lines, body=body, trailers=trailers)
    return script
