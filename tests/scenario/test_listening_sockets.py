"""Listening sockets: whoever has connected is served, whatever happens to the socket meanwhile."""
import sys

from harness import backend as backends, config

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
