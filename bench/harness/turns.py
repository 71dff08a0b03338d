"""Turns: the loads of a round, side by side, all stopped (SIGSTOP) but the one whose turn it is.

A shared machine is faster in one second than in the next. Slices of seconds, one after the other,
meet different machines; turns of a tenth of a second, in a new random order each time, spread what
the machine does over all candidates alike.
"""
import os
import random
import resource
import select
import signal
import time
from collections import Counter

from harness.process import TICKS, BenchError, machine_ticks

TURN_S = 0.1
SETTLE_S = 0.05  # at most: what a stopped load has asked for is done within milliseconds


def take(loads, backend, seed):
    """Runs `loads`, pairs of (candidate, Load), until all have ended; gives one entry for each:
    what was counted and what it cost the candidate, the backend and the whole machine."""
    parts = [_Part(candidate, load) for candidate, load in loads]
    give_up = time.monotonic() + max(load.seconds for _, load in loads) + 60
    order = random.Random(seed)
    try:
        while left := [part for part in parts if not part.ended]:
            order.shuffle(left)
            for part in left:
                part.turn(backend, TURN_S if len(left) > 1 else give_up - time.monotonic())
            if time.monotonic() > give_up:
                raise BenchError(f"the load on {left[0].candidate.name} did not end")
        return [part.entry() for part in parts]
    finally:
        for part in parts:
            part.kill()
        for part in parts:
            part.collect()


class _Part:
    """One load of a round, and what its turns have used."""

    def __init__(self, candidate, load):
        self.candidate, self.load = candidate, load
        self.process, self.ended = None, False
        self.used = Counter()
        self.before = candidate.server.usage()

    def turn(self, backend, seconds):
        """Lets the load run for so long, or to its end."""
        start = _now(backend)
        if self.process is None:
            self.process = self.load.start()
        else:
            os.kill(self.process.pid, signal.SIGCONT)  # send_signal() would reap one that ended
        self.ended = _ends_within(self.process, seconds)
        if not self.ended:
            os.kill(self.process.pid, signal.SIGSTOP)
        over = time.monotonic()
        self._settle(backend)
        self.used.update(_now(backend) | {"wall_s": over})
        self.used.subtract(start)

    def _settle(self, backend):
        """Waits until what is under way is done, so that the next turn does not pay for it."""
        give_up, before = time.monotonic() + SETTLE_S, None
        while time.monotonic() < give_up:
            now = self.candidate.server.usage()["cpu_ns"] + backend.usage()["cpu_ns"]
            if now == before:
                return
            before = now
            time.sleep(0.002)

    def entry(self):
        children = _children_cpu()
        result = self.load.counts(self.process)
        after, server = self.candidate.server.usage(), self.candidate.server
        user, system = (after[k] - self.before[k] for k in ("user_ticks", "system_ticks"))
        result |= {"candidate": self.candidate.name, "wall_s": self.used["wall_s"],
                   "own_cpu_s": (after["cpu_ns"] - self.before["cpu_ns"]) / 1e9,
                   "own_user_share": user / (user + system) if user + system else 0,
                   "backend_cpu_s": self.used["backend_cpu_s"],
                   "machine_cpu_s": self.used["machine_cpu_s"],
                   "load_cpu_s": _children_cpu() - children,
                   "peak_rss_kb": server.peak_rss_kb()}
        # A load counts its seconds from start to end, also those in which it was stopped.
        result["seconds"] = min(result["seconds"], self.used["wall_s"])
        result["foreign_cpu_s"] = max(0.0, result["machine_cpu_s"] - result["own_cpu_s"] -
                                      result["backend_cpu_s"] - result["load_cpu_s"])
        return result

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def collect(self):
        if self.process is not None and not self.process.stdout.closed:
            self.process.communicate()


def _now(backend):
    return {"wall_s": time.monotonic(), "machine_cpu_s": machine_ticks() / TICKS,
            "backend_cpu_s": backend.usage()["cpu_ns"] / 1e9}


def _ends_within(process, seconds):
    fd = os.pidfd_open(process.pid)
    try:
        return bool(select.select([fd], [], [], max(0, seconds))[0])
    finally:
        os.close(fd)


def _children_cpu():
    """CPU of ended children: a load's, once it is waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
