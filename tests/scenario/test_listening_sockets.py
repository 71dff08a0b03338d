"""Listening sockets: whoever has connected is served, whatever happens to the socket meanwhile."""
import ctypes
import os
import signal
import sys

import pytest

from harness import backend as backends, config
from harness.raw import Raw, request
from harness.waiting import DEADLINE, eventually

# Opens COUNT sockets on PORT as a former process would leave them, and becomes the gateway.
FORMER = """
import os, socket, sys
port, count = int(sys.argv[1]), int(sys.argv[2])
numbers = []
for _ in range(count):
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind(("127.0.0.1", port))
    one.listen(100)
    one.set_inheritable(True)
    numbers.append(str(one.detach()))
os.environ["DOORWARD_INHERITED_SOCKETS"] = "{0} {0} {1};".format(
    f"127.0.0.1:{port}", ",".join(numbers))
os.execv(sys.argv[3], sys.argv[3:])
"""


def free_address():
    listener, url = backends.listen()
    listener.close()
    return url.removeprefix("http://")


def on(address, **top):
    return config.respond("x", listeners=[{"name": "web", "address": address}], **top)


def test_all_sockets_of_a_former_process_with_more_cores_are_served(peers):
    address = free_address()
    gateway = peers.gateway(on(address), prefix=[
        sys.executable, "-c", FORMER, address.split(":")[1], "3"])
    for _ in range(30):
        assert peers.client(gateway, timeout=5).get("/").status == 200
    gateway.stop()


def queued(peers, address, count=200):
    """Clients whose connections wait in the kernel's queue with a request."""
    clients = [peers.client(address) for _ in range(count)]
    for client in clients:
        client.send(request("/"))
    return clients


@pytest.mark.parametrize("family", ["tcp", "unix"])
def test_who_waits_in_the_queue_when_it_is_told_to_end_is_served(peers, family):
    address = free_address() if family == "tcp" else f"unix:{peers.folder}/web.sock"
    gateway = peers.gateway(on(address))
    gateway.signal(signal.SIGSTOP)
    gateway.signal(signal.SIGTERM)
    clients = queued(peers, address)
    gateway.signal(signal.SIGCONT)
    assert {client.recv_response().status for client in clients} == {200}
    assert gateway.process.wait(DEADLINE) == 0


def test_who_waits_in_the_queue_of_a_listener_that_is_removed_is_served(peers):
    extra = free_address()
    settings = config.respond("x")
    settings["listeners"].append({"name": "extra", "address": extra})
    gateway = peers.gateway(settings)
    gateway.signal(signal.SIGSTOP)
    gateway.write(config.respond("x"))
    gateway.signal(signal.SIGHUP)
    clients = queued(peers, extra)
    gateway.signal(signal.SIGCONT)
    assert {client.recv_response().status for client in clients} == {200}
    eventually(lambda: refuses(extra), "the end of the removed listener")


def refuses(address):
    try:
        Raw(address).close()
        return False
    except ConnectionError:
        return True


class HeldCores:
    """Every thread of a gateway but the control thread stands still, as a core in a long turn does;
    ptrace stops single threads."""
    SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000

    def __init__(self, gateway):
        threads = map(int, os.listdir(f"/proc/{gateway.pid}/task"))
        self.threads = [thread for thread in threads if thread != gateway.pid]
        self.libc = ctypes.CDLL(None, use_errno=True)

    def trace(self, request_, thread):
        if self.libc.ptrace(request_, thread, None, None) != 0:
            pytest.skip(f"ptrace is not allowed here: {os.strerror(ctypes.get_errno())}")

    def __enter__(self):
        for thread in self.threads:
            self.trace(self.SEIZE, thread)
            self.trace(self.INTERRUPT, thread)
            os.waitpid(thread, self.WALL)

    def __exit__(self, *_):
        for thread in self.threads:
            self.trace(self.DETACH, thread)


@pytest.mark.parametrize("family", ["tcp", "unix"])
def test_a_listener_that_is_named_again_at_once_serves(peers, family):
    extra = free_address() if family == "tcp" else f"unix:{peers.folder}/web.sock"
    without, both = config.respond("x"), config.respond("x")
    both["listeners"].append({"name": "extra", "address": extra})
    gateway = peers.gateway(both, workers=2)

    def reload(settings):
        def reloads():
            return gateway.metrics().sum("doorward_reloads_total")
        before = reloads()
        gateway.write(settings)
        gateway.signal(signal.SIGHUP)
        eventually(lambda: reloads() > before, "a reload")
    with HeldCores(gateway):
        reload(without)
        reload(both)
        reload(without)
        reload(both)
    eventually(lambda: len(gateway.events("reloaded")) >= 4, "the reloads' end")
    assert not gateway.events("reload_failed")
    for _ in range(20):
        assert peers.client(extra, timeout=5).get("/").status == 200
    for client in [peers.client(extra, timeout=5) for _ in range(20)]:
        assert client.get("/").status == 200
