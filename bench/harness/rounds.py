"""Rounds: a slice of each candidate of a cell in each, all of them up all the time."""
import json
import random
import subprocess
import time
from statistics import median

from harness import attest, load, turns
from harness.process import BenchError


def run_cell(cell, backend, places, options, say):
    """Starts the candidates, attests them, runs the rounds; gives (slices, attested, extra)."""
    cell.candidates = cell.cast(places.optional)
    if options.skip_doorward:
        cell.candidates = [c for c in cell.candidates if c.kind != "doorward"]
    try:
        attested, excluded = {}, {}
        for candidate in cell.candidates:
            try:
                attested[candidate.name] = cell.attest(candidate.start(places, backend), backend)
            except BenchError as error:
                excluded[candidate.name] = str(error)
                candidate.stop()
                say(f"{cell.name}: {candidate.name} is OUT: {error}")
        cell.candidates = [c for c in cell.candidates if c.name in attested]
        say(f"{cell.name}: {len(cell.candidates)} candidates attested")
        rate = _half_of_nginx(cell, places, options) if cell.kind == "latency" else None
        return (_rounds(cell, backend, places, options, rate, say), attested,
                {"rate": rate, "excluded": excluded})
    finally:
        for candidate in cell.candidates:
            candidate.stop()


def _half_of_nginx(cell, places, options):
    nginx = next((c for c in cell.candidates if c.name == "nginx"), None)
    if nginx is None:
        raise BenchError("without nginx there is no rate to run at")
    got = load.wrk(f"http://127.0.0.1:{nginx.server.port}{cell.path}", cell.connections,
                   options.seconds, cores=places.other_cores).run()
    return round(got["requests"] / got["seconds"] / 2)


def _rounds(cell, backend, places, options, rate, say):
    slices = []
    for candidate in cell.candidates:  # one unmeasured second each: pools fill, caches warm
        load.of_cell(cell, candidate, places, 1, rate).run()
    lines = _settled_lines(cell)
    for number in range(options.rounds):
        seed = f"{options.seed}/{cell.name}/{number}"
        for group in _groups(cell, seed):
            seconds = options.seconds * len(group)  # each runs in its turns alone
            loads = [(c, load.of_cell(cell, c, places, seconds, rate)) for c in group]
            entries = turns.take(loads, backend, seed)
            for candidate, entry in zip(group, entries):
                entry["round"] = number
                _judge(cell, candidate, entry, lines)
            slices += entries
        lines = _settled_lines(cell)
        say(f"{cell.name}: round {number + 1}/{options.rounds}")
    return slices


def _groups(cell, seed):
    """Who takes turns with whom: all with all, but nobody where a pause would be a latency."""
    if cell.kind != "latency":
        return [cell.candidates]
    order = [[candidate] for candidate in cell.candidates]
    random.Random(seed).shuffle(order)
    return order


def _settled_lines(cell):
    """The lines of each log; what is still buffered belongs to this round, not to the next."""
    logging = [candidate for candidate in cell.candidates if candidate.logs]
    if logging:
        time.sleep(1.5)
    return {candidate.name: attest.count_lines(candidate.log_path) for candidate in logging}


def _judge(cell, candidate, entry, lines):
    """Marks a slice as valid or says why it does not count."""
    why = None
    if entry["errors"]:
        why = f"errors: {entry['errors']}"
    elif entry["requests"] == 0:
        why = "no request was answered"
    elif not cell.upload_bytes and entry["bytes"] < entry["requests"] * cell.body_bytes:
        why = "fewer bytes came than the bodies have"
    elif not candidate.server.alive():
        why = "the server ended"
    if candidate.logs:
        want = lines[candidate.name] + entry["requests"]
        have = attest.complete_lines(candidate, want)
        entry["log_lines"] = have - lines[candidate.name]
        if have < want and why is None:
            why = f"{want - have} log lines are missing"
    entry["three_cpu_s"] = entry["own_cpu_s"] + entry["backend_cpu_s"] + entry["load_cpu_s"]
    if cell.unit == "µs/MB":
        size = cell.upload_bytes or cell.body_bytes
        entry |= {"per_megabyte": True, "megabytes": entry["requests"] * size / 1e6}
    entry |= {"valid": why is None, "why_not": why}


def run_routes(places):
    """Time of a match with 10 and with 10,000 routes, from the route table's own benchmark. Its
    repetitions take turns too: one after the other they met different machines."""
    program = places.build / "bench" / "route_bench"
    if not program.exists():
        raise BenchError("route_bench is not built")
    done = subprocess.run([program, "--benchmark_filter=^match_routes/", "--benchmark_format=json",
                           "--benchmark_enable_random_interleaving=true",
                           "--benchmark_repetitions=20", "--benchmark_min_time=0.05"],
                          capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise BenchError(done.stderr.strip())
    times = {}  # "hosts:0" -> number of routes -> one time per repetition
    for entry in json.loads(done.stdout)["benchmarks"]:
        if entry.get("run_type") == "iteration":
            _, routes, shape = entry["run_name"].split("/")
            times.setdefault(shape, {}).setdefault(int(routes.split(":")[1]), []).append(
                entry["cpu_time"])
    ratios = {}
    for shape, by_count in times.items():
        if {10, 10000} <= by_count.keys():
            values = [b / a for a, b in zip(by_count[10], by_count[10000])]
            ratios[f"10000/10 {shape}"] = {"median": median(values), "min": min(values),
                                           "max": max(values), "rounds": len(values)}
    if not ratios:
        raise BenchError("route_bench measured no table of 10 and of 10,000 routes")
    ratios["10000/10"] = max(ratios.values(), key=lambda spread: spread["median"])
    return times, ratios
