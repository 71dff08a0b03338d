"""Each configuration of examples/ is checked, and serves as its comments say."""
import asyncio
import json
import re
import shutil
import socket
import subprocess
import sys

import pytest
import websockets
import yaml

from harness import binary

EXAMPLES = binary.ROOT / "examples"
PROGRAMS = {9001: "quickstart/orders.py", 9002: "quickstart/users.py", 9003: "external-auth/auth.py",
            9004: "grpc/greeter.py", 9005: "websocket/chat.py"}
NAMES = sorted({path.parent.name for path in EXAMPLES.glob("*/*.yaml")})


class _Program:
    """A sample service on a free port."""

    def __init__(self, path):
        self.process = subprocess.Popen([sys.executable, EXAMPLES / path, "0"], text=True,
                                        stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def finish(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="module", name="certs")
def made_by_the_readme(tmp_path_factory):
    """The folder of the certificate that the command in examples/tls/README.md makes."""
    readme = (EXAMPLES / "tls/README.md").read_text()
    command = re.search(r"^openssl (?:.*\\\n)*.*", readme, re.M)[0]
    folder = tmp_path_factory.mktemp("tls") / "certs"
    folder.mkdir()
    subprocess.run(["sh", "-c", command], cwd=folder.parent, check=True, capture_output=True)
    return folder


@pytest.fixture
def example(peers, certs):
    """example(name): a gateway with that configuration, a file or a folder as it is there; its
    ports are replaced by free ones."""
    ports = {}

    def adapted(text):
        for port, program in PROGRAMS.items():
            if f":{port}" in text and port not in ports:
                ports[port] = peers.add(_Program(program)).port
            text = text.replace(f":{port}", f":{ports.get(port)}")
        text = re.sub(r"127\.0\.0\.1:(8080|8443|9901)", "127.0.0.1:0", text)
        return text.replace("certs/", f"{certs}/")

    def start(name):
        single = EXAMPLES / name / "doorward.yaml"
        if single.exists():
            return peers.gateway(yaml.safe_load(adapted(single.read_text())))
        return peers.folder_gateway({path.name: adapted(path.read_text())
                                     for path in (EXAMPLES / name).glob("*.yaml")})
    return start


def ask(address, path, *arguments, scheme="http"):
    """(status, headers, body) as curl sees them."""
    done = subprocess.run(
        ["curl", "-sS", "-i", "--raw", "--max-time", "20", *arguments, f"{scheme}://{address}{path}"],
        capture_output=True, check=True)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict((name.lower(), value) for name, value in
                   (line.split(": ", 1) for line in lines[1:]))
    return int(lines[0].split()[1]), headers, body


@pytest.mark.parametrize("name", NAMES)
def test_example_passes_its_check(doorward, name, certs):
    single = EXAMPLES / name / "doorward.yaml"
    done = doorward("check", single if single.exists() else EXAMPLES / name, cwd=certs.parent)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("program", ["quickstart/orders.py", "quickstart/users.py"])
def test_a_sample_service_names_a_port_that_is_taken(program):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([sys.executable, EXAMPLES / program, str(port)], text=True,
                              capture_output=True, check=False, timeout=60)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in done.stderr and "choose another port" in done.stderr


# Brings up loopback in a fresh network namespace, takes a port there, and becomes a command.
TAKE = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sH14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
taken = socket.create_server(("127.0.0.1", int(sys.argv[1])))
taken.set_inheritable(True)
os.execvp(sys.argv[2], sys.argv[2:])
"""


# Starts the demo, runs each command that it prints, ends it, and tells how all of that went.
DRIVE = """
import json, signal, subprocess, sys
with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True) as demo:
    said = []
    for line in demo.stdout:
        said.append(line.strip())
        if "ends it" in line:
            break
    commands = [line for line in said if line.startswith("curl") or " explain " in line]
    ran = [subprocess.run(command, shell=True, capture_output=True, text=True)
           for command in commands]
    demo.send_signal(signal.SIGINT)
print(json.dumps({"ran": [[done.args, done.returncode, done.stdout] for done in ran],
                  "status": demo.returncode}))
