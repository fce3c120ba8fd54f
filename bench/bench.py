#!/usr/bin/env python3
"""Runs the benchmarks: the same program natively and under libgreen, beside
hand-written epoll and Go where that makes sense, in turn, and says which
targets are reached.

A NAME is a row or the beginning of some: "echo" is all the echo rows. Without
one, every row runs that needs no server of Debian's; "all" is every row.
"""

import argparse
import datetime
import fnmatch
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import report
import rows_echo
import rows_files
import rows_looks
import rows_mariadb
import rows_modes
import rows_servers
import rows_threads
import rows_trees
from context import DEFAULT_LIBRARY, main_in_context
from measure import measure

SERVERS = rows_servers.ROWS + rows_mariadb.ROWS + rows_looks.ROWS
PLAIN = rows_threads.ROWS + rows_echo.ROWS + rows_files.ROWS + rows_trees.ROWS
MODES = rows_modes.ROWS
ROWS = PLAIN + MODES + SERVERS


def parse():
    parser = argparse.ArgumentParser(prog="bench.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--runs", type=int, help="of each variant (default: as the row says)")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    parser.add_argument("--list", action="store_true", help="list the rows and their targets")
    parser.add_argument("--lib", type=Path, default=DEFAULT_LIBRARY, metavar="PATH",
                        help="the library (default: bazel-bin/libgreen.so)")
    parser.add_argument("--disturbance", type=float, default=0.15, metavar="SHARE",
                        help="drop a run during which others took more of a CPU (default: 0.15)")
    arguments = parser.parse_args()
    if arguments.runs is not None and arguments.runs < 1:
        parser.error("--runs: at least 1")
    arguments.rows = choose(parser, arguments.names)
    return arguments


def choose(parser, names):
    if not names:
        return PLAIN
    chosen = []
    for name in names:
        found = [row for row in ROWS if name in ("all", row.name)] or \
                [row for row in ROWS if fnmatch.fnmatch(row.name, name + "*")]
        if not found:
            parser.error(f"no benchmark is called {name} (see --list)")
        chosen += [row for row in found if row not in chosen]
    return chosen


def install(rows):
    """The packages that the chosen rows need and that are not there."""
    wanted = sorted({package for row in rows for package in row.packages})
    missing = [package for package in wanted if subprocess.run(
        ["dpkg", "-s", package], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        check=False).returncode != 0]
    if not missing:
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    command = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "install",
               "-y", "-q", "--no-install-recommends", *missing]
    print(f"installing {' '.join(missing)}", file=sys.stderr)
    if shutil.which("apt-get") is None or subprocess.run(
            command, stdout=subprocess.DEVNULL, check=False).returncode != 0:
        sys.exit(f"bench: please install: {' '.join(missing)}")


def variants_of(row, context):
    there = {"libgreen": context.library, "1:1": context.library, "go": context.go}
    return [variant for variant in row.variants if there.get(variant, True)]


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="ascii")
                  if line.startswith("model name")), "unknown")
    return {"cpu": model, "cpus": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "libc": " ".join(platform.libc_ver()), "date": datetime.date.today().isoformat()}


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def run(arguments, context):
    results, about = [], machine()
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    if not context.library:
        print(f"libgreen is not measured: there is no {arguments.lib}")
    if len(context.cpus) < 2:
        print("one CPU only: servers and their load share it, pinned or not")
    for row in arguments.rows:
        samples = measure(row, context, variants_of(row, context), arguments.runs or row.runs,
                          arguments.disturbance, progress)
        progress("")
        report.print_row(row, samples)
        sys.stdout.flush()
        results.append((row, samples))
    report.print_targets(results)
    for note in context.notes:
        print(f"note: {note}")
    if arguments.json:
        Path(arguments.json).write_text(
            json.dumps(report.as_json(results, context, about), indent=1) + "\n")
    return any(mine.failures for _, samples in results for mine in samples.values())


def main():
    arguments = parse()
    if arguments.list:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # --list | head
        for row in ROWS:
            print(f"{row.name:18} {row.title}")
            for target in row.targets:
                print(f"{'':18}   {target.text}")
        return 0
    install(arguments.rows)
    return main_in_context("bench", arguments.lib, lambda context: int(run(arguments, context)))


if __name__ == "__main__":
    sys.exit(main())
