"""A body of 10 GB in 4 MB of memory (10 are promised, 2 are measured), down and up, as fast as it
goes. Source and sink move whole megabytes and compare them with what was sent, so that they are no
brake."""
import re
import time

import pytest

from harness import binary, config, raw
from harness.backend import ScriptedBackend
from harness.raw import Raw, request

SIZE = 10 * 1000**3
ROOM = 4 * 1000**2
BLOCK = bytes(range(256)) * 4096  # 1 MiB


@pytest.fixture(autouse=True, scope="module")
def optimised():
    assert not binary.sanitized(), "a sanitizer's memory says nothing: set DOORWARD_BINARY"


def send_pattern(sock):
    for at in range(0, SIZE, len(BLOCK)):
        sock.sendall(memoryview(BLOCK)[:SIZE - at])


def check_pattern(stream):
    """Reads SIZE bytes, which must be those sent; some may be in the stream's buffer already."""
    buffer = bytearray(len(BLOCK))
    first = stream.take(len(stream.buffer))
    filled = len(first)
    buffer[:filled] = first
    with memoryview(buffer) as view:
        for at in range(0, SIZE, len(BLOCK)):
            want = min(len(BLOCK), SIZE - at)
            while filled < want:
                count = stream.sock.recv_into(view[filled:want])
                assert count, f"the peer closed after {at + filled} bytes"
                filled += count
            assert buffer[:want] == BLOCK[:want], f"other bytes after {at}"
            filled = 0


class Memory:
    """How much the peak of resident memory grows while the block runs."""

    def __init__(self, gateway):
        self.process = f"/proc/{gateway.pid}"

    def peak(self):
        with open(f"{self.process}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) * 1024

    def __enter__(self):
        with open(f"{self.process}/clear_refs", "w", encoding="ascii") as peak:
            peak.write("5")  # the peak of the start is forgotten
        self.before, self.began = self.peak(), time.monotonic()
        return self

    def __exit__(self, kind, *_):
        grown, took = self.peak() - self.before, time.monotonic() - self.began
        print(f"{SIZE / took / 1e9:.2f} GB/s, memory grew by {grown / 1e6:.2f} MB")
        assert kind or grown < ROOM, f"memory grew by {grown / 1e6:.2f} MB"


def test_a_download_of_10_gb_runs_in_4_mb_of_memory(start):
    def script(connection):
        connection.recv_request()
        connection.send(raw.response(200, f"Content-Length: {SIZE}", length=False))
        send_pattern(connection.sock)
    backend = ScriptedBackend(script)
    gateway = start(config.proxy(backend), backend)
    with Memory(gateway), Raw(gateway.address()) as client:
        head = client.send(request("/")).recv_head()
        assert (head.status, head.get("content-length")) == (200, str(SIZE))
        check_pattern(client.stream)


def test_an_upload_of_10_gb_runs_in_4_mb_of_memory(start):
    def script(connection):
        head = connection.recv_head()
        assert head.get("content-length") == str(SIZE)
        check_pattern(connection.stream)
        connection.send(raw.response(200, body=b"all of it"))
    backend = ScriptedBackend(script)
    gateway = start(config.proxy(backend, listener={"limits": {"body_size": "10GiB"}}), backend)
    with Memory(gateway), Raw(gateway.address()) as client:
        client.send(request("/", f"Content-Length: {SIZE}", method="POST"))
        send_pattern(client.sock)
        assert client.recv_response().body == b"all of it"
