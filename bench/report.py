#!/usr/bin/python3
"""Writes docs/performance.md's tables and the chart from one run's result file, and from nothing
else: a figure that no run gave is not written. The text around the tables is kept as it stands.
"""
import argparse
import csv
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness.table import cell_rows, middle, number  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- begin: written by bench/report.py -->", "<!-- end: written by bench/report.py -->"
HEAD = f"""# What Doorward costs

{BEGIN}
{END}
"""
COLOURS = {"doorward": "#1f6feb", "floor": "#9aa4b2", "other": "#d9822b"}
NAMES = {"doorward-uring": "Doorward, io_uring", "doorward-epoll": "Doorward, epoll",
         "floor-uring": "bare relay, io_uring", "floor-epoll": "bare relay, epoll"}
FIRST_SUBJECT = "HTTP/1.1"
# What stands above a subject's tables.
SUBJECTS = {
    "TLS":
        "One certificate (ECDSA P-256) for all; every load whose CPU time counts offers TLS 1.3 "
        "with TLS_AES_128_GCM_SHA256 and X25519 alone, so all agree on the same. Where relays "
        "have a row, they carried the same load in cleartext: above the floor lies HTTP and all "
        "of TLS. A relay cannot end TLS nor speak HTTP/2, so the other cells have none. "
        "Handshakes are counted on their own, without a request; the full ones without tickets, "
        "but for the two that HAProxy sends all the same.",
    "HTTP/2":
        "In cleartext, with prior knowledge. The HTTP/2 backend is nghttpd, which writes the "
        "frames of many responses together, and nginx, which does not, in a cell of its own; "
        "`doorward-plain` is the same binary in front of nginx in HTTP/1.1. nginx speaks HTTP/2 "
        "to backends for gRPC alone, one call at a time on each connection; before an HTTP/2 "
        "backend it and HAProxy stand as plain HTTP/1.1 proxies as well, as a measure.",
}


def markdown(rows):
    lines = ["| " + " | ".join(rows[0]) + " |", "|---|" + "---:|" * (len(rows[0]) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows[1:]])


def without_control(result):
    """The second copy of Doorward proves the run; it is no row for readers."""
    return {**result, "rows": {n: r for n, r in result["rows"].items() if not n.endswith("-copy")}}


def introduction(result):
    machine, options = result["machine"], result["options"]
    versions = "; ".join(f"{name}: {text}" for name, text in sorted(result["versions"].items()))
    return (f"Measured {result['started'][:10]} on {machine['cores']} cores of {machine['cpu']}, "
            f"Linux {machine['kernel']}; {options['rounds']} rounds of "
            f"{options['seconds']} s for each, taken in turns; medians with their range. "
            f"{versions}.\n\n"
            "Own: CPU time of the gateway's processes per successful request. Above floor: own less "
            "that of a bare TCP relay on the same loop in the same round. Machine: busy time of all "
            "cores per request. Absolute times belong to this machine and this hour; what carries "
            "over to others are the ratios. Each slice stands in [slices.csv](performance/slices.csv).")


def targets(result):
    rows = [["target", "limit", "measured (range)", ""]]
    for line in result["targets"]:
        if line["value"] is None:
            continue
        low, high = line["range"]
        rows.append([f"{line['cell']}: {line['target']}", f"≤ {number(line['limit'])}",
                     f"{number(line['value'])} ({number(low)}–{number(high)})",
                     "met" if line["met"] else "**missed**"])
    return markdown(rows)


def cell_text(name, result):
    parts = [f"### {result['title'][0].upper()}{result['title'][1:]} (`{name}`)"]
    if "rows" in result:
        parts.append(markdown(cell_rows(without_control(result))))
        if result.get("rate"):
            parts.append(f"Every gateway got {result['rate']:,} requests a second.")
        if result.get("attempts", 1) > 1:
            parts.append(f"Measured {result['attempts']} times: before, two copies of Doorward "
                         "differed by more than 5 %.")
    else:
        parts.append(markdown([["", result["unit"]]] +
                              [[NAMES.get(n, n), middle(v)] for n, v in result["ratios"].items()]))
    return "\n\n".join(parts)


