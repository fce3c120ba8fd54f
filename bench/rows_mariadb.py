"""mariadbd under sysbench: native, libgreen, and MariaDB's own thread pool.
CPU per query includes what making the connections cost."""

import contextlib
import re
import shutil

from context import RunFailed
from row import Row, compared
from server import Server, free_port, loaded

TABLES, ROWS_PER_TABLE, SECONDS = 4, 20000, 8


def _sysbench(port, script, threads, *action, seconds=SECONDS):
    return ["sysbench", script, "--db-driver=mysql", "--mysql-host=127.0.0.1", f"--mysql-port={port}",
            "--mysql-user=bench", "--mysql-db=bench", f"--tables={TABLES}",
            f"--table-size={ROWS_PER_TABLE}", f"--threads={threads}", f"--time={seconds}",
            "--percentile=95",
            "--db-ps-mode=auto", "--mysql-ignore-errors=1213,1020,1205", *action]


def _daemon(context, variant, port, data):
    pool = ["--thread-handling=pool-of-threads"] if variant == "pool" else []
    return context.command(variant, [
        "mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={data}/socket",
        f"--pid-file={data}/pid", "--bind-address=127.0.0.1", f"--port={port}", "--user=root",
        "--max-connections=6000", "--back-log=4096", "--innodb-buffer-pool-size=256M",
        "--innodb-flush-log-at-trx-commit=2", "--table-open-cache=4096", "--skip-name-resolve",
        "--performance-schema=0", "--max-prepared-stmt-count=1048576", *pool])


def _data(context):
    """A data directory with the tables in it, made once by a native server."""
    data = context.directory / "mariadb"
    if context.cached.get("mariadb"):
        return data
    shutil.rmtree(data, ignore_errors=True)  # what a failed attempt left
    context.output(["mariadb-install-db", "--no-defaults", "--force", f"--datadir={data}", "--user=root",
                    "--auth-root-authentication-method=normal", "--skip-test-db"])
    port = free_port()
    with Server(context, _daemon(context, "native", port, data), port):
        context.output(["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{port}", "-uroot", "-e",
                        "create database bench; create user bench@'127.0.0.1';"
                        "grant all on bench.* to bench@'127.0.0.1'"])
        context.output(_sysbench(port, "oltp_read_only", 1, "prepare"))
    context.cached["mariadb"] = True
    return data


def load(script, threads, seconds=SECONDS):
    def run(context, variant, meanwhile=lambda server: contextlib.nullcontext()):
        data, port = _data(context), free_port()
        with Server(context, _daemon(context, variant, port, data), port) as server:
            before = server.cpu()
            with meanwhile(server):
                text, size = loaded(context, server,
                                    _sysbench(port, script, threads, "run", seconds=seconds))
            cpu = server.cpu() - before
            rate = re.search(r"queries:\s+(\d+)\s+\(([\d.]+) per sec", text)
            tail = re.search(r"95th percentile:\s+([\d.]+)", text)
            if not rate or not tail or int(rate[1]) == 0:
                raise RunFailed(f"sysbench: {text[-300:]}")
            checked = context.output(
                ["mariadb-check", "--no-defaults", "-h127.0.0.1", f"-P{port}", "-uroot", "bench"])
            if checked.count(" OK") != TABLES:
                raise RunFailed(f"CHECK TABLE: {checked[-300:]}")
            return {"qps": float(rate[2]), "p95_ms": float(tail[1]),
                    "cpu_us": cpu * 1e6 / int(rate[1]), **size}

    return run


def _row(script, threads, targets):
    short = "ro" if script.endswith("only") else "rw"
    return Row(f"mariadb-{short}-{threads}", f"mariadbd, sysbench {script}, {threads} connections",
               load(script, threads), ("qps", "p95_ms", "cpu_us", "os_threads", "rss_mib"), targets,
               ("native", "libgreen", "pool"), higher_is_better=True,
               packages=("mariadb-server", "sysbench"), runs=3)


def _targets(bound):
    return (compared("qps", ">=", bound), compared("qps", ">=", 1, to="pool"),
            compared("p95_ms", "<=", 1))


ROWS = [_row("oltp_read_only", n, _targets(bound))
        for n, bound in ((16, 1.05), (1000, 1.3), (4000, 1.4))]
ROWS += [_row("oltp_read_write", n, (compared("qps", ">=", 1), compared("p95_ms", "<=", 1)))
         for n in (16, 1000)]
