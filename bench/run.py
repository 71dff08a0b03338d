#!/usr/bin/python3
"""Measures what Doorward costs beside its peers: CPU per request, in ratios of one run.

Writes build/bench/result.json and prints tables. bench/README.md says how to read them.
Exit: 0 measured, 1 a target was missed (--check only), 2 could not run, 3 the run is void.
"""
import argparse
import json
import os
import platform
import random
import signal
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import (candidates, cells, certificate, optional, rounds, summary, table,  # noqa: E402
                     targets)
from harness.backends import Backends  # noqa: E402
from harness.bodies import make_bodies, make_messages  # noqa: E402
from harness.idle import run_idle  # noqa: E402
from harness.process import BenchError  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


def parse():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--cells", help="names or their beginnings, comma-separated (default: all): " +
                   ", ".join(c.name for c in cells.all_cells()))
    p.add_argument("--rounds", type=int, default=6)
    p.add_argument("--seconds", type=int, default=3, help="of each candidate in a round")
    p.add_argument("--attempts", type=int, default=3, help="at a cell whose two copies of "
                   "Doorward differ")
    p.add_argument("--quick", action="store_true", help="2 rounds of 1 s: tries everything, "
                   "proves nothing")
    p.add_argument("--doorward", type=Path, help="the binary (default: that of --build)")
    p.add_argument("--skip-doorward", action="store_true", help="peers and floor only")
    p.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    p.add_argument("--out", type=Path, default=ROOT / "build" / "bench")
    p.add_argument("--with", dest="extra", default="", help="envoy,caddy,pingora")
    p.add_argument("--pin", choices=["none", "split"], default="none",
                   help="split: gateways on the last core, load and backend on the others")
    p.add_argument("--seed", default=None, help="of the order of turns")
    p.add_argument("--idle-connections", type=int, default=10000)
    p.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
    options = p.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.attempts = 2, 1, 1
        options.idle_connections = min(options.idle_connections, 1000)
    options.seed = options.seed or str(random.randrange(10**6))
    return options


def chosen(options):
    everything = cells.all_cells()
    if not options.cells:
        return everything
    wanted = options.cells.split(",")
    picked = [c for c in everything if any(c.name == w or c.name.startswith(w + "-")
                                           for w in wanted)]
    known = {w for w in wanted for c in everything if c.name == w or c.name.startswith(w + "-")}
    if known != set(wanted):
        raise BenchError(f"no such cell: {', '.join(sorted(set(wanted) - known))}")
    return picked


def machine(options):
    model = next((line.split(":", 1)[1].strip() for line in
                  Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
                 platform.machine())
    return {"kernel": platform.release(), "cpu": model, "cores": os.cpu_count(),
            "pinning": options.pin}


def pin(options, places):
    cores = sorted(os.sched_getaffinity(0))
    if options.pin == "split" and len(cores) > 1:
        places.gateway_cores, places.other_cores = {cores[-1]}, set(cores[:-1])


def measure_cell(cell, backend, places, options, say):
    """Measures anew while two copies of Doorward differ: something else moved the figures then."""
    for attempt in range(1, options.attempts + 1):
        slices, attested, extra = rounds.run_cell(cell, backend, places, options, say)
        found = {"slices": slices, "attested": attested, **extra, "attempts": attempt,
                 **summary.summarize(cell, slices)}
        apart = summary.copies_apart(found)
        if apart <= summary.CONTROL_LIMIT:
            break
        say(f"{cell.name}: two copies of the same doorward differ by {apart:.1%}")
    return found


def measure(options, places, say):
    picked = chosen(options)
    small = make_bodies(places.out / "www", places.out / "http2")
    make_messages(places.out / "grpc")
    certificate.make(places.out / "run")
    backend = Backends(places, small, {cell.feature for cell in picked})
    found = {}
    try:
        for cell in picked:
            say(f"{cell.name}: {cell.title}")
            result = {"title": cell.title, "subject": cell.subject, "unit": cell.unit,
                      "connections": cell.connections, "streams": cell.streams}
            try:
                if cell.kind == "idle":
                    result["slices"], result["ratios"] = run_idle(cell, backend, places, options,
                                                                  say)
                elif cell.kind == "routes":
                    result["slices"], result["ratios"] = rounds.run_routes(places)
                else:
                    result |= measure_cell(cell, backend, places, options, say)
            except BenchError as error:
                result["failed"] = str(error)
                say(f"{cell.name}: left out, {error}")
            found[cell.name] = result
            table.print_cell(cell.name, result)
    finally:
        backend.stop()
    return found


def main():
    # Told to end, it still ends what it started. SIGHUP also comes when the shell that started it in
    # the background ends while a load is stopped: then its process group is orphaned.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: sys.exit(130))
    options = parse()
    places = candidates.Places(options.build, options.out,
                               options.doorward or options.build / "doorward")
    if not places.doorward.exists() and not options.skip_doorward:
        raise BenchError(f"{places.doorward} is not built (scripts/bench builds it)")
    places.doorward = places.doorward.resolve()
    places.out = places.out.resolve()
    places.build = places.build.resolve()
    pin(options, places)
    start = time.monotonic()
    say = lambda text: print(f"[{time.monotonic() - start:5.0f} s] {text}", flush=True)
    places.optional = optional.find([n for n in options.extra.split(",") if n],
                                    places.out / "peers")
    result = {"format": 1, "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
              "machine": machine(options), "versions": candidates.versions(places),
              "options": {"rounds": options.rounds, "seconds": options.seconds,
                          "seed": options.seed, "quick": options.quick}}
    result["cells"] = measure(options, places, say)
    result["configs"] = places.configs
    result["void"] = summary.void_reason(result["cells"])
    result["targets"] = targets.judge(result["cells"])
    path = places.out / "result.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    table.print_targets(result)
    print(f"\nRaw slices, configs and versions: {path}")
    if result["void"]:
        print(f"VOID: {result['void']}. Nothing follows from this run; repeat it on a quiet machine.")
        return 3
    return 1 if options.check and any(t["met"] is not True for t in result["targets"]) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
