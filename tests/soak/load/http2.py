"""Clients of HTTP/2: several requests at once on a connection, some of which are reset."""
from harness.http2 import Http2Client
from harness.tls import client_context

from .answers import Ask
from .client import PATIENCE, Client
from .http1 import SERVICES


class Http2(Client):
    def __init__(self, place, name, tls):
        super().__init__(place, name)
        self.context = client_context(place.certificates.ca, ["h2"]) if tls else None

    def connect(self):
        address = self.place.secure if self.context else self.place.plain
        return Http2Client(address, tls=self.context, timeout=PATIENCE)

    def round(self):
        with self.connect() as client:
            for _ in range(self.random.choice([1, 5, 15])):
                if self.place.stopping.is_set():
                    break
                self.batch(client)
            if self.chance(0.3):
                self.abort_connection(client)

    def begin(self, client):
        """(stream, ask) of a request that is sent whole."""
        ask = Ask(self.fresh_id(), self.random.choice(SERVICES), self.random)
        return client.request(ask.target, *ask.headers, method=ask.method, body=ask.body), ask

    def batch(self, client):
        owed = []
        for _ in range(self.random.randrange(1, 7)):
            if self.chance(0.15):
                self.reset_one(client)
            else:
                owed.append(self.begin(client))
        for stream, ask in owed:
            if self.chance(0.05):
                self.reset_answer(client, stream)
            else:
                ask.check(client.answer(stream))
                self.note("answered")
            client.answers.pop(stream, None)

    def reset_one(self, client):
        """In the middle of the request."""
        ask = Ask(self.fresh_id(), self.random.choice(SERVICES), self.random, upload=200_000)
        stream = client.request(ask.target, *ask.headers, method=ask.method, end=False)
        client.data(stream, ask.body[:self.random.randrange(60_000)])
        self.reset(client, stream)

    def reset_answer(self, client, stream):
        client.head(stream)
        self.reset(client, stream)

    def reset(self, client, stream):
        if not client.answers[stream].over:
            client.reset_stream(stream)
            self.note("aborted")

    def abort_connection(self, client):
        for _ in range(3):
            self.begin(client)
        client.reset()
        self.note("aborted", 3)
