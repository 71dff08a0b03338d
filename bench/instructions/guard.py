#!/usr/bin/python3
"""Instructions per request of each replay case, against baseline.json: fails when one grew by more
than 3 %. Counted by callgrind, so neither the machine's speed nor its load plays a part.
"""
import argparse
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
BASELINE = HERE / "baseline.json"
LIMIT = 0.03
FEW, MANY = 256, 1280


def instructions(program, case, requests):
    """Instructions of the whole program."""
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                           program, case, str(requests)], capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"instructions: {case} did not run under callgrind:\n{done.stderr.strip()}")
    return int(found.group(1))


def per_request(program, case):
    few, many = (instructions(program, case, n) for n in (FEW, MANY))
    return round((many - few) / (MANY - FEW), 1)


def compare(measured, baseline):
    """Lines to print, and whether something is worse than it may be."""
    lines, bad = [], False
    for case, now in measured.items():
        before = baseline.get(case)
        if before is None:
            lines.append(f"{case:28} {now:12,.1f}  NEW: record it with scripts/instructions --update")
            bad = True
            continue
        change = now / before - 1
        verdict = "ok"
        if change > LIMIT:
            verdict, bad = f"WORSE than the {LIMIT:.0%} that are allowed", True
        elif change < -LIMIT:
            verdict = "better: record it with scripts/instructions --update"
        lines.append(f"{case:28} {now:12,.1f}  was {before:12,.1f}  {change:+7.2%}  {verdict}")
    for case in baseline.keys() - measured.keys():
        lines.append(f"{case:28} is in the baseline, but no such case exists")
        bad = True
    return lines, bad


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("program", type=Path, help="the replay program, built as release")
    p.add_argument("--update", action="store_true", help="write the counts as the new baseline")
    options = p.parse_args()
    cases = subprocess.run([options.program, "--list"], capture_output=True, text=True,
                           check=True).stdout.split()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        measured = dict(zip(cases, pool.map(lambda c: per_request(options.program, c), cases)))
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    lines, bad = compare(measured, {} if options.update else baseline)
    if options.update:
        BASELINE.write_text(json.dumps(measured, indent=2) + "\n")
        lines = [f"{case:28} {now:12,.1f}" for case, now in measured.items()]
        lines.append(f"written to {BASELINE.relative_to(HERE.parent.parent)}")
    print("Instructions per request", *lines, sep="\n  ")
    if bad and not options.update:
        print("instructions: FAILED. Find what costs more, or, when it is worth it, say why in the "
              "commit that updates the baseline.", file=sys.stderr)
    return 1 if bad and not options.update else 0


if __name__ == "__main__":
    sys.exit(main())
