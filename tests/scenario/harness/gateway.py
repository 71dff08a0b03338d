"""Gateway: one `doorward run` under test. Its stderr (events) and stdout (access log) go to files,
so that nothing blocks on a pipe and a successor after an upgrade writes to the same place."""
import ctypes
import glob
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess

from . import binary, metrics
from .waiting import DEADLINE, eventually

TOKEN = "scenario-token"
REPORTS = re.compile(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|CHECK failed)")
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Successors of an upgraded gateway become our children, so that their status can be read."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def write_config(path, config):
    """`config` is YAML text or a value (JSON is YAML); replaced atomically."""
    text = config if isinstance(config, str) else json.dumps(config, indent=1)
    text = text.replace(': "off"', ": off")  # the word, as people write it
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    fresh.rename(path)


class Gateway:
    """Starts at once; `ready=False` leaves waiting to the caller."""

    CONFIG = "doorward.yaml"

    def __init__(self, folder, config, loop="auto", workers=1, arguments=(), ready=True,
                 prefix=(), env=None, admin=True):
        self.folder = pathlib.Path(folder)
        self.config_path = self.folder / self.CONFIG
        self.events_path = self.folder / "events.log"
        self.access_path = self.folder / "stdout.log"
        self.admin = admin
        self.expected_status = 0
        self.write(config)
        with open(self.events_path, "ab") as events, open(self.access_path, "ab") as access:
            self.process = subprocess.Popen(
                [*prefix, binary.path(), "run", "-c", str(self.config_path), "--workers",
                 str(workers), "--loop", loop, *arguments],
                stdin=subprocess.DEVNULL, stdout=access, stderr=events,
                env=binary.environment(env), cwd=self.folder)
        self.pid = self.process.pid
        if ready:
            self.wait_ready()

    # --- configuration -------------------------------------------------------------------------
    def write(self, config):
        """An admin listener with a known token is added to a config that says nothing of one."""
        if isinstance(config, dict) and self.admin:
            config = {"version": 1, "admin": {"address": "127.0.0.1:0", "token": TOKEN}, **config}
        write_config(self.config_path, config)

    def reload(self, config=None, expect="reloaded"):
        """Writes, sends SIGHUP, waits for its outcome and returns that event. The file watch may
        reload as well; its events are not taken for the signal's."""
        def outcomes():
            return [e for e in self.events("reloaded", "reload_failed")
                    if e.get("why", "SIGHUP") == "SIGHUP"]
        before = len(outcomes())
        if config is not None:
            self.write(config)
        os.kill(self.pid, signal.SIGHUP)
        outcome = eventually(lambda: outcomes()[before:], "the outcome of a reload")[0]
        assert outcome["event"] == expect, outcome
        return outcome

    # --- events --------------------------------------------------------------------------------
    def stderr(self):
        return self.events_path.read_text(errors="replace")

    def events(self, *names):
        """All events so far, of these names or of any."""
        found = []
        for line in self.stderr().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and (not names or event.get("event") in names):
                found.append(event)
        return found

    def wait_event(self, name, count=1, deadline=DEADLINE):
        def probe():
            found = self.events(name)
            if len(found) < count and not self.alive():
                found = self.events(name)
                assert len(found) >= count, f"ended before {name!r}: {self.stderr()[-3000:]}"
            return found if len(found) >= count else None
        return eventually(probe, f"event {name!r}", deadline)[count - 1]

    def wait_ready(self, count=1):
        self.wait_event("ready", count)
        return self

    # --- places --------------------------------------------------------------------------------
    def address(self, listener=None):
        """The real address of a listener, by default of the only or first one."""
        for event in self.events("listening"):
            if listener in (None, event["listener"]):
                return event["address"]
        raise AssertionError(f"no listener {listener!r} in {self.events('listening')}")

    def addresses(self):
        return {event["listener"]: event["address"] for event in self.events("listening")}

    @property
    def admin_address(self):
        return self.wait_event("admin_listening")["address"]

    def ask_admin(self, path, token=TOKEN, method="GET", body=None):
        """(status, headers, text) of the admin listener."""
        connection = http.client.HTTPConnection(self.admin_address, timeout=DEADLINE)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()

    def metrics(self):
        status, _, text = self.ask_admin("/metrics")
        assert status == 200, (status, text)
        return metrics.parse(text)

    # --- access log ----------------------------------------------------------------------------
    def access_log(self, path=None):
        """Whole lines so far, parsed; every line must be JSON."""
        text = pathlib.Path(path or self.access_path).read_text()
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def wait_access_log(self, count=1, path=None):
        return eventually(lambda: (lines if len(lines := self.access_log(path)) >= count else None),
                          f"{count} lines of access log")

    # --- process -------------------------------------------------------------------------------
    def alive(self):
        if self.pid == self.process.pid:
            return self.process.poll() is None
        return os.path.exists(f"/proc/{self.pid}")

    def resident(self):
        """Resident memory in bytes."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def signal(self, number):
        os.kill(self.pid, number)

    def running_pids(self):
        """Every process that runs this gateway's config."""
        mine, found = str(self.config_path).encode(), []
        for entry in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                words = pathlib.Path(entry).read_bytes().split(b"\0")
            except OSError:
                continue
            if mine in words and b"run" in words:
                found.append(int(entry.split("/")[2]))
        return found

    def upgrade(self):
        """SIGUSR2; returns once the successor is ready. The old process may still drain."""
        old, ready = self.pid, len(self.events("ready"))
        self.signal(signal.SIGUSR2)
        self.wait_ready(ready + 1)
        fresh = [pid for pid in self.running_pids() if pid != old]
        assert len(fresh) == 1, fresh
        self.pid = fresh[0]
        return old

    def wait_exit(self, pid=None, deadline=DEADLINE):
        """The exit status of this gateway (or of a former one) once it has ended."""
        pid = pid or self.pid
        if pid == self.process.pid:
            return self.process.wait(deadline)
        def ended():
            try:
                found, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:  # a successor is its predecessor's child until that has ended
                return None
            return (os.waitstatus_to_exitcode(status),) if found else None
        return eventually(ended, f"the end of process {pid}", deadline)[0]

    def stop(self, deadline=DEADLINE):
        """SIGTERM; the status must be 0."""
        if self.alive():
            self.signal(signal.SIGTERM)
        status = self.wait_exit(deadline=deadline)
        assert status == self.expected_status, f"exit status {status}: {self.stderr()[-4000:]}"

    def finish(self):
        """At the end of a test: stops what runs, fails on a crash or a sanitizer's report."""
        try:
            if self.process.poll() is None or self.pid != self.process.pid:
                self.stop()
            else:
                assert self.process.returncode == self.expected_status, (
                    f"exit status {self.process.returncode}: {self.stderr()[-4000:]}")
        finally:
            for pid in self.running_pids():
                os.kill(pid, signal.SIGKILL)
        report = REPORTS.search(self.stderr())
        assert not report, self.stderr()[-6000:]


class FolderGateway(Gateway):
    """Its configuration is a folder. What is written are files by name, None for one to remove; a
    file of the test's own adds the admin listener."""

    CONFIG = "conf.d"

    def write(self, config):
        if not self.config_path.exists():
            self.config_path.mkdir()
            write_config(self.config_path / "00-admin.yaml", {
                "version": 1, "admin": {"address": "127.0.0.1:0", "token": TOKEN}})
        for name, text in config.items():
            if text is None:
                (self.config_path / name).unlink()
            else:
                write_config(self.config_path / name, text)
