#!/usr/bin/env python3
"""Ordinary programs natively, 1:1 and M:N, compared by `green compare`.

    demos.py NAME...     fanout, web, find, stat, threads, hog, mapped; all: each of them
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / "bazel-bin"
sys.path.insert(0, str(ROOT / "bench"))

from context import DEFAULT_LIBRARY, RunFailed, main_in_context  # noqa: E402
from server import Server, free_port  # noqa: E402


def compare(context, *words, jail=False):
    """Shows the table of one comparison."""
    command = (context.jail if jail else []) + [BIN / "green", "compare", *map(str, words)]
    process = context.start(command)  # in no terminal session of ours: it draws no bar
    try:
        status = process.wait()
    finally:
        context.end(process)
    if status != 0:
        raise RunFailed(f"status {status}: {' '.join(map(str, command))}")


FILL = """create database fanout; create user fanout@'127.0.0.1';
grant all on fanout.* to fanout@'127.0.0.1';
create table fanout.item (id int primary key, name varchar(32)) engine=innodb;
insert into fanout.item select seq, concat('item ', seq) from fanout.seq_1_to_10000;"""


def fanout(context):
    """The blocking libmariadb client in 1,000 threads; the server is native throughout."""
    data, port = context.directory / "mariadb", free_port()
    context.output(["mariadb-install-db", "--no-defaults", "--force", f"--datadir={data}", "--user=root",
                    "--auth-root-authentication-method=normal", "--skip-test-db"])
    daemon = ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={data}/socket",
              f"--pid-file={data}/pid", "--bind-address=127.0.0.1", f"--port={port}", "--user=root",
              "--max-connections=1100", "--back-log=2048", "--skip-name-resolve",
              "--performance-schema=0"]
    with Server(context, daemon, port):
        context.output(["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{port}", "-uroot", "-e", FILL])
        compare(context, "--metric", "queries_per_s=([0-9]+)", "--unit", "queries/s",
                "--runs", 5, "--",
                BIN / "demo-apps/mysql-fanout", port)


def web(context):
    """A web server of Python's library, a thread per connection, 200 connections."""
    compare(context, "--load", "wrk -t1 -c200 -d4s --latency http://127.0.0.1:{port}/", "--",
            "/usr/bin/python3", ROOT / "demo-apps/python_httpd.py")


def find(context):
    """find(1), a utility without threads, over /usr."""
    words = ["find", "/usr", "-name", "*.h", "-size", "+100k"]
    context.output(words)  # what it reads is in memory from now on
    compare(context, "--runs", 5, "--", *words)


def stat(context):
    """stat() of 20,000 cached files by one thread and by 1,000; ns for each."""
    files, rounds = 20_000, 20
    tree = context.small_files(files)
    for threads in (1, 1000):
        compare(context, "--lower", "--metric", "wall_ns=([0-9.]+)", "--unit", "ns per stat",
                "--runs", 5, "--", BIN / "bench/stat_tree", "stat", threads, files, rounds, tree)


def threads(context):
    """100,000 detached threads that do nothing."""
    compare(context, "--runs", 5, "--", BIN / "demo-apps/spawn100k", jail=True)


def hog(context):
    """How late a 5 ms sleeper wakes (99th percentile, us) beside 4 threads that never stop."""
    compare(context, "--lower", "--metric", "late_p99_us=([0-9.]+)", "--unit", "late us", "--runs", 5, "--",
            BIN / "bench/sleeper", 4)


def mapped(context):
    """A thread faults a file in from the disk by mmap; the longest pause of another, us."""
    compare(context, "--lower", "--metric", "gap_max_us=([0-9.]+)", "--unit", "pause us", "--runs", 5, "--",
            BIN / "bench/stuck", "mapped")


DEMOS = {demo.__name__: demo for demo in (fanout, web, find, stat, threads, hog, mapped)}


def main():
    parser = argparse.ArgumentParser(prog="demo.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=[*DEMOS, "all"], metavar="NAME")
    names = parser.parse_args().names

    def show(context):
        for name in DEMOS if "all" in names else names:
            print(f"\n{name}: {DEMOS[name].__doc__}\n", flush=True)
            DEMOS[name](context)
        return 0

    return main_in_context("demo", DEFAULT_LIBRARY, show)


if __name__ == "__main__":
    sys.exit(main())
