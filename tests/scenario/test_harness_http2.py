"""The peers of TLS and HTTP/2 against each other, without a gateway: what the scenarios rely on."""
import hashlib
import ssl
import threading

import pytest

from harness import tls, wire
from harness.backend import ScriptedBackend, answering
from harness.clients import curl, h2load, nghttp, s_client
from harness.either import EitherBackend, Talk1, Talk2
from harness.http2 import Code, FrameSocket, Http2Client, Kind, Setting, frame
from harness.http2_backend import Http2Backend, saying
from harness.nghttpd import Nghttpd
from harness.raw import Raw, response
from harness.tls import client_context, server_context
from harness.waiting import DEADLINE

KINDS = {"http1": (1, Talk1, ["http/1.1"]), "http2": (2, Talk2, ["h2"])}


def address(backend):
    return backend.url.partition("://")[2]


@pytest.fixture
def started():
    made = []
    yield lambda peer: made.append(peer) or peer
    for peer in made:
        peer.finish()


@pytest.fixture(params=[(kind, secure) for kind in KINDS for secure in (False, True)],
                ids=lambda value: f"{value[0]}{'-tls' if value[1] else ''}")
def direct(request, certificates, started):
    """(backend, connect()) of one kind"""
    version, talk, alpn = KINDS[request.param[0]]
    context = server_context(certificates.server, alpn) if request.param[1] else None
    backend = started(EitherBackend(version, tls=context))
    talks = []

    def connect():
        talks.append(talk(address(backend), tls=client_context(certificates.ca, alpn)
                          if context else None))
        return talks[-1]
    yield backend, connect
    for one in talks:
        one.close()


def test_either_kind_says_the_same(direct):
    backend, connect = direct

    def play(asked):
        assert (asked.method, asked.target, asked.get("x-a")) == ("POST", "/t", "1")
        asked.interim(103, "link: a")
        asked.head(200, "x-b: 2")
        asked.send(asked.body())
        asked.end("x-sum: " + dict(asked.trailers)["x-check"])
    backend.play = play
    talk = connect()
    for _ in range(2):
        call = talk.open("/t", "x-a: 1")
        call.send(b"one")
        call.send(b"two")
        call.end("x-check: 1")
        answer = call.answer()
        assert (answer.status, answer.body, answer.get("x-b")) == (200, b"onetwo", "2")
        assert answer.trailers == [("x-sum", "1")] and answer.interim[0].status == 103


def test_either_kind_streams_and_is_cut_off(direct):
    backend, connect = direct
    go_on = threading.Event()

    def play(asked):
        asked.head(200, length=9)
        asked.send(b"one")
        go_on.wait(DEADLINE)
        asked.reset()
    backend.play = play
    call = connect().begin("/")
    assert call.head().status == 200 and call.piece() == b"one"
    go_on.set()
    with pytest.raises((wire.Closed, OSError)):
        call.piece()


def test_either_backend_sees_a_client_leave(direct):
    backend, connect = direct
    gone, arrived = threading.Event(), threading.Event()

    def play(asked):
        arrived.set()
        if asked.wait_gone():
            gone.set()
    backend.play = play
    call = connect().begin("/")
    assert arrived.wait(DEADLINE)
    call.abort()
    assert gone.wait(DEADLINE)


@pytest.mark.parametrize("window", [100, 65535, 1 << 20])
def test_windows_are_kept_by_both_sides(started, window):
    body = bytes(range(256)) * 4000

    def script(stream):
        stream.recv_body()
        stream.answer(200, body=stream.body)
    backend = started(Http2Backend(script, settings={Setting.INITIAL_WINDOW_SIZE: window}))
    with Http2Client(address(backend), {Setting.INITIAL_WINDOW_SIZE: window}) as client:
        answer = client.ask("/", method="POST", body=body[:10_000 if window < 1000 else None])
    assert answer.sha256.hexdigest() == hashlib.sha256(answer.body).hexdigest()
    assert answer.body == body[:answer.body_length] and answer.body_length >= 10_000


def test_http2_streams_run_at_once_and_are_reset_one_by_one(started):
    go_on = threading.Event()

    def script(stream):
        if stream.target == "/reset":
            stream.reset(Code.REFUSED_STREAM)
        go_on.wait(DEADLINE)
        stream.answer(200, body=b"late")
    backend = started(Http2Backend(script))
    with Http2Client(address(backend)) as client:
        waiting = client.request("/wait")
        assert client.reset_of(client.request("/reset")) == Code.REFUSED_STREAM
        client.ping()
        go_on.set()
        assert client.answer(waiting).body == b"late"


def test_goaway_leaves_streams_under_way(started):
    def script(stream):
        stream.connection.goaway()
        stream.answer(200, body=b"x")
    backend = started(Http2Backend(script))
    with Http2Client(address(backend)) as client:
        assert client.ask("/").body == b"x"
        assert client.goaway().last == 1


def test_frames_by_hand(started):
    backend = started(Http2Backend(saying(200, body=b"x")))
    frames = FrameSocket(address(backend)).ready()
    frames.send(frames.head(1)).until(Kind.DATA)
    assert frames.send(frame(Kind.GOAWAY, b"\0" * 8)) and backend.http2()
    frames.close()


def test_real_programs_speak_with_the_backend(started, certificates):
    backend = started(Http2Backend(saying(200, body=b"hello"), tls=server_context(
        certificates.server, ["h2"])))
    assert curl("--http2", "--cacert", certificates.ca, backend.url).stdout == b"hello"
    assert b"hello" in nghttp(backend.url).stdout
    assert h2load(backend.url, 20)["succeeded"] == 20
    assert "ALPN protocol: h2" in s_client(address(backend), "-alpn", "h2")


def test_the_client_speaks_with_real_programs(started, certificates, tmp_path):
    real = started(Nghttpd(tmp_path / "nghttpd", {"a": b"x" * 100_000}, certificates.server))
    with Http2Client(address(real), tls=client_context(certificates.ca, ["h2"])) as client:
        assert client.ask("/a").body == b"x" * 100_000


def test_certificates_are_what_they_say(certificates):
    def shake(certificate, context, sni="localhost", **options):
        backend = ScriptedBackend(answering(response(200, body=b"x")),
                                  tls=server_context(certificate, **options))
        try:
            with Raw(address(backend), tls=context, sni=sni) as client:
                return client.get("/").status
        finally:
            backend.finish()
    believing = client_context(certificates.ca)
    assert shake(certificates.server, believing) == shake(certificates.rsa, believing) == 200
    authority = certificates.authority
    for bad in (certificates.stranger.issue("localhost"), authority.expired("localhost"),
                authority.issue("localhost", usage="client"), authority.issue("other")):
        with pytest.raises(ssl.SSLCertVerificationError):
            shake(bad, believing)
    known = client_context(certificates.ca, certificate=certificates.client)
    assert shake(certificates.server, known, ca=certificates.ca) == 200
    with pytest.raises(OSError):
        shake(certificates.server, believing, ca=certificates.ca)


def test_both_threads_of_a_shared_socket_get_on(certificates):
    """One reads while the other writes a lot, over TLS."""
    def script(connection):
        shared = tls.Shared(connection.sock)
        reader = threading.Thread(target=lambda: shared.recv(1))
        reader.start()
        shared.sendall(b"x" * 3_000_000)
        reader.join(DEADLINE)
    backend = ScriptedBackend(script, tls=server_context(certificates.server))
    with Raw(address(backend), tls=client_context()) as client:
        assert len(client.recv_exactly(3_000_000)) == 3_000_000
        client.send(b"y")
    backend.finish()
