"""Every client with every backend: HTTP/1.1 and HTTP/2, in cleartext and over TLS. What a message
means is the same on both sides, whatever carries it."""
import hashlib
import os
import queue
import threading

import pytest

from harness import tls, wire
from harness.clients import curl
from harness.either import EitherBackend, Talk1, Talk2
from harness.waiting import DEADLINE, eventually

NAMES = ["http1", "http1-tls", "http2", "http2-tls"]
ALPN = {1: ["http/1.1"], 2: ["h2"]}
LARGE = os.urandom(5_000_000)
DIGEST = hashlib.sha256(LARGE).hexdigest()
CUT = (wire.Closed, OSError)


def version(name):
    return 2 if name.startswith("http2") else 1


class Stage:
    """A gateway with a listener of each kind in front of a backend of each kind."""

    def __init__(self, peers, certificates):
        self.certificates = certificates
        self.backends = {name: self._backend(peers, name) for name in NAMES}
        self.gateway = peers.gateway({
            "version": 1,
            "listeners": [{"name": "plain", "address": "127.0.0.1:0"},
                          {"name": "secure", "address": "127.0.0.1:0",
                           **certificates.listener()}],
            "services": {name: self._service(name) for name in NAMES},
            "routes": [{"name": name, "match": {"path": f"/{name}/**"}, "service": name}
                       for name in NAMES]})

    def _backend(self, peers, name):
        context = tls.server_context(self.certificates.server, ALPN[version(name)])
        return peers.add(EitherBackend(version(name), folder=peers.folder,
                                       tls=context if name.endswith("tls") else None))

    def _service(self, name):
        service = {"endpoints": [self.backends[name].url]}
        if name.endswith("tls"):
            service.update(self.certificates.service())
        elif name == "http2":
            service["protocol"] = "http2"
        return service

    def talk(self, name):
        secure = name.endswith("tls")
        kind = Talk1 if version(name) == 1 else Talk2
        context = tls.client_context(self.certificates.ca, ALPN[version(name)])
        return kind(self.gateway.addresses()["secure" if secure else "plain"],
                    tls=context if secure else None)


@pytest.fixture(scope="module")
def stage(module_peers, certificates):
    return Stage(module_peers, certificates)


class Pair:
    def __init__(self, stage, client, backend):
        self.stage, self.client, self.backend = stage, client, backend
        self.target, self.talks = f"/{backend}/x", []

    def play(self, script):
        """What the backend does with requests; what it returns comes to `told`."""
        told = queue.Queue()
        self.stage.backends[self.backend].play = lambda asked: told.put(script(asked))
        return lambda: told.get(timeout=DEADLINE)

    def talk(self):
        self.talks.append(self.stage.talk(self.client))
        return self.talks[-1]

    def ask(self, *headers, **options):
        return self.talk().ask(self.target, *headers, **options)


@pytest.fixture(params=[(c, b) for c in NAMES for b in NAMES], ids="-to-".join)
def pair(request, stage):
    made = Pair(stage, *request.param)
    yield made
    for talk in made.talks:
        talk.close()


def test_a_request_and_its_answer_arrive_as_they_were_meant(pair):
    def script(asked):
        asked.answer(203, "x-answer: 2", "set-cookie: a=b", "set-cookie: c=d", body=b"hello")
        return asked
    told = pair.play(script)
    answer = pair.ask("x-ask: 1", "cookie: a=b; c=d")
    assert (answer.status, answer.body, answer.get("x-answer")) == (203, b"hello", "2")
    assert answer.all("set-cookie") == ["a=b", "c=d"] and answer.get("content-length") == "5"
    asked = told()
    assert (asked.method, asked.target, asked.authority) == ("GET", pair.target, "example.com")
    assert asked.get("x-ask") == "1" and "; ".join(asked.all("cookie")) == "a=b; c=d"
    assert asked.get("x-forwarded-proto") == ("https" if pair.client.endswith("tls") else "http")
    for name in ("connection", "transfer-encoding", "te", "upgrade", "http2-settings"):
        assert not asked.has(name), name


def test_connections_carry_one_request_after_the_other(pair):
    pair.play(lambda asked: asked.answer(200, body=asked.target.encode()))
    talk = pair.talk()
    for number in range(5):
        assert talk.ask(f"{pair.target}/{number}").body == f"{pair.target}/{number}".encode()


@pytest.mark.parametrize("size", [0, 5, 5_000_000])
def test_a_body_of_known_length_arrives_whole(pair, size):
    def script(asked):
        body = asked.body()
        asked.answer(200, body=body[:5])
        return asked.get("content-length"), hashlib.sha256(body).hexdigest()
    told = pair.play(script)
    assert pair.ask(method="POST", body=LARGE[:size]).body == LARGE[:min(size, 5)]
    assert told() == (str(size), hashlib.sha256(LARGE[:size]).hexdigest())


def test_a_large_answer_arrives_whole(pair):
    def script(asked):
        asked.head(200)
        for at in range(0, len(LARGE), 100_000):
            asked.send(LARGE[at:at + 100_000])
        asked.end()
    pair.play(script)
    answer = pair.ask()
    assert (answer.body_length, answer.sha256.hexdigest()) == (len(LARGE), DIGEST)


def test_bodies_stream_both_ways_at_once(pair):
    """Each piece comes back before the next one is sent."""
    def script(asked):
        asked.head(200)
        while (piece := asked.piece()) is not None:
            asked.send(piece.upper())
        asked.end()
    pair.play(script)
    call = pair.talk().open(pair.target)
    for piece in (b"one", b"two", b"three"):
        call.send(piece)
        assert call.piece() == piece.upper()
    call.end()
    assert call.piece() is None and call.head().status == 200


