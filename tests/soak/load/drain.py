"""The end: a drain while requests are under way and a WebSocket is open."""
import random
import signal

from harness import websocket as ws
from harness.http2 import Http2Client
from harness.raw import Raw, request
from harness.tls import client_context
from harness.waiting import eventually

from .answers import Ask
from .client import PATIENCE


def drain(place, gateway):
    """Everything that has begun is answered, the WebSocket is told, the exit status is 0."""
    context = client_context(place.certificates.ca, ["h2"])
    choices = random.Random(f"{place.seed} drain")
    first, second = (Ask(f"drain-{n}", "http1", choices, upload=0, wait=2) for n in range(2))
    with Raw(place.plain, timeout=PATIENCE) as one, Raw(place.plain, timeout=PATIENCE) as socket, \
            Http2Client(place.secure, tls=context, timeout=PATIENCE) as two:
        assert socket.request(request("/rules/x", *ws.ASKED)).status == 101
        one.send(first.http1(choices))
        stream = two.request(second.target, *second.headers)
        eventually(lambda: gateway.metrics().sum("doorward_route_in_flight") >= 3, "the requests")
        gateway.signal(signal.SIGTERM)
        assert ws.read_close(socket.stream) == 1001
        socket.send(ws.close_frame(1001))
        first.check(one.recv_response())
        second.check(two.answer(stream))
        assert one.at_end() and two.at_end() and socket.at_end()
    assert gateway.wait_exit(deadline=PATIENCE) == 0
