#!/usr/bin/python3
"""Runs the benchmark's loads through a Doorward that counts which code they use (scripts/profile).

Measures nothing: each cell once on both loops, so that the counters see what requests do.
"""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import candidates, cells, certificate, load  # noqa: E402
from harness.backends import Backends  # noqa: E402
from harness.bodies import make_bodies, make_messages  # noqa: E402
from harness.cell import DOORWARD_EPOLL, DOORWARD_URING  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
CELLS = ("plain-64", "plain-1", "log", "auth", "gzip", "large", "upload", "tls-http1", "tls-http2",
         "handshakes", "resumed", "http2-client", "http2-backend", "grpc")


def run(cell, gateway, backend, places, seconds):
    gateway.start(places, backend)
    try:
        got = load.of_cell(cell, gateway, places, seconds).run()
        if not got["requests"] or got["errors"]:
            sys.exit(f"{cell.name} on {gateway.loop}: {got}")
        print(f"{cell.name} on {gateway.loop}: {got['requests']} requests", flush=True)
    finally:
        gateway.stop()


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", type=Path, default=ROOT / "build" / "profile")
    p.add_argument("--out", type=Path, default=ROOT / "build" / "profile" / "run")
    p.add_argument("--seconds", type=int, default=2)
    options = p.parse_args()
    build, out = options.build.resolve(), options.out.resolve()
    places = candidates.Places(build, out, build / "doorward")
    small = make_bodies(out / "www", out / "http2")
    make_messages(out / "grpc")
    certificate.make(out / "run")
    picked = [cell for cell in cells.all_cells() if cell.name in CELLS]
    backend = Backends(places, small, {cell.feature for cell in picked})
    try:
        for cell in picked:
            for gateway in cell.cast({}):
                if gateway.name in (DOORWARD_URING, DOORWARD_EPOLL):
                    run(cell, gateway, backend, places, options.seconds)
    finally:
        backend.stop()


if __name__ == "__main__":
    main()