@pytest.mark.parametrize("pieces", [False, True], ids=["at-once", "in-pieces"])
def test_trailers_pass_both_ways(pair, pieces):
    arrived = threading.Event()

    def script(asked):
        body = asked.piece()
        arrived.set()
        body += asked.body()
        asked.head(200, "trailer: x-sum")
        asked.send(body)
        asked.end("x-sum: 7")
        return asked
    told = pair.play(script)
    if pieces:
        call = pair.talk().open(pair.target, "te: trailers", "trailer: x-check")
        call.send(b"body")
        assert arrived.wait(DEADLINE)
        call.end("x-check: 1")
        answer = call.answer()
    else:
        answer = pair.talk().ask_at_once(pair.target, "te: trailers", "trailer: x-check",
                                         body=b"body", trailers=["x-check: 1"])
    assert answer.body == b"body"
    assert [(n.lower(), v) for n, v in answer.trailers] == [("x-sum", "7")]
    assert [(n.lower(), v) for n, v in told().trailers] == [("x-check", "1")]


@pytest.mark.parametrize("status", [200, 204, 304])
def test_answers_without_a_body_are_whole(pair, status):
    method = "HEAD" if status == 200 else "GET"
    pair.play(lambda asked: asked.answer(status, 'etag: "a"', body=b"hello" * (status == 200)))
    talk = pair.talk()
    for _ in range(2):
        answer = talk.ask(pair.target, method=method)
        assert (answer.status, answer.body, answer.get("etag")) == (status, b"", '"a"')
        assert answer.get("content-length") == ("5" if status == 200 else None)


def test_interim_answers_pass(pair):
    def script(asked):
        asked.interim(103, "link: </a.css>")
        asked.answer(200, body=b"x")
    pair.play(script)
    answer = pair.ask()
    assert (answer.status, answer.body) == (200, b"x")
    assert [(one.status, one.get("link")) for one in answer.interim] == [(103, "</a.css>")]


def test_a_client_that_expects_100_gets_it_before_it_sends(pair):
    def script(asked):
        asked.interim(100)
        asked.answer(200, body=asked.body())
    pair.play(script)
    call = pair.talk().open(pair.target, "expect: 100-continue", length=4)
    assert call.interim().status == 100
    call.send(b"body")
    call.end()
    assert call.answer().body == b"body"


def test_an_answer_may_come_before_the_request_is_whole(pair):
    def script(asked):
        asked.answer(413, body=b"too much")
        return asked.wait_gone()
    told = pair.play(script)
    talk = pair.talk()
    call = talk.open(pair.target)
    call.send(b"some of it")
    answer = call.answer()
    assert (answer.status, answer.body) == (413, b"too much")
    talk.close()
    assert told()


@pytest.mark.parametrize("begun", [False, True], ids=["before-the-head", "behind-the-head"])
def test_a_client_that_leaves_cancels_the_request_at_the_backend(pair, begun):
    arrived = threading.Event()

    def script(asked):
        if begun:
            asked.head(200)
            asked.send(b"some")
        arrived.set()
        return asked.wait_gone()
    told = pair.play(script)
    call = pair.talk().begin(pair.target)
    assert arrived.wait(DEADLINE)
    if begun:
        assert call.piece() == b"some"
    call.abort()
    assert told()


def test_a_backend_that_resets_before_its_head_is_a_502(pair):
    def script(asked):
        asked.body()
        asked.reset()
    pair.play(script)
    answer = pair.ask(method="POST", body=b"x")
    assert answer.status == 502 and answer.json()["code"] in ("backend_reset", "backend_closed")


def test_a_backend_that_resets_behind_its_head_cuts_the_answer_off(pair):
    go_on = threading.Event()

    def script(asked):
        asked.head(200, length=100)
        asked.send(b"some")
        go_on.wait(DEADLINE)
        asked.reset()
    pair.play(script)
    call = pair.talk().begin(pair.target)
    assert call.piece() == b"some"
    go_on.set()
    with pytest.raises(CUT):
        call.piece()
        pytest.fail("the answer seems whole")


@pytest.mark.parametrize("backend", NAMES)
@pytest.mark.parametrize("options,version_spoken", [
    (["--http1.1"], b"1.1"), (["--http2-prior-knowledge"], b"2"),
    (["--http2"], b"1.1"),  # by Upgrade, which RFC 9113 has given up
    (["--http1.1", "--cacert"], b"1.1"), (["--http2", "--cacert"], b"2"),
    (["--tls-max", "1.2", "--http2", "--cacert"], b"2")],
    ids=["http1", "http2", "upgrade", "http1-tls", "http2-tls", "http2-tls1.2"])
def test_curl_of_every_kind(stage, options, version_spoken, backend):
    stage.backends[backend].play = lambda asked: asked.answer(200, body=asked.body()[::-1])
    secure = "--cacert" in options
    address = stage.gateway.addresses()["secure" if secure else "plain"]
    done = curl(*options, *([stage.certificates.ca] if secure else []), "--data-binary", "@-",
                "-w", "%{http_version}", f"{'https' if secure else 'http'}://{address}/{backend}/",
                stdin=LARGE[:200_000])
    assert done.stdout == LARGE[:200_000][::-1] + version_spoken, done.stderr


def test_the_access_log_names_the_protocol(pair):
    pair.play(lambda asked: asked.answer(200))
    assert pair.talk().ask(f"{pair.target}?{pair.client}").status == 200
    wanted = (pair.target, pair.client)
    line, = eventually(lambda: [line for line in pair.stage.gateway.access_log()
                                if (line["path"], line.get("query")) == wanted], "its line")
    assert line["protocol"] == ("HTTP/2" if pair.client.startswith("http2") else "HTTP/1.1")
    assert line["listener"] == ("secure" if pair.client.endswith("tls") else "plain")
