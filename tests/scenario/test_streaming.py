"""Large bodies in bounded memory: back-pressure both ways, and fast backends with slow clients."""
import hashlib
import threading
import time

import pytest

from harness import binary, config, raw
from harness.clients import curl
from harness.origin import BLOCK, Told, pattern
from harness.raw import Raw, request

SIZE = 300_000_000


def room():
    """What streaming may add to resident memory; sanitizers keep freed memory for a while."""
    return (96 << 20) if binary.sanitized() else (24 << 20)


class Memory:
    """The largest resident size seen while the block runs."""

    def __init__(self, gateway):
        self.gateway, self.before, self.peak = gateway, gateway.resident(), 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self.over.wait(0.02):
            self.peak = max(self.peak, self.gateway.resident())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def assert_bounded(self):
        grown = self.peak - self.before
        assert grown < room(), f"memory grew by {grown >> 20} MiB"


@pytest.mark.parametrize("kind", ["bytes", "chunked"])
def test_a_large_download_runs_in_little_memory(web, kind):
    with Memory(web.gateway) as memory, web.client() as client:
        answer = client.send(request(f"/{kind}/{SIZE}")).recv_response(keep=False)
    assert answer.body_length == SIZE
    memory.assert_bounded()


def test_a_download_is_byte_equal(web):
    expected = hashlib.sha256(b"".join(pattern(20_000_000))).hexdigest()
    for kind in ("bytes", "chunked"):
        with web.client() as client:
            answer = client.send(request(f"/{kind}/20000000")).recv_response(keep=False)
            assert answer.sha256.hexdigest() == expected


@pytest.mark.parametrize("chunk", [False, True])
def test_a_large_upload_runs_in_little_memory(web, chunk):
    framing = "Transfer-Encoding: chunked" if chunk else f"Content-Length: {SIZE}"
    digest = hashlib.sha256()
    with Memory(web.gateway) as memory, web.client() as client:
        client.send(request("/", framing, method="POST"))
        for piece in pattern(SIZE):
            digest.update(piece)
            client.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunk else piece)
        told = Told(client.send(b"0\r\n\r\n" if chunk else b"").recv_response())
    assert (told.body_length, told.sha256) == (SIZE, digest.hexdigest())
    memory.assert_bounded()


def test_a_client_that_reads_slowly_slows_the_backend_down(peers):
    """The backend must not be able to hand over much more than the client takes."""
    sent = [0]

    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, f"Content-Length: {SIZE}", length=False))
        try:
            for piece in pattern(SIZE):
                connection.send(piece)
                sent[0] += len(piece)
        except OSError:
            pass
    gateway = peers.gateway(config.proxy(peers.backend(script)))
    client = peers.client(gateway, receive_buffer=65536)
    with Memory(gateway) as memory:
        client.send(request("/"))
        assert client.recv_head().status == 200
        last, since = -1, time.monotonic()
        while time.monotonic() < since + 1:  # until the backend has been stuck for a second
            if sent[0] != last:
                last, since = sent[0], time.monotonic()
            time.sleep(0.01)
    assert sent[0] < 64 << 20, f"{sent[0]} bytes were taken from the backend"
    memory.assert_bounded()


def test_a_backend_that_reads_slowly_slows_the_client_down(peers):
    go_on = threading.Event()

    def script(connection):
        head = connection.recv_head()
        go_on.wait(30)
        got = sum(len(piece) for piece in connection.body_pieces(head))
        connection.send(raw.response(200, body=str(got).encode()))
    gateway = peers.gateway(config.proxy(peers.backend(script)))
    client = peers.client(gateway)
    sent = [0]

    def pour():
        try:
            client.send(request("/", f"Content-Length: {SIZE}", method="POST"))
            for piece in pattern(SIZE):
                client.send(piece)
                sent[0] += len(piece)
        except OSError:
            pass  # seen by the assertions on what arrived
    sender = threading.Thread(target=pour, daemon=True)
    with Memory(gateway) as memory:
        sender.start()
        last, since = -1, time.monotonic()
        while time.monotonic() < since + 1:
            if sent[0] != last:
                last, since = sent[0], time.monotonic()
            time.sleep(0.01)
        assert sent[0] < 64 << 20
        go_on.set()
        assert client.recv_response().body == str(SIZE).encode()
    sender.join(30)
    memory.assert_bounded()


def test_slow_readers_do_not_starve_quick_clients(peers):
    """Ten stuck downloads hold no buffers that others need."""
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin))
    stuck = [peers.client(gateway, receive_buffer=4096) for _ in range(10)]
    for client in stuck:
        assert client.send(request(f"/bytes/{SIZE}")).recv_head().status == 200
    slowest = 0.0
    for number in range(300):
        begin = time.monotonic()
        with Raw(gateway.address()) as client:
            assert Told(client.get(f"/{number}")).target == f"/{number}"
        slowest = max(slowest, time.monotonic() - begin)
    assert slowest < 2


def test_many_streams_at_once_keep_their_bytes_apart(web):
    failures = []

    def one(number):
        body = bytes([number]) * (1_000_000 + number)
        with web.client() as client:
            told = Told(client.request(request(f"/{number}", method="POST", body=body)))
            if told.sha256 != hashlib.sha256(body).hexdigest():
                failures.append(number)
    threads = [threading.Thread(target=one, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures


def test_curl_uploads_and_downloads_files(web, tmp_path):
    content = BLOCK * 40
    (tmp_path / "up").write_bytes(content)
    done = curl("-T", tmp_path / "up", f"{web.url}/up")
    assert hashlib.sha256(content).hexdigest().encode() in done.stdout, done.stderr
    done = curl("-T", "-", f"{web.url}/up", stdin=content)  # chunked, Expect: 100-continue
    assert hashlib.sha256(content).hexdigest().encode() in done.stdout, done.stderr
    done = curl("-o", tmp_path / "down", f"{web.url}/bytes/{len(content)}")
    assert done.returncode == 0 and (tmp_path / "down").read_bytes() == b"".join(
        pattern(len(content)))
