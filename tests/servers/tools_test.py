#!/usr/bin/python3
"""Command-line tools with threads: git grep and git repack, curl's parallel transfers and its
resolver thread, a sqlite3 database under sort threads. Same output as natively."""

import harness

FILES = 300


def same(run, command, **options):
    want = run.output(command, **options)
    got = run.output(command, green=True, **options)
    if got != want:
        raise harness.Failed(f"{command[0]} printed {got[-300:]!r}, natively {want[-300:]!r}")


def git(run):
    tree = run.home / "tree"
    tree.mkdir()
    for i in range(FILES):
        (tree / f"f{i}").write_text("\n".join(f"line {i * k % 97} of {k}" for k in range(300)))
    at = ["git", "-C", tree, "-c", "user.name=a", "-c", "user.email=a@b"]
    run.output([*at, "init", "-q"])
    run.output([*at, "add", "."])
    run.output([*at, "commit", "-q", "-m", "all"])
    same(run, [*at, "grep", "--threads", 8, "-c", "line 4[0-9] of"])
    same(run, [*at, "grep", "--threads", 8, "-n", "line 13 of 2", "HEAD"])
    run.output([*at, "-c", "pack.threads=8", "repack", "-q", "-a", "-d", "-f"], green=True)
    run.output([*at, "-c", "index.threads=8", "status", "--porcelain"], green=True)
    run.output([*at, "fsck", "--full"])


def curl(run):
    served = run.home / "tree"
    port = harness.free_port()
    run.serve(["python3", "-m", "http.server", port, "-b", "127.0.0.1", "-d", served], port,
              green=False)
    same(run, ["curl", "-s", f"http://localhost:{port}/f7"])
    run.output(["curl", "-s", "-Z", "--parallel-max", 50, "--output-dir", run.home, "-o", "got#1",
                f"http://localhost:{port}/f[0-99]"], green=True)
    for i in range(100):
        if (run.home / f"got{i}").read_bytes() != (served / f"f{i}").read_bytes():
            raise harness.Failed(f"curl: file {i} differs")


def sqlite(run):
    script = ("pragma threads=4; pragma cache_size=-2000; create table t(a, b);"
              "insert into t with recursive n(x) as (select 1 union all select x+1 from n "
              "where x<300000) select x*7919%100003, hex(x) from n;"
              "create index i on t(b, a); pragma integrity_check;"
              "select count(*), sum(a), min(b), max(b) from t;"
              "select a, b from t order by b desc limit 20;")
    same(run, ["sqlite3", ":memory:", script])


def scenario(run):
    git(run)
    curl(run)
    sqlite(run)


harness.main({"git": "git", "curl": "curl", "sqlite3": "sqlite3"}, scenario)
