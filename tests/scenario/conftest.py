"""Fixtures of the scenarios. Every test that asks for a gateway runs with each event loop;
DOORWARD_LOOPS=epoll narrows that. All ports are 0, so tests may run beside each other."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness import binary, config, gateway as gateways  # noqa: E402
from harness.backend import ScriptedBackend, answering  # noqa: E402
from harness.certificates import Certificates  # noqa: E402
from harness.http2 import FrameSocket, Http2Client  # noqa: E402
from harness.http2_backend import Http2Backend  # noqa: E402
from harness.nginx import Nginx  # noqa: E402
from harness.origin import Origin  # noqa: E402
from harness.raw import Raw  # noqa: E402

LOOPS = os.environ.get("DOORWARD_LOOPS", "uring,epoll").split(",")


def pytest_configure(config):  # pylint: disable=redefined-outer-name
    gateways.adopt_orphans()


@pytest.fixture(scope="session", params=LOOPS)
def loop(request):
    return request.param


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def doorward():
    """Runs a one-shot command: doorward("check", "-c", file)."""
    binary.path()
    return binary.command


class Peers:
    """What a test or a module has started; ended in reverse order."""

    def __init__(self, folder, loop):  # pylint: disable=redefined-outer-name
        self.folder, self.loop, self.started = folder, loop, []

    def new_folder(self, name):
        folder = self.folder / f"{name}-{len(self.started)}"
        folder.mkdir()
        return folder

    def add(self, peer):
        self.started.append(peer)
        return peer

    def gateway(self, settings, kind=gateways.Gateway, **options):
        return self.add(kind(self.new_folder("doorward"), settings,
                             **{"loop": self.loop, **options}))

    def folder_gateway(self, files, **options):
        return self.gateway(files, gateways.FolderGateway, **options)

    def origin(self, name="origin", **options):
        return self.add(Origin(name, folder=self.folder, **options))

    def backend(self, script, **options):
        script = answering(script) if isinstance(script, bytes) else script
        return self.add(ScriptedBackend(script, folder=self.folder, **options))

    def http2_backend(self, script, **options):
        return self.add(Http2Backend(script, folder=self.folder, **options))

    def nginx(self, files=None, rest="", **options):
        return self.add(Nginx(self.new_folder("nginx"), files, rest, **options))

    def client(self, gateway_or_address, kind=Raw, **options):
        address = getattr(gateway_or_address, "address", None)
        client = kind(address() if address else gateway_or_address, **options)
        self.started.append(_Closing(client))
        return client

    def http2(self, gateway_or_address, **options):
        return self.client(gateway_or_address, Http2Client, **options)

    def frames(self, gateway_or_address, **options):
        return self.client(gateway_or_address, FrameSocket, **options)

    def finish(self):
        failures = []
        for peer in sorted(reversed(self.started), key=lambda p: not isinstance(p, _Closing)):
            try:
                peer.finish()
            except BaseException as failure:  # pylint: disable=broad-except
                failures.append(failure)
        if failures:
            raise failures[0]


class _Closing:
    def __init__(self, client):
        self.client = client

    def finish(self):
        self.client.close()


@pytest.fixture
def peers(tmp_path, loop):  # pylint: disable=redefined-outer-name
    made = Peers(tmp_path, loop)
    yield made
    made.finish()


@pytest.fixture(scope="module")
def module_peers(tmp_path_factory, loop):  # pylint: disable=redefined-outer-name
    made = Peers(tmp_path_factory.mktemp("shared"), loop)
    yield made
    made.finish()


class Web:
    """A plain gateway in front of an Origin, shared by a module's tests."""

    def __init__(self, gateway, origin):
        self.gateway, self.origin = gateway, origin
        self.address = gateway.address()
        self.url = f"http://{self.address}"

    def client(self, **options):
        return Raw(self.address, **options)


@pytest.fixture(scope="module")
def web(module_peers):  # pylint: disable=redefined-outer-name
    origin = module_peers.origin()
    return Web(module_peers.gateway(config.proxy(origin)), origin)


@pytest.fixture
def gateway(peers):  # pylint: disable=redefined-outer-name
    """gateway(config, **options): a started Gateway, checked at the end of the test."""
    return peers.gateway
