"""Server: a process under measurement (gateway, relay, backend) and what it has used so far.

CPU comes from the kernel's per-process clock, which counts all threads of a process, also ended
ones, in nanoseconds; /proc/PID/stat gives the share of it in user space.
"""
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """A run cannot go on; the text says why."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tree(pid):
    """The process and all its descendants."""
    pids = [pid]
    for parent in pids:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                pids += [int(child) for child in task.read_text().split()]
            except OSError:
                pass
    return pids


def cpu_ns(pid):
    """User + system time of one process (clock_getcpuclockid(3), spelled out)."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0


def user_share(pid):
    """(user ticks, system ticks) of one process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]), int(fields[12])
    except OSError:
        return 0, 0


def machine_ticks():
    """Busy ticks of the whole machine, stolen time left out."""
    fields = [int(f) for f in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq = fields[:7]
    return user + nice + system + irq + softirq


def memory_kb(pid, field):
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def private_kb(pid):
    """Memory that only this process holds: the honest measure of what connections add."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                total += int(line.split()[1])
    except OSError:
        return memory_kb(pid, "VmRSS")
    return total


class Server:
    """One started program. `cores` pins it; `stdout` is a path that is appended to."""

    def __init__(self, name, command, port, directory, cores=None, env=None, stdout=None):
        self.name, self.command, self.port = name, [str(c) for c in command], port
        directory.mkdir(parents=True, exist_ok=True)
        self.stderr_path = directory / f"{name}.stderr"
        out = open(stdout, "ab") if stdout else subprocess.DEVNULL
        pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
        try:
            with open(self.stderr_path, "wb") as err:
                self.process = subprocess.Popen(
                    self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, preexec_fn=pin,
                    cwd=directory, env={**os.environ, **(env or {})}, process_group=0)
        except OSError as error:
            raise BenchError(f"{name} cannot be started: {error}") from error
        if stdout:
            out.close()

    def wait_ready(self, seconds=15):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.05)
        tail = self.stderr_path.read_text(errors="replace").strip().splitlines()[-5:]
        self.stop()
        raise BenchError(f"{self.name} did not start: {' '.join(self.command)}\n  " +
                         "\n  ".join(tail))

    def alive(self):
        return self.process.poll() is None

    def usage(self):
        pids = tree(self.process.pid)
        ticks = [user_share(pid) for pid in pids]
        return {"cpu_ns": sum(cpu_ns(pid) for pid in pids),
                "user_ticks": sum(t[0] for t in ticks), "system_ticks": sum(t[1] for t in ticks)}

    def peak_rss_kb(self):
        return sum(memory_kb(pid, "VmHWM") for pid in tree(self.process.pid))

    def private_memory_kb(self):
        return sum(private_kb(pid) for pid in tree(self.process.pid))

    def stop(self):
        """Ends the process group that this object started, and nothing else."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.process.wait()
