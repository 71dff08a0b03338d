"""Attacks on HTTP/2 whose cost must be bounded: each ends its own connection or stream, is counted
under its name, and leaves the requests of others alone."""
import time

import pytest

from harness import config
from harness.http2 import Code, Http2Client, Kind, Setting, frame, number, settings_payload
from harness.waiting import DEADLINE, eventually

PATIENCE = {"timeouts": {"send": "300ms", "header": "300ms", "body": "300ms", "idle": "60s"}}


@pytest.fixture(scope="module")
def besieged(module_peers):
    """(gateway, a connection that behaves)"""
    gateway = module_peers.gateway(config.proxy(module_peers.origin(), listener=PATIENCE))
    neighbour = module_peers.http2(gateway)
    assert neighbour.get("/").status == 200
    return gateway, neighbour


def broken(gateway, reason):
    return gateway.metrics().sum("doorward_http2_connections_broken_total", reason=reason)


class Attack:
    """`frames` by hand; at the end a neighbour must not have noticed."""

    def __init__(self, besieged, peers):
        self.gateway, self.neighbour = besieged
        self.frames = peers.frames(self.gateway).ready()

    def assert_ended(self, pieces, reason, code=Code.ENHANCE_YOUR_CALM, or_by=None):
        """`or_by`: another (reason, code) that it may come to first."""
        endings = {code: reason, **({or_by[1]: or_by[0]} if or_by else {})}
        counts = {each: broken(self.gateway, each) for each in endings.values()}
        sent = self.frames.flood(pieces)
        ending = self.frames.ending()
        assert ending in endings
        reason = endings[ending]
        before = counts[reason]
        eventually(lambda: broken(self.gateway, reason) > before, f"the count of {reason}")
        event = self.gateway.events("http2_connection_broken")[-1]
        assert event["reason"] == reason and event["client"] == "127.0.0.1"
        assert self.neighbour.get("/").status == 200
        return sent


@pytest.fixture
def attack(besieged, peers):
    return Attack(besieged, peers)


FLOODS = {  # frames of no use; a client that means well sends few of them
    "ping_flood": frame(Kind.PING, b"12345678"),
    "settings_flood": frame(Kind.SETTINGS),
    "priority_flood": frame(Kind.PRIORITY, number(0) + b"\x10", 0, 1),
    "window_flood": frame(Kind.WINDOW_UPDATE, number(1)),
    "unknown_flood": frame(0x77, b"?"),
}


@pytest.mark.parametrize("reason", FLOODS)
def test_frames_of_no_use(attack, reason):
    attack.assert_ended((FLOODS[reason] for _ in range(10_000)), reason)


def test_rapid_reset(attack):
    """CVE-2023-44487: requests that are taken back at once."""
    def pieces():
        for stream in range(1, 4001, 2):
            yield attack.frames.head(stream) + frame(Kind.RST_STREAM, number(Code.CANCEL), 0,
                                                     stream)
    attack.assert_ended(pieces(), "rapid_reset")


def test_made_you_reset(attack):
    """CVE-2025-8671: the server is made to reset, by windows beyond their most."""
    def pieces():
        for stream in range(1, 4001, 2):
            yield attack.frames.head(stream, end=False, method="POST") + frame(
                Kind.WINDOW_UPDATE, number(0x7fffffff), 0, stream)
    # A stream is open until its reset has gone out: many in one read are too many at once.
    attack.assert_ended(pieces(), "rapid_reset", or_by=("protocol_error", Code.PROTOCOL_ERROR))


def test_continuation_flood(attack):
    """CVE-2024-27316: a head without an end."""
    def pieces():
        yield frame(Kind.HEADERS, b"\x82", 1, 1)
        for _ in range(10_000):
            yield frame(Kind.CONTINUATION, b"", 0, 1)
    attack.assert_ended(pieces(), "continuation_flood")


def test_hpack_bomb(attack):
    """One field of 4,000 bytes goes into the table; each byte behind it names it again."""
    block = (b"\x82\x86\x84" + b"\x40\x01x\x7f\xa1\x1e" + b"v" * 4000 + b"\xbe" * 10_000)
    attack.assert_ended([frame(Kind.HEADERS, block, 5, 1)], "hpack_bomb")


def test_empty_data(attack):
    def pieces():
        yield attack.frames.head(1, method="POST", end=False)
        for _ in range(10_000):
            yield frame(Kind.DATA, b"", 0, 1)
    attack.assert_ended(pieces(), "empty_flood")


def test_acknowledgements_that_nobody_fetches(peers):
    """PINGs, and content in between that pays for them, from a client that does not read."""
    gateway = peers.gateway(config.proxy(peers.origin(), listener=PATIENCE))
    before = gateway.resident()
    frames = peers.frames(gateway, receive_buffer=4096).ready()
    frames.sock.settimeout(2)
    frames.send(frames.head(1, method="POST", end=False))
    try:
        for _ in range(100):
            frames.send((frame(Kind.DATA, b"y", 0, 1) + frame(Kind.PING, b"12345678")) * 500)
    except (TimeoutError, ConnectionError):
        pass
    assert gateway.resident() < before + (64 << 20)
    with Http2Client(gateway.address()) as neighbour:
        assert neighbour.get("/").status == 200