"""


@pytest.fixture(name="demo")
def copied_demo(tmp_path):
    """demo(port, *before): runs scripts/run in a network of its own, where the port is taken (0:
    none that it wants), by the command `before`. In a copy, since it writes logs beside itself."""
    def run(port, *before):
        prefix = ["unshare", "-n", sys.executable, "-c", TAKE, str(port)]
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
            pytest.skip("needs root and network namespaces")
        return subprocess.run([*prefix, *before, "scripts/run", "--workers", "1"], cwd=tmp_path,
                              text=True, capture_output=True, check=False, timeout=120,
                              env=binary.environment({"DOORWARD_BINARY": binary.path()}))
    shutil.copytree(binary.ROOT / "scripts", tmp_path / "scripts")
    shutil.copytree(EXAMPLES / "quickstart", tmp_path / "examples/quickstart")
    return run


@pytest.mark.parametrize("port,who", [(9001, "orders"), (9002, "users"), (8080, "Doorward"),
                                      (9901, "Doorward")])
def test_the_demo_names_a_port_that_is_taken(demo, port, who):
    done = demo(port)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert f"127.0.0.1:{port}" in done.stderr and who in done.stderr
    assert "choose another port" in done.stderr


def test_the_demo_prints_commands_that_work_and_ends_by_ctrl_c(demo):
    done = demo(0, sys.executable, "-c", DRIVE)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    order, metrics, explained = told["ran"]
    assert [status for _, status, _ in told["ran"]] == [0, 0, 0], told
    assert "HTTP/1.1 200 OK" in order[2] and "x-served-by: doorward/orders" in order[2]
    assert "doorward_requests_total" in metrics[2]
    assert "users" in explained[2]
    assert told["status"] == 130


def test_quickstart(example):
    address = example("quickstart").address()
    status, headers, body = ask(address, "/orders/7")
    assert (status, json.loads(body)["item"]) == (200, "lantern")
    assert headers["x-served-by"] == "doorward/orders" and headers["x-request-id"]
    assert json.loads(ask(address, "/api/users/ada")[2])["city"] == "London"
    created = ask(address, "/orders", "-d", '{"customer": "ada", "item": "map"}')
    assert created[0] == 201
    assert ask(address, "/orders/7", "-X", "DELETE")[0] == 405
    assert b"/whoami" in ask(address, "/")[2]


def test_routing(example):
    address = example("routing").address()
    api = ("-H", "Host: api.example.com")
    status, headers, _ = ask(address, "/orders/7", *api)
    assert (status, headers["x-order"]) == (200, "7")
    status, headers, _ = ask(address, "/orders/7", *api, "-H", "Cookie: beta=yes")
    assert status == 404 and "x-order" not in headers  # the canary knows no orders
    assert ask(address, "/orders", *api)[0] == 200
    status, headers, _ = ask(address, "/docs/a?b=c")
    assert (status, headers["location"]) == (308, "https://docs.example.com/docs/a?b=c")
    assert ask(address, "/robots.txt")[2].startswith(b"User-agent")
    assert ask(address, "/nowhere")[0] == 404


def test_policies(example):
    address = example("policies").address()
    status, headers, body = ask(address, "/v1/whoami", "-H", "Cookie: a=b", "-H", "X-Debug-1: on")
    seen = {name.lower(): value for name, value in json.loads(body)["headers"].items()}
    assert status == 200 and "server" not in headers
    assert (seen["x-client"], seen["x-route"]) == ("127.0.0.1", "who")
    assert "cookie" not in seen and "x-debug-1" not in seen
    assert ask(address, "/closed")[0] == 403
    assert ask(address, "/whoami")[0] == 200
    assert json.loads(ask(address, "/v2/anything")[2]) == {"version": 2}


def test_external_auth(example):
    address = example("external-auth").address()
    status, headers, _ = ask(address, "/whoami")
    assert status == 401 and headers["www-authenticate"].startswith("Bearer")
    status, _, body = ask(address, "/whoami", "-H", "Authorization: Bearer ada-secret")
    assert status == 200
    assert {k.lower(): v for k, v in json.loads(body)["headers"].items()}["x-user"] == "ada"


def test_compression(example):
    address = example("compression").address()
    for algorithm in ("zstd", "br", "gzip"):
        headers = ask(address, "/orders", "-H", f"Accept-Encoding: {algorithm}")[1]
        assert headers["content-encoding"] == algorithm
    assert "content-encoding" not in ask(address, "/orders")[1]


def test_behind_a_load_balancer(example):
    address = example("behind-a-load-balancer").address()
    status, _, body = ask(address, "/whoami", "-H", "X-Forwarded-For: 198.51.100.9")
    seen = {name.lower(): value for name, value in json.loads(body)["headers"].items()}
    assert (status, seen["x-client"]) == (200, "198.51.100.9")
    assert seen["x-forwarded-for"] == "198.51.100.9, 127.0.0.1" and "forwarded" in seen
    assert ask(address, "/whoami", "-H", "X-Forwarded-For: 203.0.113.5")[0] == 403


def test_folder(example):
    address = example("folder").address()
    assert ask(address, "/orders/8")[0] == 200
    assert ask(address, "/users/grace")[0] == 200


def test_tls(example, certs):
    gateway = example("tls")
    secure = gateway.address("secure")
    believing = ("--cacert", certs / "localhost.crt")
    status, headers, body = ask(secure, "/whoami", "--http1.1", *believing, scheme="https")
    seen = {name.lower(): value for name, value in json.loads(body)["headers"].items()}
    assert (status, seen["x-tls-version"]) == (200, "TLSv1.3")
    assert headers["strict-transport-security"] == "max-age=3600"
    assert ask(secure, "/users/ada", *believing, scheme="https")[0] == 200
    status, headers, _ = ask(gateway.address("plain"), "/users/ada?a=b")
    assert (status, headers["location"]) == (308, "https://127.0.0.1:8443/users/ada?a=b")


def test_grpc(example):
    gateway = example("grpc")

    def greet(name):
        return subprocess.run([sys.executable, EXAMPLES / "grpc/greet.py", gateway.address(), name],
                              capture_output=True, text=True, timeout=60)
    assert greet("Ada").stdout == "Hello, Ada!\nA as in Ada\nD as in Ada\nA as in Ada\n"
    assert greet("").stderr.strip() == "INVALID_ARGUMENT: nobody to greet"
    assert gateway.wait_access_log(3)[2]["grpc_status"] == "3"
    shut = ask(gateway.address(), "/greeter.Greeter/Shutdown", "--http2-prior-knowledge",
               "-H", "Content-Type: application/grpc", "-d", "")[1]
    assert shut["grpc-status"] == "7"


def test_websocket(example):
    chat = f"ws://{example('websocket').address()}/chat"

    async def talk():
        ada = await websockets.connect(chat, subprotocols=["chat.v1"])
        grace = await websockets.connect(chat, origin="https://app.example.com", compression=None)
        assert ada.subprotocol == "chat.v1"
        await ada.send("hello")
        assert await grace.recv() == await ada.recv() == "hello"
        await grace.send("x" * 5000)
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await grace.recv()
        assert closed.value.rcvd.code == 1009
        await ada.close()
        with pytest.raises(websockets.InvalidStatusCode) as refused:
            await websockets.connect(chat, origin="https://evil.example")
        assert refused.value.status_code == 403
    asyncio.run(asyncio.wait_for(talk(), 30))
