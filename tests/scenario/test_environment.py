"""A bad environment: one clear sentence that names the thing and the way out; exit status 1, or
going on where that is possible."""
import os
import shutil
import socket
import subprocess

import pytest

from harness import binary, config, no_uring
from harness.limits import free_descriptors
from harness.origin import Told
from harness.raw import Raw, assert_problem
from harness.service_metrics import Service
from harness.waiting import DEADLINE, eventually

IN_USE = ("in use", "another program listens there: stop it, or choose another port")


def assert_ends(gateway, status, *words):
    gateway.expected_status = status
    assert gateway.process.wait(DEADLINE) == status, gateway.stderr()
    for word in words:
        assert word in gateway.stderr(), gateway.stderr()
    errors = [e for e in gateway.events() if e.get("level") == "error"]
    assert len(errors) == 1, gateway.stderr()


def test_a_port_in_use_is_named(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.respond(listeners=[
        {"name": "web", "address": f"127.0.0.1:{origin.port}"}]), ready=False)
    assert_ends(gateway, 1, f"127.0.0.1:{origin.port}", *IN_USE)


def test_a_port_in_use_by_another_doorward_is_named(peers):
    """SO_REUSEPORT would let two gateways share a port silently."""
    first = peers.gateway(config.respond("first"))
    second = peers.gateway(config.respond("second", listeners=[
        {"name": "web", "address": first.address()}]), ready=False)
    assert_ends(second, 1, first.address(), *IN_USE)


def test_an_admin_port_in_use_is_named(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.respond(admin={"address": f"127.0.0.1:{origin.port}"}),
                            ready=False)
    assert_ends(gateway, 1, f"127.0.0.1:{origin.port}", *IN_USE)


def test_an_address_of_another_machine_is_named(peers):
    gateway = peers.gateway(config.respond(listeners=[
        {"name": "web", "address": "192.0.2.1:8080"}]), ready=False)
    assert_ends(gateway, 1, "192.0.2.1:8080", "no interface of this machine has that address")


def test_no_permission_for_a_low_port_is_explained(peers):
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root to become somebody else in a fresh network namespace")
    os.chmod(peers.folder, 0o755)
    for parent in peers.folder.parents:
        if not os.stat(parent).st_mode & 1 and str(parent).startswith("/tmp"):
            os.chmod(parent, 0o711)
    if subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "test", "-x", binary.path()],
                      check=False).returncode:
        pytest.skip("the binary cannot be run by another user")
    settings = config.respond(listeners=[{"name": "web", "address": "127.0.0.1:80"}])
    gateway = peers.gateway(settings, ready=False, prefix=[
        "unshare", "-n", "setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all"])
    assert_ends(gateway, 1, "127.0.0.1:80", "ermission",
                "ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher port")


def test_a_unix_socket_in_a_missing_folder_is_named(peers):
    gateway = peers.gateway(config.respond(listeners=[
        {"name": "web", "address": "unix:/nonexistent/web.sock"}]), ready=False)
    assert_ends(gateway, 1, "/nonexistent/web.sock", "make its folder first")


def test_a_stale_unix_socket_is_replaced_and_a_living_one_is_not(peers):
    path = f"{peers.folder}/web.sock"
    settings = config.respond(listeners=[{"name": "web", "address": f"unix:{path}"}])
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    first = peers.gateway(settings)
    assert peers.client(first).get("/").status == 200
    second = peers.gateway(settings, ready=False)
    assert_ends(second, 1, path, "another program listens there: stop it, or choose another path")
    assert Raw(f"unix:{path}").get("/").status == 200
    first.stop()
    assert not os.path.exists(path)


def test_an_unresolvable_or_absent_backend_does_not_keep_it_from_starting(peers):
    settings = config.proxy(["http://no-such-host.invalid:80", "http://127.0.0.1:1"])
    settings["routes"].append({"name": "well", "match": {"path": "/well"},
                               "respond": {"status": 200, "body": "ok"}})
    gateway = peers.gateway(settings)
    assert peers.client(gateway).get("/well").body == b"ok"


def test_too_few_descriptors_are_told_at_start(peers):
    settings = config.respond()
    gateway = peers.gateway(settings, prefix=["prlimit", "--nofile=64:64"])
    assert any("descriptor" in str(e).lower() or "nofile" in str(e).lower()
               for e in gateway.events() if e["level"] in ("warning", "error"))


def test_running_out_of_descriptors_stops_nothing_for_ever(peers):
    gateway = peers.gateway(config.proxy(peers.origin()), prefix=["prlimit", "--nofile=64:64"])
    clients = []
    for _ in range(100):
        client = peers.client(gateway)
        clients.append(client.send(b"GET / HT"))
    assert gateway.alive()
    for client in clients:
        client.close()

    def served():
        with Raw(gateway.address(), timeout=2) as client:
            try:
                return client.get("/").status == 200
            except (OSError, AssertionError):
                return False
    eventually(served, "service after the rush")


