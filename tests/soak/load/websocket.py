"""WebSocket sessions over HTTP/1.1 and HTTP/2 that last as long as the load does, and short ones.
A session that ends before its client wants it to is a failure."""
import asyncio

import websockets

from harness import websocket as ws
from harness.tls import client_context
from harness.websocket_http2 import Http2Socket

from .client import PATIENCE, Client
from .http2 import Http2


class Sessions(Client):
    """Several at once, of Debian's websockets."""

    AT_ONCE = 6

    def __init__(self, place, name):
        super().__init__(place, name)
        self.context = client_context(place.certificates.ca, ["http/1.1"])

    def round(self):
        asyncio.run(self.all())

    async def all(self):
        await asyncio.gather(*(self.one_after_another(n) for n in range(self.AT_ONCE)))

    async def one_after_another(self, number):
        while not self.place.stopping.is_set():
            try:
                await self.session(lasting=number < self.AT_ONCE // 2)
            except Exception as error:  # pylint: disable=broad-except
                self.place.ledger.failed(self.kind, error)
                await asyncio.sleep(0.2)

    async def session(self, lasting):
        tls, path = self.chance(0.5), self.random.choice(["/websocket", "/rules"])
        address = self.place.secure if tls else self.place.plain
        url = f"{'wss' if tls else 'ws'}://{address}{path}/{self.fresh_id()}"
        socket = await websockets.connect(
            url, ssl=self.context if tls else None, server_hostname="localhost" if tls else None,
            compression=self.random.choice([None, "deflate"]), max_size=None, ping_interval=None,
            open_timeout=PATIENCE, close_timeout=PATIENCE)
        left = None if lasting else self.random.randrange(30)
        while not self.place.stopping.is_set() and left != 0:
            await self.echo(socket)
            left = left and left - 1
            await asyncio.sleep(self.random.random() * 0.2)
        if not lasting and self.chance(0.3):
            await socket.send(b"whose answer nobody waits for")
            socket.transport.abort()
            self.note("aborted")
            return
        await socket.close()
        assert socket.close_code == 1000, socket.close_code
        self.note("sessions")

    async def echo(self, socket):
        text = f"{self.fresh_id()} " * self.random.randrange(1, self.random.choice([10, 5000]))
        message = text if self.chance(0.5) else text.encode()
        await socket.send(message)
        got = await asyncio.wait_for(socket.recv(), PATIENCE)
        assert got == message, (text[:40], got[:40], len(text), len(got))
        self.note("answered")


class StreamSessions(Http2):
    """Over extended CONNECT, two to a connection: one to a backend that speaks HTTP/1.1, one to one
    that speaks HTTP/2."""

    def round(self):
        with self.connect() as client:
            sockets = [Http2Socket(client, path=path) for path in ("/rules/x", "/streams/x")]
            for socket in sockets:
                assert socket.answer.status == 200, socket.answer
            for _ in range(self.random.choice([10, 100, 1000])):
                self.echo(self.random.choice(sockets))
                if self.place.stopping.wait(self.random.random() * 0.2):
                    break
            self.end(client, sockets)

    def echo(self, socket):
        message = f"{self.fresh_id()} ".encode() * self.random.randrange(1, 200)
        socket.send(ws.frame(ws.BINARY, message))
        got = ws.read_frame(socket.stream)
        assert got == (ws.BINARY, message), (message[:40], got)
        self.note("answered")

    def end(self, client, sockets):
        if self.chance(0.3):
            client.reset_stream(sockets[0].number)
            client.reset()
            self.note("aborted", 2)
            return
        for socket in sockets:
            socket.send(ws.close_frame(1000))
            assert ws.read_close(socket.stream) == 1000
            self.note("sessions")
