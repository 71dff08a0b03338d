"""The release binary under test; the scenarios' harness does the rest."""
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "scenario"))
os.environ.setdefault("DOORWARD_BINARY", str(HERE.parents[1] / "build/release/doorward"))

from harness import gateway as gateways  # noqa: E402


@pytest.fixture(params=os.environ.get("DOORWARD_LOOPS", "uring,epoll").split(","))
def start(tmp_path, request):
    """start(config, *backends): a gateway on each event loop; what was given and started is ended."""
    started = []

    def gateway(settings, *backends):
        started.extend(backends)
        started.append(gateways.Gateway(tmp_path, settings, loop=request.param))
        return started[-1]
    yield gateway
    for peer in reversed(started):
        peer.finish()