def test_a_connection_without_a_descriptor_waits_and_the_limit_is_named(peers):
    gateway = peers.gateway(config.respond(), prefix=["prlimit", "--nofile=64:64"])
    clients = [peers.client(gateway) for _ in range(64)]
    told = gateway.wait_event("accept_failed")
    assert told["listener"] == "web" and "Too many open files" in told["error"]
    assert "all 64 file descriptors" in told["hint"]
    assert "ulimit -n" in told["hint"] and "LimitNOFILE" in told["hint"]
    for client in clients[:-1]:
        client.close()
    assert clients[-1].get("/").status == 200


def test_no_descriptor_for_a_backend_is_doorwards_own_fault(peers):
    """No other endpoint is asked, and none comes last afterwards."""
    gateway = peers.gateway(config.proxy([peers.origin("a"), peers.origin("b")]))
    with free_descriptors(gateway, 1) as limit:
        client = peers.client(gateway)
        problem = assert_problem(client.get("/"), 503, "out_of_resources", route="all")
    assert problem["detail"] == ("Doorward itself can open no connection to service app: Too many "
                                 "open files.")
    told = gateway.wait_event("out_of_resources")
    assert told["service"] == "app" and f"all {limit} file descriptors" in told["hint"]
    origins = [Told(client.get("/")).origin for _ in range(4)]
    assert sorted(origins) == ["a", "a", "b", "b"]
    assert gateway.wait_access_log()[0]["attempts"] == 1
    assert not gateway.events("endpoint_unreachable")
    Service(gateway).ended({"abandoned": 1, "2xx": 4})


def test_no_descriptor_for_a_policys_service_is_not_tried_elsewhere(peers):
    settings = config.proxy(peers.origin(), policies=[{"external_auth": {"service": "auth"}}])
    settings["services"]["auth"] = {"endpoints": [peers.origin("a").url, peers.origin("b").url]}
    gateway = peers.gateway(settings)
    with free_descriptors(gateway, 1):
        client = peers.client(gateway)
        assert_problem(client.get("/"), 503, "auth_unavailable")
    assert len(gateway.events("out_of_resources")) == 1
    assert client.get("/").status == 200
    Service(gateway, "auth").ended({"abandoned": 1, "2xx": 1})


def as_nobody(peers):
    """The start of a command line that nobody runs; the folders of the test let it through."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root to become somebody else")
    for parent in (peers.folder, *peers.folder.parents):
        if not os.stat(parent).st_mode & 1 and str(parent).startswith("/tmp"):
            os.chmod(parent, 0o711)
    prefix = ["setpriv", "--reuid=65534", "--clear-groups"]
    if subprocess.run([*prefix, "test", "-x", binary.path()], check=False).returncode:
        pytest.skip("the binary cannot be run by another user")
    return prefix


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_configuration_that_may_not_be_read_is_named_with_the_way_out(peers, command):
    prefix = as_nobody(peers)
    path = peers.folder / "secret.yaml"
    path.write_text("version: 1\n")
    path.chmod(0o600)
    done = binary.command(command, "-c", path, prefix=prefix)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert f"{path}: error: no permission to read it as user 65534; change the owner" in done.stderr


@pytest.fixture(name="forbidden")
def io_uring_forbidden():
    prefix = no_uring.prefix()
    if not prefix:
        pytest.skip("the kernel has no seccomp")
    return prefix


def test_io_uring_that_is_forbidden_is_explained(peers, forbidden):
    gateway = peers.gateway(config.respond(), loop="auto", prefix=forbidden)
    event = gateway.events("loop")[0]
    assert event["backend"] == "epoll" and "not permitted" in event["reason"].lower()
    assert peers.client(gateway).get("/").status == 200


def test_io_uring_that_is_asked_for_and_forbidden_ends_the_start(peers, forbidden):
    gateway = peers.gateway(config.respond(), loop="uring", prefix=forbidden, ready=False)
    assert_ends(gateway, 1, "io_uring", "ermitted")


def test_an_unwritable_stdout_stops_nothing(peers):
    closed = ["sh", "-c", 'exec "$@" >&-', "sh"]
    gateway = peers.gateway(config.proxy(peers.origin()), prefix=closed)
    assert peers.client(gateway).get("/").status == 200


def test_a_relative_config_path_works(peers):
    gateway = peers.gateway(config.respond("x"))
    assert gateway.config_path.exists()
    done = subprocess.run([binary.path(), "check", "-c", gateway.config_path.name],
                          cwd=gateway.folder, env=binary.environment(), check=False,
                          capture_output=True)
    assert done.returncode == 0, done
