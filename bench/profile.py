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

ROOT = Path(__file__).resolve().parent.parent
CELLS = ("plain-64", "plain-1", "log", "auth", "gzip", "large", "upload", "tls-http1", "tls-http2",
         "http2-client", "http2-backend", "grpc")


def run(cell, loop, backend, places, seconds):
    gateway = candidates.Candidate(f"doorward-{loop}", "doorward", loop, cell.feature,
                                   cell.feature == "log")
    gateway.start(places, backend)
    try:
        got = load.of_cell(cell, gateway, places, seconds)()
        if not got["requests"] or got["errors"]:
            sys.exit(f"{cell.name} on {loop}: {got}")
        print(f"{cell.name} on {loop}: {got['requests']} requests", flush=True)
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
    small = make_bodies(out / "www")
    make_messages(out / "grpc")
    certificate.make(out / "run")
    backend = Backends(places, small)
    try:
        for cell in cells.all_cells():
            for loop in ("uring", "epoll") if cell.name in CELLS else ():
                run(cell, loop, backend, places, options.seconds)
    finally:
        backend.stop()


if __name__ == "__main__":
    main()
