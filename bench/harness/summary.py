"""From raw slices to figures: medians over rounds, ratios inside a round, cost above the floor."""
from statistics import median

from harness.cell import COPY, DOORWARD_EPOLL, DOORWARD_URING

CONTROL_LIMIT = 0.05


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values),
            "rounds": len(values)} if values else None


def figure(entry, key):
    """A slice's cost: µs per request, or per megabyte where the cell is about bytes."""
    divisor = entry["megabytes"] if entry.get("per_megabyte") else entry["requests"]
    return entry[key] * 1e6 / divisor


def by_round(slices, candidate, key):
    return {s["round"]: figure(s, key) for s in slices if s["candidate"] == candidate and s["valid"]}


def ratios(above, below):
    shared = [r for r in above if r in below and below[r] > 0]
    return spread([above[r] / below[r] for r in shared])


def summarize(cell, slices):
    """Table and ratios of one cell."""
    names = [c.name for c in cell.candidates]
    loops = {c.name: c.loop for c in cell.candidates}
    own = {n: by_round(slices, n, "own_cpu_s") for n in names}
    machine = {n: by_round(slices, n, "machine_cpu_s") for n in names}
    three = {n: by_round(slices, n, "three_cpu_s") for n in names}
    above = {}
    for n in names:
        floor = own.get(f"floor-{loops[n]}", {})
        above[n] = {r: own[n][r] - floor[r] for r in own[n] if r in floor}
    rows = {}
    for n in names:
        valid = [s for s in slices if s["candidate"] == n and s["valid"]]
        rows[n] = {"own": spread(list(own[n].values())), "machine": spread(list(machine[n].values())),
                   "three": spread(list(three[n].values())),
                   "above_floor": spread(list(above[n].values())),
                   "user_share": median([s["own_user_share"] for s in valid]) if valid else None,
                   "requests_per_s": median([s["requests"] / s["seconds"] for s in valid])
                   if valid else None,
                   "peak_rss_kb": max([s["peak_rss_kb"] for s in valid], default=None)}
        for key in ("p50_us", "p99_us"):
            if valid and key in valid[0]:
                rows[n][key] = spread([s[key] for s in valid])
    return {"rows": rows, "ratios": _ratios(names, own, above, slices)}


def _ratios(names, own, above, slices):
    result = {}
    for doorward in (DOORWARD_URING, DOORWARD_EPOLL, COPY):
        if doorward not in names:
            continue
        for other in names:
            if other == doorward:
                continue
            result[f"own {doorward}/{other}"] = ratios(own[doorward], own[other])
            result[f"above {doorward}/{other}"] = ratios(above[doorward], above[other])
            for key in ("p50_us", "p99_us"):
                mine, theirs = ({s["round"]: s[key] for s in slices if s["candidate"] == n and
                                 s["valid"] and key in s} for n in (doorward, other))
                if mine:
                    result[f"{key} {doorward}/{other}"] = ratios(mine, theirs)
    # Another reading of the floor for nginx: the lowest relay of all, io_uring's.
    lowest = own.get("floor-uring", {})
    if DOORWARD_URING in names and "nginx" in names and lowest:
        mine = {r: own[DOORWARD_URING][r] - lowest[r] for r in own[DOORWARD_URING] if r in lowest}
        nginx = {r: own["nginx"][r] - lowest[r] for r in own["nginx"] if r in lowest}
        result["above lowest floor doorward-uring/nginx"] = ratios(mine, nginx)
    return {k: v for k, v in result.items() if v}


def copies_apart(cell):
    """How far the median ratio of two copies of the same Doorward is from 1; 0 without a copy."""
    control = cell.get("ratios", {}).get(f"own {DOORWARD_URING}/{COPY}")
    return abs(control["median"] - 1) if control else 0


def void_reason(cells):
    """Why this run proves nothing, or None."""
    for name, cell in cells.items():
        if (apart := copies_apart(cell)) > CONTROL_LIMIT:
            return (f"cell {name}: two copies of the same doorward differ by {apart:.1%}, more "
                    f"than {CONTROL_LIMIT:.0%}")
    return None
