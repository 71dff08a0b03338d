"""Server-sent events: each reaches the client before the next one exists, through every policy,
over either HTTP. The backend sends an event only when the client has the one before it. And long
polling: answers that come after a while in which nothing moves."""
import json
import threading
import time
import zlib

import brotli
import pytest
import zstandard

from harness import binary, config, raw, tls, wire
from harness.either import EitherBackend, Talk1, Talk2
from harness.waiting import DEADLINE

EVENTS = 5
QUIET = 1  # seconds, in which nothing moves
SHORTER = "900ms"
CLIENTS = {"http1": (Talk1, None), "http1-tls": (Talk1, ["http/1.1"]), "http2": (Talk2, None),
           "http2-tls": (Talk2, ["h2"])}
# A chain for each kind of policy, those left out that answer in the backend's place: clients here
# have no certificate.
ANSWERS_ITSELF = {"mock", "client_certificate"}
POLICIES = {
    "none": [],
    "headers": [{"headers": {"response": {"set": {"x-a": "{response.status}"}}}}],
    "request_id": [{"request_id": {}}],
    "rewrite": [{"rewrite": {"path": "/events"}}],
    "ip_filter": [{"ip_filter": {"allow": ["127.0.0.1"]}}],
    "size_limit": [{"size_limit": {"max": "1KiB"}}],
    "external_auth": [{"external_auth": {"service": "auth"}}],
    "compress": [{"compress": {"types": ["text/*"]}}],
    "https_redirect": [{"https_redirect": {}}],  # the clients are proxies that clients came to by
    "hsts": [{"hsts": {}}],                      # https
    "websocket": [{"websocket": {"max_message": "1KiB", "idle_timeout": "100ms"}}],
    "grpc_web": [{"grpc_web": {}}],
}
POLICIES["all"] = [policy for chain in POLICIES.values() for policy in chain]
# … and further chains: nothing but shadows, those that answer themselves among them; and one for
# clients that have a certificate.
ROUTES = {**POLICIES,
          "client_certificate": [{"client_certificate": {}}],
          "shadow": [{kind: {**settings, "mode": "shadow"}}
                     for chain in [*POLICIES["all"], {"mock": {"body": "x"}},
                                   {"client_certificate": {}}]
                     for kind, settings in chain.items()]}
