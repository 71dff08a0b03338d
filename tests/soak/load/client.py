"""What all clients have in common: a thread, choices of their own, and a ledger that they share."""
import collections
import random
import threading
import time
import traceback

PATIENCE = 60  # seconds; machines may be busy, and a hang is a failure all the same


class Ledger:
    """Counts what became of requests. `failures` has the first ones in full."""

    KEPT = 20

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.defaultdict(collections.Counter)
        self.failures = []

    def note(self, client, outcome, count=1):
        with self.lock:
            self.counts[client][outcome] += count

    def failed(self, client, error):
        told = "".join(traceback.format_exception(error, limit=-6))
        with self.lock:
            self.counts[client]["failed"] += 1
            if len(self.failures) < self.KEPT:
                self.failures.append(f"{time.strftime('%T')} {client}: {told[-3000:]}")

    def total(self, outcome):
        return sum(counts[outcome] for counts in self.counts.values())


class Place:
    """What clients need to know: where the gateway is, whom to believe, when to stop."""

    def __init__(self, gateway, certificates, ledger, seed):
        self.plain, self.secure = gateway.address("plain"), gateway.address("secure")
        self.certificates, self.ledger, self.seed = certificates, ledger, seed
        self.folder = gateway.folder
        self.stopping = threading.Event()


class Client(threading.Thread):
    """Does one `round` after another until told to stop; what a round raises is a failure."""

    PAUSE = 0.05

    def __init__(self, place, name):
        super().__init__(name=name, daemon=True)
        self.place = place
        self.random = random.Random(f"{place.seed} {name}")
        self.kind = name.split(".")[0]
        self.count = 0

    def fresh_id(self):
        self.count += 1
        return f"{self.name}-{self.count}"

    def note(self, outcome, count=1):
        self.place.ledger.note(self.kind, outcome, count)

    def chance(self, probability):
        return self.random.random() < probability

    def run(self):
        while not self.place.stopping.is_set():
            try:
                self.round()
            except Exception as error:  # pylint: disable=broad-except
                self.place.ledger.failed(self.kind, error)
                self.place.stopping.wait(0.2)
            self.place.stopping.wait(self.random.random() * 2 * self.PAUSE)

    def round(self):
        raise NotImplementedError
