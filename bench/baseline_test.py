#!/usr/bin/env python3
"""Fails when a hot path takes over 10% more of libgreen's instructions than baseline.json says.

    baseline_test.py LIBRARY COUNTER HOT_PATHS BASELINE.json            compare
    baseline_test.py LIBRARY COUNTER HOT_PATHS BASELINE.json --update   write the file anew
"""

import json
import re
import subprocess
import sys

ALLOWED = 1.10


def count(library, counter, program, path):
    out = subprocess.run([counter, library, program, path], check=True, timeout=240,
                         stdout=subprocess.PIPE, text=True).stdout
    return int(re.search(r"library=(\d+)", out).group(1))


def main():
    library, counter, program, baseline_file = sys.argv[1:5]
    paths = subprocess.run([program, "--list"], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.split()
    counts = {path: count(library, counter, program, path) for path in paths}
    if "--update" in sys.argv[5:]:
        with open(baseline_file, "w") as file:
            json.dump(counts, file, indent=2)
            file.write("\n")
        return 0
    with open(baseline_file) as file:
        baseline = json.load(file)
    grown = sorted(baseline.keys() ^ counts.keys())
    for path in grown:
        print(f"{path}: in only one of baseline.json and hot_paths")
    for path in sorted(baseline.keys() & counts.keys()):
        was, now = baseline[path], counts[path]
        verdict = "GROWN" if now > was * ALLOWED else "ok"
        if verdict == "GROWN":
            grown.append(path)
        print(f"{verdict:5}  {path:14} {was:6} -> {now:6} instructions")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