DECODERS = {"gzip": lambda: zlib.decompressobj(31).decompress,
            "br": lambda: brotli.Decompressor().process,
            "zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress}
CAME_BY = "x-forwarded-proto: https"


def test_no_kind_of_policy_is_forgotten():
    kinds = json.loads(binary.command("schema").stdout)["$defs"]["policy"]["properties"]
    assert set(kinds) - ANSWERS_ITSELF == set(POLICIES) - {"none", "all"}


def event(number):
    return f"id: {number}\ndata: {'x' * 200}\n\n".encode()


class Stage:
    """A route for each policy to a backend of each kind."""

    def __init__(self, peers, certificates):
        self.shown, self.seen = certificates, threading.Semaphore(0)
        self.gone = threading.Event()
        self.backends = {f"http{version}": peers.add(EitherBackend(version, self.play))
                         for version in (1, 2)}
        auth = peers.backend(raw.response(200))
        services = {name: {"endpoints": [backend.url], "protocol": name}
                    for name, backend in self.backends.items()}
        # Times for requests, of which none is judged while an answer is awaited.
        listener = {"address": "127.0.0.1:0", "trusted_proxies": ["127.0.0.1"],
                    "timeouts": dict.fromkeys(("header", "body", "idle", "send"), SHORTER)}
        self.gateway = peers.gateway({
            "version": 1,
            "listeners": [{"name": "plain", **listener},
                          {"name": "tls", **listener, **certificates.listener(
                              client_certificates={"mode": "optional", "ca": certificates.ca})}],
            "services": {**services, "auth": {"endpoints": [auth.url]}},
            "routes": [{"name": f"{policy}-{name}", "match": {"path": f"/{policy}/{name}"},
                        "policies": chain, "service": name}
                       for policy, chain in ROUTES.items() for name in services]})

    def play(self, asked):
        asked.body()
        if asked.has("x-poll"):
            time.sleep(QUIET)  # what the test is about
            asked.answer(200, "content-type: application/json", body=b'{"news": true}')
            return
        if asked.has("x-paced"):
            self.play_paced(asked)
            return
        length = sum(len(event(number)) for number in range(EVENTS))
        asked.head(200, "content-type: text/event-stream", "cache-control: no-cache",
                   length=length if asked.has("x-length") else None)
        for number in range(EVENTS):
            asked.send(event(number))
            if not self.seen.acquire(timeout=DEADLINE):
                self.gone.set()
                asked.reset()
                return
        asked.end()

    @staticmethod
    def play_paced(asked):
        asked.head(200, "content-type: text/event-stream")
        for _ in range(EVENTS):
            asked.send(f"data: {time.monotonic()} {'x' * 200}\n\n".encode())
            time.sleep(APART)  # what the test is about
        asked.end()

    def talk(self, client, certificate=None):
        kind, alpn = CLIENTS[client]
        address = self.gateway.addresses()["tls" if alpn else "plain"]
        context = tls.client_context(self.shown.ca, alpn, certificate) if alpn else None
        return kind(address, tls=context)


@pytest.fixture(scope="module")
def stage(module_peers, certificates):
    return Stage(module_peers, certificates)


def events_of(stage, call, decode=lambda piece: piece):
    """Reads each event before it lets the backend send another."""
    text = b""
    for number in range(EVENTS):
        while not text.endswith(b"\n\n"):
            piece = call.piece()
            assert piece is not None, text
            text += decode(piece)
        assert text == event(number)
        text = b""
        stage.seen.release()
    while (piece := call.piece()) is not None:
        text += decode(piece)
    assert text == b""


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("backend", ["http1", "http2"])
@pytest.mark.parametrize("policy", POLICIES)
def test_events_arrive_one_by_one(stage, policy, backend, client):
    talk = stage.talk(client)
    call = talk.begin(f"/{policy}/{backend}", "accept: text/event-stream", CAME_BY)
    assert call.head().get("content-type") == "text/event-stream"
    events_of(stage, call)
    talk.close()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("coding", ["gzip", "br"])
@pytest.mark.parametrize("length", ["announced", "unknown"])
def test_compressed_events_arrive_one_by_one(stage, length, coding, client):
    talk = stage.talk(client)
    sized = ["x-length: 1"] if length == "announced" else []
    call = talk.begin("/compress/http1", f"accept-encoding: {coding}", *sized)
    assert call.head().get("content-encoding") == coding
    decode = (zlib.decompressobj(31).decompress if coding == "gzip" else
              brotli.Decompressor().process)
    events_of(stage, call, decode)
    talk.close()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("backend", ["http1", "http2"])
@pytest.mark.parametrize("policy", ["none", "all"])
def test_a_long_poll_is_answered_when_there_is_something_to_say(stage, policy, backend, client):
    """Twice on a connection; the quiet lasts longer than each of the listener's timeouts."""
    talk = stage.talk(client)
    for _ in range(2):
        begin = time.monotonic()
        answer = talk.ask(f"/{policy}/{backend}", "x-poll: 1", CAME_BY)
        assert time.monotonic() - begin >= QUIET
        assert (answer.status, answer.body) == (200, b'{"news": true}')
    talk.close()


@pytest.mark.parametrize("client", ["http1", "http2"])
def test_a_long_poll_that_nothing_comes_of_ends_in_its_time(peers, client):
    backend = peers.add(EitherBackend(1, lambda asked: asked.wait_gone()))
    gateway = peers.gateway(config.proxy(backend, service={"timeouts": {"first_byte": "300ms"}}))
    talk = peers.client(gateway, CLIENTS[client][0])
    raw.assert_problem(talk.ask("/"), 504, "first_byte_timeout")


@pytest.mark.parametrize("secure", [False, True])
def test_a_client_that_closes_in_the_quiet_frees_the_backend(peers, certificates, secure):
    """In order, with FIN, while no event is due for long."""
    gone = threading.Event()

    def play(asked):
        asked.head(200, "content-type: text/event-stream")
        asked.send(event(0))
        if asked.wait_gone():
            gone.set()
    backend = peers.add(EitherBackend(1, play))
    gateway = peers.gateway(config.proxy(
        backend, service={"timeouts": {"idle": "10m"}},
        listener=certificates.listener() if secure else {}))
    context = tls.client_context(certificates.ca, ["http/1.1"]) if secure else None
    with raw.Raw(gateway.address(), tls=context) as client:
        client.send(raw.request("/"))
        assert client.recv_head().get("transfer-encoding") == "chunked"
        # With the end of its chunk: what is left unread would make a reset of the close.
        assert client.stream.exactly(len(event(0)) + 6, "an event")[4:-2] == event(0)
    assert gone.wait(DEADLINE)
    line = gateway.wait_access_log()[0]
    assert (line["status"], line["error"]) == (200, "client_closed")


@pytest.mark.parametrize("more", [event(1), b""], ids=["an event", "the end"])
def test_a_client_that_only_stopped_sending_gets_all_events(peers, more):
    """It is asked for a sign of life within the stream, which must not change that."""
    shut = threading.Event()

    def play(asked):
        asked.head(200, "content-type: text/event-stream")
        asked.send(event(0))
        assert shut.wait(DEADLINE)
        if more:
            asked.send(more)
        asked.end()
    gateway = peers.gateway(config.proxy(peers.add(EitherBackend(1, play))))
    client = peers.client(gateway).send(raw.request("/"))
    head = client.recv_head()
    first = client.stream.exactly(len(event(0)) + 6, "an event in its chunk")
    client.half_close()
    sign = client.stream.exactly(1, "the sign of life")
    shut.set()
    client.stream.buffer[:0] = first + sign
    assert b"".join(wire.read_chunked(client.stream, head)) == event(0) + more
    assert sign == b"0"  # a part of the next size


@pytest.mark.parametrize("client", ["http1", "http2"])
def test_a_client_that_stops_listening_frees_the_backend(peers, client):
    gone = threading.Event()

    def play(asked):
        asked.head(200, "content-type: text/event-stream")
        asked.send(event(0))
        if asked.wait_gone():
            gone.set()
    backend = peers.add(EitherBackend(1, play))
    gateway = peers.gateway(config.proxy(backend))
    call = CLIENTS[client][0](gateway.address()).begin("/")
    assert call.piece() == event(0)
    call.abort()
    assert gone.wait(DEADLINE)


# What the test above cannot see: a delay that is always the same. Every event says when it was sent;
# backend and client share a clock.
APART = 0.1
AT_ONCE = 0.05  # the quickest of them, whatever else the machine does
PACED = "x-paced: 1"
PACED_BY = [(name, None) for name in ROUTES] + [("compress", coding)
                                                for coding in ("gzip", "br", "zstd")]


def ages_of(call, decode):
    """How long each event was on its way, in seconds."""
    ages, text = [], b""
    while (piece := call.piece()) is not None:
        *whole, text = (text + decode(piece)).split(b"\n\n")
        now = time.monotonic()
        ages += [now - float(one.split()[1]) for one in whole]
    assert text == b""
    return ages


@pytest.mark.parametrize("backend", ["http1", "http2"])
@pytest.mark.parametrize("http", ["http1", "http2"])
@pytest.mark.parametrize("policy,coding", PACED_BY)
def test_events_arrive_as_far_apart_as_they_were_sent(stage, policy, coding, http, backend):
    talk = stage.talk(f"{http}-tls", stage.shown.client)
    call = talk.begin(f"/{policy}/{backend}", "accept: text/event-stream", CAME_BY, PACED,
                      f"accept-encoding: {coding or 'identity'}")
    assert call.head().get("content-encoding") == coding
    ages = ages_of(call, DECODERS[coding]() if coding else bytes)
    assert len(ages) == EVENTS and min(ages) < AT_ONCE, ages
    talk.close()
