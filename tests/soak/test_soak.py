"""The soak: one gateway under mixed load, reloaded and given new certificates all the while.
DOORWARD_SOAK_SECONDS (300), DOORWARD_SOAK_SEED (made up, and printed), DOORWARD_SOAK_LOOP (auto)."""
import os
import random
import shutil
import time

import pytest

pytest.importorskip("grpc")

from harness import binary, gateway as gateways  # noqa: E402
from harness.certificates import Certificates  # noqa: E402
from load import watch  # noqa: E402
from load.backends import Backends  # noqa: E402
from load.changes import Changes  # noqa: E402
from load.client import PATIENCE, Ledger, Place  # noqa: E402
from load.drain import drain  # noqa: E402
from load.grpc import Grpc  # noqa: E402
from load.h2load import H2load  # noqa: E402
from load.http1 import Http1  # noqa: E402
from load.http2 import Http2  # noqa: E402
from load.settings import Settings  # noqa: E402
from load.websocket import Sessions, StreamSessions  # noqa: E402

SECONDS = float(os.environ.get("DOORWARD_SOAK_SECONDS", "300"))
SEED = os.environ.get("DOORWARD_SOAK_SEED") or str(random.SystemRandom().randrange(10**6))
LOOP = os.environ.get("DOORWARD_SOAK_LOOP", "auto")
BEGAN = time.monotonic()
PARTS = 3  # the first one warms up
# What may be more at the end than after the first part.
MORE_RESIDENT, MORE_DESCRIPTORS = 16 << 20, 2
# A small quarantine that is the same for all threads: growth is then the gateway's.
ASAN = ("quarantine_size_mb=4:thread_local_quarantine_size_kb=64:detect_leaks=1:exitcode=99:"
        "allocator_release_to_os_interval_ms=500")


class Soak:
    def __init__(self, folder):
        self.certificates = Certificates(folder)
        self.backends = Backends(folder, self.certificates)
        certificate = folder / "listener.pem"
        shutil.copy(self.certificates.server.both, certificate)
        self.settings = Settings(self.backends.urls, self.certificates.ca, certificate)
        (folder / "doorward").mkdir()
        self.gateway = gateways.Gateway(folder / "doorward", self.settings.variant("first"),
                                        loop=LOOP, workers=2, env={"ASAN_OPTIONS": ASAN})
        self.ledger = Ledger()
        self.points = []

    def clients(self, part):
        place = Place(self.gateway, self.certificates, self.ledger, SEED)
        return place, [
            Changes(place, f"changes.{part}", self.gateway, self.settings, self.backends),
            *(Http1(place, f"http1.{part}.{n}", tls=False) for n in range(2)),
            *(Http1(place, f"https1.{part}.{n}", tls=True) for n in range(2)),
            Http2(place, f"http2.{part}", tls=False), Http2(place, f"https2.{part}", tls=True),
            Sessions(place, f"websocket.{part}"),
            StreamSessions(place, f"websocket-http2.{part}", tls=True),
            Grpc(place, f"grpc.{part}", tls=False), Grpc(place, f"grpcs.{part}", tls=True),
            H2load(place, f"h2load.{part}")]

    def part(self, number):
        """Load for its share of the time, then a quiet point."""
        place, clients = self.clients(number)
        for client in clients:
            client.start()
        place.stopping.wait(SECONDS / PARTS)
        place.stopping.set()
        for client in clients:
            client.join(2 * PATIENCE)
            assert not client.is_alive(), f"{client.name} hangs"
        assert self.gateway.alive(), self.gateway.stderr()[-6000:]
        self.points.append(watch.quiet_point(self.gateway))
        say(f"part {number + 1} of {PARTS}: {self.points[-1]}; {self.ledger.total('failed')} failed")
        return place

    def judge(self):
        for client, counts in sorted(self.ledger.counts.items()):
            say(f"  {client}: " + ", ".join(f"{n} {word}" for word, n in sorted(counts.items())))
        assert not self.ledger.failures, "\n".join(self.ledger.failures)
        assert all(self.ledger.total(word) for word in ("answered", "aborted", "reloads", "swaps"))
        first, last = self.points[0], self.points[-1]
        assert last.descriptors <= first.descriptors + MORE_DESCRIPTORS, (first, last)
        assert last.resident <= first.resident + MORE_RESIDENT, (first, last)


def say(text):
    print(f"soak: {time.monotonic() - BEGAN:.0f} s: {text}", flush=True)


def test_nothing_is_lost_and_nothing_grows(tmp_path):
    gateways.adopt_orphans()
    print()
    say(f"{binary.path()} for {SECONDS:g} s; DOORWARD_SOAK_SEED={SEED}")
    soak = Soak(tmp_path)
    try:
        for number in range(PARTS):
            place = soak.part(number)
        drain(place, soak.gateway)
        soak.judge()
    finally:
        try:
            soak.gateway.finish()
        finally:
            soak.backends.finish()
