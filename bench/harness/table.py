"""Tables on the terminal; the same numbers as in the result file."""


def number(value):
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def middle(spread):
    return number(spread["median"]) if spread else "–"


def ranged(spread):
    if not spread:
        return "–"
    return f"{number(spread['median'])} ({number(spread['min'])}–{number(spread['max'])})"


def print_rows(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join([row[0].ljust(widths[0])] +
                               [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]))


def cell_rows(result):
    """The rows of a cell's table, cheapest first; report.py writes the same into the docs."""
    latency = any("p99_us" in row for row in result["rows"].values())
    counted = "handshakes/s" if result["unit"].endswith("handshake") else "requests/s"
    head = ["", "own " + result["unit"], "above floor", "user %", "machine", counted,
            "peak MB"] + (["p50 µs", "p99 µs"] if latency else [])
    rows = [head]
    valid = {n: r for n, r in result["rows"].items() if r["own"]}
    for name, row in sorted(valid.items(), key=lambda item: item[1]["own"]["median"]):
        line = [name, ranged(row["own"]), middle(row["above_floor"]),
                f"{row['user_share'] * 100:.0f}", middle(row["machine"]),
                number(row["requests_per_s"]), number(row["peak_rss_kb"] / 1024)]
        rows.append(line + ([ranged(row["p50_us"]), ranged(row["p99_us"])] if latency else []))
    return rows


def print_cell(name, result):
    print(f"\n{name}: {result['title']}")
    if "failed" in result:
        print(f"  did not count: {result['failed']}\n")
        return
    if "rows" not in result:
        print_rows([["", result["unit"]]] + [[n, middle(v)] for n, v in result["ratios"].items()])
        print()
        return
    print_rows(cell_rows(result))
    for candidate, why in result["excluded"].items():
        print(f"  {candidate} does not take part: {why}")
    invalid = [s for s in result["slices"] if not s["valid"]]
    for entry in invalid[:5]:
        print(f"  slice of {entry['candidate']} in round {entry['round']} does not count: "
              f"{entry['why_not']}")
    foreign = sum(s["foreign_cpu_s"] for s in result["slices"])
    total = sum(s["machine_cpu_s"] for s in result["slices"])
    if total and foreign / total > 0.05:
        print(f"  note: {foreign / total:.0%} of the machine's work was of no part of this run")
    print()


def print_targets(result):
    print("Targets")
    rows = [["", "limit", "measured (range)", ""]]
    for line in result["targets"]:
        value = "–"
        if line["value"] is not None:
            low, high = line["range"]
            value = f"{number(line['value'])} ({number(low)}–{number(high)})"
        verdict = {True: "met", False: "MISSED", None: "not measured"}[line["met"]]
        rows.append([f"{line['cell']}: {line['target']}", f"≤ {number(line['limit'])}", value,
                     verdict])
    print_rows(rows)
