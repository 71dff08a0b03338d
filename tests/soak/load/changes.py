"""What is done to the gateway meanwhile: reloads of harmless changes, and certificates that are
swapped. Each must have happened before the next one."""
import collections
import json
import shutil
import signal

from harness.raw import Raw
from harness.tls import client_context
from harness.waiting import eventually

from .client import PATIENCE, Client


class Events:
    """The gateway's events as they come; `counts` by name."""

    def __init__(self, path):
        self.file = open(path, encoding="utf-8", errors="replace")  # pylint: disable=consider-using-with
        self.rest = ""
        self.counts = collections.Counter()
        self.failed = []

    def fetch(self):
        *lines, self.rest = (self.rest + self.file.read()).split("\n")
        found = []
        for line in lines:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue  # a sanitizer's report, for which Gateway.finish looks
        self.counts.update(event["event"] for event in found)
        self.failed += [event for event in found if event["event"] == "reload_failed"]
        return found


class Changes(Client):
    """One at a time; `certificate` is the file to swap."""

    PAUSE = 1

    def __init__(self, place, name, gateway, settings, backends):
        super().__init__(place, name)
        self.gateway, self.settings, self.backends = gateway, settings, backends
        self.events = Events(gateway.events_path)
        self.context = client_context(place.certificates.ca)

    def round(self):
        self.events.fetch()
        self.random.choice([self.reload, self.reload, self.swap, self.swap_and_signal])()
        self.backends.tidy()

    def reload(self):
        if self.chance(0.8):
            self.gateway.write(self.settings.variant(self.fresh_id()))
        self.hang_up()
        self.note("reloads")

    def hang_up(self):
        self.gateway.signal(signal.SIGHUP)

        def heard():
            return any(event.get("why") == "SIGHUP" or event["event"] == "reload_failed"
                       for event in self.events.fetch())
        eventually(heard, "a reload", PATIENCE)
        assert not self.events.failed, self.events.failed

    def swap(self):
        """The file watch alone has to notice it."""
        fresh = self.put_fresh()
        for _ in range(3):  # on whatever core
            eventually(lambda: self.shown() == fresh.der, "the new certificate", PATIENCE)
        self.note("swaps")

    def swap_and_signal(self):
        fresh = self.put_fresh()
        self.hang_up()
        assert self.shown() == fresh.der
        self.note("swaps")

    def put_fresh(self):
        kind = self.random.choice(["ecdsa", "ecdsa", "rsa"])
        fresh = self.place.certificates.authority.issue("localhost", "127.0.0.1", kind=kind,
                                                        usage="server")
        target = self.settings.certificate
        beside = target.with_name(f".{target.name}.new")
        shutil.copy(fresh.both, beside)
        beside.rename(target)
        return fresh

    def shown(self):
        with Raw(self.place.secure, tls=self.context, timeout=PATIENCE) as client:
            return client.sock.getpeercert(True)