def document(result, chart_made):
    parts = [BEGIN, introduction(result)]
    if chart_made:
        parts.append("![CPU time per request, plain HTTP/1.1](performance/plain.svg)")
    parts += ["## Targets", targets(result)]
    subject = None
    for name, cell in result["cells"].items():
        if "failed" in cell:
            continue
        if cell.get("subject", FIRST_SUBJECT) != subject:
            subject = cell.get("subject", FIRST_SUBJECT)
            parts += filter(None, [f"## {subject}", SUBJECTS.get(subject)])
        parts.append(cell_text(name, cell))
    return "\n\n".join(parts + [END])


def chart(result, path):
    """Own CPU per request of the plain cell, split into user and kernel; range as a thin line."""
    cell = result["cells"].get("plain-64")
    if not cell or "rows" not in cell:
        return False
    import matplotlib
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.hashsalt": "doorward", "font.family": "sans-serif",
                                "svg.fonttype": "none"})
    from matplotlib import pyplot
    rows = [(n, r) for n, r in without_control(cell)["rows"].items() if r["own"]]
    rows.sort(key=lambda item: -item[1]["own"]["median"])
    figure, axes = pyplot.subplots(figsize=(8, 0.6 + 0.42 * len(rows)))
    for i, (name, row) in enumerate(rows):
        own, kind = row["own"], name.split("-")[0]
        colour = COLOURS.get(kind, COLOURS["other"])
        user = own["median"] * row["user_share"]
        axes.barh(i, own["median"] - user, color=colour, alpha=0.55)
        axes.barh(i, user, left=own["median"] - user, color=colour)
        axes.plot([own["min"], own["max"]], [i, i], color="#444", linewidth=1)
        axes.text(max(own["median"], own["max"]), i, f"  {own['median']:.1f}", va="center",
                  fontsize=9)
    axes.set_yticks(range(len(rows)), [NAMES.get(n, n) for n, _ in rows])
    axes.set_xlabel("CPU µs per request: kernel (light), user (dark)")
    axes.set_xlim(0, 1.12 * max(r["own"]["max"] for _, r in rows))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    return True


def write_slices(result, path):
    """Every slice of the run, those that did not count too, so that anybody can check the figures."""
    fields = ("round", "candidate", "valid", "requests", "seconds", "bytes", "own_cpu_s",
              "own_user_share", "machine_cpu_s", "peak_rss_kb", "p50_us", "p99_us")
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("cell", *fields))
        for name, cell in result["cells"].items():
            for entry in cell["slices"] if "rows" in cell else ():
                table.writerow((name, *(rounded(entry.get(field, "")) for field in fields)))


def rounded(value):
    return f"{value:.6g}" if isinstance(value, float) else value


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("result", type=Path, nargs="?", default=ROOT / "build" / "bench" / "result.json")
    p.add_argument("--docs", type=Path, default=ROOT / "docs")
    options = p.parse_args()
    result = json.loads(options.result.read_text())
    if result["void"] or result["options"]["quick"]:
        why = result["void"] or "it was a --quick one"
        print(f"report: this run proves nothing ({why}); docs are left as they are", file=sys.stderr)
        return 3
    page = options.docs / "performance.md"
    old = page.read_text() if page.exists() else HEAD
    before, _, rest = old.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        print(f"report: {page} has lost its marks {BEGIN} … {END}", file=sys.stderr)
        return 2
    made = chart(result, options.docs / "performance" / "plain.svg")
    page.parent.mkdir(parents=True, exist_ok=True)
    write_slices(result, options.docs / "performance" / "slices.csv")
    page.write_text(before + document(result, made) + after)
    print(f"report: wrote {page}" + (" and its chart" if made else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
