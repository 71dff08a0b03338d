"""A new binary that does not become ready: the old process serves, and nobody beside it."""
import os
import pathlib
import shutil
import signal

from harness import binary, config
from harness.waiting import DEADLINE, eventually


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as numbers:
        return [int(number) for number in numbers.read().split()]


class Installed:
    """A copy of the binary, so that another can take its place."""

    def __init__(self, folder):
        self.path = folder / "doorward"
        self.put_good()
        self.prefix = ["sh", "-c", f'shift; exec {self.path} "$@"', "sh"]

    def put(self, write):
        fresh = self.path.with_name("fresh")
        write(fresh)
        fresh.chmod(0o755)
        fresh.rename(self.path)

    def put_late(self):
        """One that stands still before it begins."""
        self.put(lambda path: path.write_text(
            f'#!/bin/sh\nkill -STOP $$\nexec {binary.path()} "$@"\n'))

    def put_good(self):
        self.put(lambda path: shutil.copy(binary.path(), path))


def stands_still(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def late_successor(gateway):
    gateway.signal(signal.SIGUSR2)
    successor = eventually(lambda: children(gateway.pid), "the new process")[0]
    eventually(lambda: stands_still(successor), "the new process at a stand")
    return successor


def test_a_new_process_that_is_late_is_ended_and_the_old_one_serves(peers, tmp_path):
    installed = Installed(tmp_path)
    gateway = peers.gateway(config.respond("old"), arguments=["--upgrade-time", "1"],
                            prefix=installed.prefix)
    installed.put_late()
    successor = late_successor(gateway)
    gateway.wait_event("upgrade_failed")
    eventually(lambda: not os.path.exists(f"/proc/{successor}"), "the end of the new process")
    assert peers.client(gateway).get("/").body == b"old"
    installed.put_good()
    old = gateway.upgrade()
    assert gateway.wait_exit(old) == 0


def test_a_new_process_that_failed_leaves_no_zombie(peers):
    gateway = peers.gateway(config.respond("old"))
    gateway.write("version: 1\nlistners: []\n")
    gateway.wait_event("reload_failed")
    gateway.signal(signal.SIGUSR2)
    gateway.wait_event("upgrade_failed")
    eventually(lambda: not children(gateway.pid), "the end of the new process", deadline=2)


def test_a_new_process_serves_on_when_the_former_one_died(peers, tmp_path):
    installed = Installed(tmp_path)
    gateway = peers.gateway(config.respond("old"), prefix=installed.prefix)
    installed.put_late()
    successor = late_successor(gateway)
    gateway.process.kill()
    gateway.process.wait(DEADLINE)
    os.kill(successor, signal.SIGCONT)
    gateway.pid = successor
    gateway.wait_ready(2)
    assert peers.client(gateway).get("/").status == 200