def test_more_streams_than_allowed(attack):
    """By a client that knows the limit."""
    frames = attack.frames
    frames.flood(frames.head(stream, method="POST", end=False) for stream in range(1, 2000, 2))
    assert frames.ending() in (Code.PROTOCOL_ERROR, Code.ENHANCE_YOUR_CALM)
    assert attack.neighbour.get("/").status == 200


def test_a_window_of_zero_holds_an_answer_for_a_while_only(besieged, peers):
    gateway, neighbour = besieged
    client = peers.http2(gateway, settings={Setting.INITIAL_WINDOW_SIZE: 0}, keeps_windows=True)
    stream = client.request("/bytes/100000")
    assert client.head(stream).status == 200
    assert client.get("/status/204").status == 204
    assert client.reset_of(stream) in (Code.CANCEL, Code.INTERNAL_ERROR, Code.ENHANCE_YOUR_CALM)
    assert client.answers[stream].body == b"" and neighbour.get("/").status == 200


def test_a_drip_of_window_is_no_reading(peers):
    """A byte now and then: slower than min_data_rate."""
    gateway = peers.gateway(config.proxy(peers.origin(), listener={
        "timeouts": {"send": "400ms"}, "min_data_rate": "1MiB/s"}))
    client = peers.http2(gateway, settings={Setting.INITIAL_WINDOW_SIZE: 0}, keeps_windows=True)
    stream = client.request("/bytes/50000000")
    answer = client.head(stream)
    end = time.monotonic() + DEADLINE
    while not answer.over and time.monotonic() < end:
        client.widen(1, stream)
        client.ping()
    assert answer.reset_code is not None and answer.body_length < 1_000_000


def test_half_a_head_has_its_time(besieged, peers):
    frames = peers.frames(besieged[0]).ready()
    before = broken(besieged[0], "header_timeout")
    frames.send(frame(Kind.HEADERS, b"\x82", 1, 1))
    frames.ending()
    eventually(lambda: broken(besieged[0], "header_timeout") > before, "the count")


def test_half_a_body_has_its_time(besieged, peers):
    client = peers.http2(besieged[0])
    stream = client.request("/", method="POST", body=b"half", end=False)
    answer = client.answers[stream]
    client.until(lambda: answer.over)
    assert answer.status in (0, 408)
    assert client.get("/").status == 200


def test_a_client_that_says_nothing_has_its_time(besieged, peers):
    frames = peers.frames(besieged[0], begin=False)
    frames.send(b"PRI * HTTP/2.0\r\n")
    frames.ending()
    frames = peers.frames(besieged[0])
    assert frames.ending() in (None, Code.NO_ERROR)


@pytest.mark.parametrize("count,size", [(2000, 10), (10, 4000)])
def test_heads_beyond_the_limit_are_refused(besieged, peers, count, size):
    gateway, neighbour = besieged
    client = peers.http2(gateway)
    for _ in range(3):
        answer = client.get("/", *(f"x-{n}: {'v' * size}" for n in range(count)))
        assert answer.status == 431
    assert client.get("/").status == 200 and neighbour.get("/").status == 200


def test_heads_far_beyond_the_limit_end_the_connection(attack):
    """They would have to be decoded all the same."""
    frames = attack.frames
    block = frames.block(*[f"x-{n}: {'v' * 10_000}" for n in range(15)])
    head = frame(Kind.HEADERS, block[:16_000], 1, 1) + b"".join(
        frame(Kind.CONTINUATION, block[at:at + 16_000], 0, 1)
        for at in range(16_000, len(block), 16_000)) + frame(Kind.CONTINUATION, b"", 4, 1)
    attack.assert_ended([head], "hpack_bomb")


def test_a_window_that_overflows_by_settings(attack):
    """A stream's window is raised beyond its most by a change of the initial one."""
    frames = attack.frames
    frames.send(frames.head(1, method="POST", end=False))
    frames.send(frame(Kind.WINDOW_UPDATE, number(0x7fff0000 - 65535), 0, 1))
    frames.send(frame(Kind.SETTINGS, settings_payload({Setting.INITIAL_WINDOW_SIZE: 0x7fffffff})))
    while not frames.resets and not frames.goaways and frames.next():
        pass
    codes = [*frames.resets.values(), *[goaway.code for goaway in frames.goaways]]
    assert codes == [Code.FLOW_CONTROL_ERROR]
    assert attack.neighbour.get("/").status == 200


def test_memory_is_given_back_after_attacks(besieged, peers):
    gateway, neighbour = besieged
    for round_ in range(30):
        frames = peers.frames(gateway).ready()
        frames.flood(frame(Kind.SETTINGS) for _ in range(1000))
        frames.ending()
        if round_ == 10:
            memory, descriptors = gateway.resident(), gateway.descriptors()
    eventually(lambda: gateway.descriptors() <= descriptors + 2, "closed connections")
    assert gateway.resident() < memory + (16 << 20)
    assert neighbour.get("/").status == 200
