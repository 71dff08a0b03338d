"""Clients of HTTP/1.1: kept connections and single requests, pipelines, half-closed ones, and some
that go away in the middle."""
from harness import raw
from harness.raw import Raw
from harness.tls import client_context

from .answers import Ask
from .client import PATIENCE, Client

SERVICES = ("http1", "http1s", "http2", "http2s")


class Http1(Client):
    def __init__(self, place, name, tls):
        super().__init__(place, name)
        self.context = client_context(place.certificates.ca, ["http/1.1"]) if tls else None
        self.session = None

    def ask(self, **options):
        return Ask(self.fresh_id(), self.random.choice(SERVICES), self.random, **options)

    def connect(self):
        address = self.place.secure if self.context else self.place.plain
        session = self.session if self.chance(0.7) else None
        return Raw(address, tls=self.context, session=session, timeout=PATIENCE)

    def round(self):
        with self.connect() as client:
            for _ in range(self.random.choice([1, 1, 4, 20])):
                if self.place.stopping.is_set() or not self.exchange(client):
                    break
            else:
                self.random.choice([self.leave, self.half_close, self.abort_request,
                                    self.abort_answer])(client)
            if self.context and client.sock.fileno() >= 0:
                self.session = client.sock.session

    def exchange(self, client):
        """One or more requests; False when the connection is over."""
        asks = [self.ask() for _ in range(3 if self.chance(0.1) else 1)]
        if len(asks) > 1:  # a pipeline, of what fits into buffers
            asks = [self.ask(size=100, upload=0) for _ in asks]
        if asks[0].body and self.chance(0.2):
            self.send_when_told(client, asks[0])
        else:
            for ask in asks:  # each a segment, and a record, of its own
                client.send(ask.http1(self.random))
        return all([self.answered(client, ask) for ask in asks])

    def send_when_told(self, client, ask):
        client.send(raw.request(ask.target, *ask.headers, "Expect: 100-continue",
                                f"Content-Length: {len(ask.body)}", method=ask.method))
        head = client.recv_head()
        assert head.status == 100, head
        client.send(ask.body)

    def answered(self, client, ask):
        answer = client.recv_response(ask.method)
        ask.check(answer)
        self.note("answered")
        return answer.get("connection") != "close"

    def leave(self, client):
        client.close()

    def half_close(self, client):
        """Its answer is still owed; TLS has no such thing here."""
        if self.context is None:
            ask = self.ask()
            client.send(ask.http1(self.random)).half_close()
            self.answered(client, ask)
            assert client.at_end()

    def abort_request(self, client):
        ask = self.ask(upload=self.random.randrange(1, 300_000))
        whole = ask.http1(self.random)
        client.send(whole[:self.random.randrange(len(whole))])
        self.go(client)

    def abort_answer(self, client):
        ask = self.ask(size=self.random.randrange(900_000))
        client.send(ask.http1(self.random))
        if self.chance(0.7):
            client.recv_exactly(self.random.randrange(1, 150))
        self.go(client)

    def go(self, client):
        client.reset() if self.chance(0.7) else client.close()
        self.note("aborted")
