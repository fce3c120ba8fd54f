#!/usr/bin/env python3
"""The same unmodified thread-per-connection server, natively and under libgreen,
side by side under the same load.

    demo.py [--lib PATH] [--seconds S]
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))

import report  # noqa: E402
from context import DEFAULT_LIBRARY, main_in_context  # noqa: E402
from server import Server, echo_load  # noqa: E402

HEADS = ["connections", "", "requests/s", "p99 ms", "server CPU us/request", "OS threads", "RSS MiB"]
NAMES = {"native": "1:1 native", "libgreen": "M:N libgreen"}


def serve_and_load(context, variant, connections, seconds):
    """The server on the first CPU, the load on the second."""
    command = context.command(variant, [context.program("echo-server")], cpu=0)
    with Server(context, command) as server:
        return echo_load(context, server, connections, cpu=1, seconds=seconds, warmup=0.7)


def line(connections, name, got):
    return [connections, name, report.number(got["rps"]), report.number(got["p99_us"] / 1e3),
            f"{got['cpu_us']:.2f}", report.number(got["os_threads"]), report.number(got["rss_mib"])]


def ratios(native, green):
    def of(metric):
        return f"{green[metric] / native[metric]:.2f}x"

    return ["", "M:N / 1:1", of("rps"), of("p99_us"), of("cpu_us"), of("os_threads"), of("rss_mib")]


def verdict(pairs):
    """One line that follows from the figures, whichever way they point."""
    count, (native, green) = list(pairs.items())[-1]
    if green["os_threads"] >= native["os_threads"]:
        return (f"libgreen did not make green threads of this server's: {green['os_threads']:.0f} OS "
                "threads with it. What is above compares native with native.")
    speed, cpu = green["rps"] / native["rps"], green["cpu_us"] / native["cpu_us"]
    tail = green["p99_us"] / native["p99_us"]
    start = (f"At {count:,} connections the same binary, preloaded with libgreen, serves {speed:.2f}x "
             f"the requests at {cpu:.2f}x the CPU and {tail:.2f}x the p99, "
             f"on {green['os_threads']:.0f} OS threads instead of {native['os_threads']:,.0f}")
    lost = [f"{n:,}" for n, (a, b) in pairs.items() if b["cpu_us"] > a["cpu_us"]]
    return start + (f"; it costs more CPU than native at {', '.join(lost)}." if lost else ".")


def show(context, seconds):
    variants = ["native"] + (["libgreen"] if context.library else [])
    most = 8000 if context.files > 8200 else 4000 if context.files > 4200 else 900
    lines, pairs = [HEADS], {}
    for connections in sorted({64, min(1000, most), most}):
        got = {}
        for variant in variants:
            print(f"{connections:,} connections, {NAMES[variant]} ...", file=sys.stderr, flush=True)
            got[variant] = serve_and_load(context, variant, connections, seconds)
            first = f"{connections:,}" if variant == "native" else ""
            lines.append(line(first, NAMES[variant], got[variant]))
        if "libgreen" in got:
            pairs[connections] = got["native"], got["libgreen"]
            lines.append(ratios(*pairs[connections]))
    print("\nThread-per-connection echo server, one unmodified binary; server on one CPU, load on "
          "another,\nevery byte of every answer checked:\n")
    report.table(lines, text=(0, 1))
    print()
    for note in context.notes:
        print(f"note: {note}")
    if pairs:
        print(verdict(pairs))
    else:
        print("Only the native half was run: there is no library (build it: bazel build //:libgreen.so).")


def main():
    parser = argparse.ArgumentParser(prog="demo.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lib", type=Path, default=DEFAULT_LIBRARY, metavar="PATH")
    parser.add_argument("--seconds", type=float, default=4, help="of load per measurement (4)")
    arguments = parser.parse_args()

    def demo(context):
        context.program("echo_load")
        show(context, arguments.seconds)
        return 0 if context.library else 1

    return main_in_context("demo", arguments.lib, demo)


if __name__ == "__main__":
    sys.exit(main())
