"""WebSockets: frames as exact bytes and a peer of exact frames, and Debian's websockets as real
server. Handshakes are right unless a test says otherwise."""
import asyncio
import base64
import hashlib
import struct
import threading

import websockets

from .waiting import DEADLINE

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MASK = b"\x37\xfa\x21\x3d"
KEY = base64.b64encode(b"0123456789abcdef").decode()
ASKED = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
         f"Sec-WebSocket-Key: {KEY}")


def frame(opcode, payload=b"", fin=True, reserved=0, masked=True):
    """A client's frame; with masked=False a server's."""
    size = len(payload)
    head = bytes([fin << 7 | reserved << 4 | opcode])
    flag = masked << 7
    if size < 126:
        head += bytes([flag | size])
    elif size < 65536:
        head += bytes([flag | 126]) + struct.pack("!H", size)
    else:
        head += bytes([flag | 127]) + struct.pack("!Q", size)
    if not masked:
        return head + payload
    return head + MASK + bytes(c ^ MASK[i & 3] for i, c in enumerate(payload))


def close_frame(code=1000, reason=b"", masked=True):
    return frame(CLOSE, struct.pack("!H", code) + reason, masked=masked)


def read_frame(stream):
    """(opcode, unmasked payload) of the next frame, or None at the end. Checks the head."""
    if not stream.buffer and not stream.fill():
        return None
    first, second = stream.exactly(2, "a frame's head")
    size = second & 127
    if size >= 126:
        size = int.from_bytes(stream.exactly(2 if size == 126 else 8, "a frame's head"), "big")
    mask = stream.exactly(4, "a mask") if second & 128 else bytes(4)
    payload = stream.exactly(size, "a frame")
    return first & 15, bytes(c ^ mask[i & 3] for i, c in enumerate(payload))


def read_close(stream):
    """The code of a close frame, which must come next; pings before it are passed over."""
    while (got := read_frame(stream)) and got[0] == PING:
        pass
    assert got and got[0] == CLOSE, got
    return int.from_bytes(got[1][:2], "big")


def accept_key(key):
    return base64.b64encode(hashlib.sha1(
        (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


def accept(connection, asked, *headers):
    """Answers the request that a backend has received with a right 101."""
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
             f"Sec-WebSocket-Accept: {accept_key(asked.get('sec-websocket-key'))}", *headers]
    connection.send("\r\n".join(lines).encode() + b"\r\n\r\n")


def opened(peers, gateway, *headers, **options):
    """A raw client with a WebSocket."""
    client = peers.client(gateway, **options)
    answer = client.get("/socket", *ASKED, *headers)
    assert answer.status == 101, answer
    assert answer.get("sec-websocket-accept") == accept_key(KEY)
    return client


class Frames:
    """A script for ScriptedBackend: accepts, notes each frame, and answers as `answer` says: bytes
    for (opcode, payload), or None. A close is answered, and ends it."""

    def __init__(self, answer=lambda opcode, payload: None, first=b"", headers=()):
        self.answer, self.first, self.headers = answer, first, headers
        self.frames = []
        self.asked = None
        self.over = threading.Event()

    def __call__(self, connection):
        self.asked = connection.recv_request()  # noted before the client can know of the answer
        accept(connection, self.asked, *self.headers)
        connection.send(self.first)
        try:
            while got := read_frame(connection.stream):
                self.frames.append(got)
                if got[0] == CLOSE:
                    connection.send(frame(CLOSE, got[1], masked=False))
                    connection.at_end()
                    break
                if (said := self.answer(*got)) is not None:
                    connection.send(said)
        finally:
            self.over.set()

    @property
    def close_code(self):
        """Of the close frame that ended it; None without one."""
        assert self.over.wait(DEADLINE)
        opcode, payload = self.frames[-1] if self.frames else (None, b"")
        return int.from_bytes(payload[:2], "big") if opcode == CLOSE else None


def echo(opcode, payload):
    return frame(opcode, payload, masked=False)


class EchoServer:
    """A real server: sends back each message. `codes`: the close codes that it was told."""

    def __init__(self, **options):
        self.codes = []
        self.loop = asyncio.new_event_loop()
        self.started = threading.Event()
        self.stopping = asyncio.Event()
        self.options = {"max_size": None, "ping_interval": None, **options}
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self._run(),),
                                       daemon=True)
        self.thread.start()
        assert self.started.wait(DEADLINE)

    async def _run(self):
        async with websockets.serve(self._echo, "127.0.0.1", 0, **self.options) as server:
            scheme = "https" if "ssl" in self.options else "http"
            self.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self.started.set()
            await self.stopping.wait()

    async def _echo(self, socket, _path=None):
        try:
            async for message in socket:
                await socket.send(message)
        except websockets.ConnectionClosedError:
            pass
        self.codes.append(socket.close_code)

    def finish(self):
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join(DEADLINE)


def run(coroutine):
    """Runs a real client's coroutine to its end."""
    return asyncio.run(asyncio.wait_for(coroutine, DEADLINE))


def connect(gateway, path="/socket", **options):
    """With `ssl` (a context) over TLS."""
    scheme = "wss" if "ssl" in options else "ws"
    return websockets.connect(f"{scheme}://{gateway.address()}{path}",
                              **{"max_size": None, "ping_interval": None, **options})

