"""GREEN_MODE=1:1 beside no libgreen at all: what its door costs where nobody shares an OS thread."""

import rows_mariadb
from row import Row, Target
from rows_echo import echo
from rows_files import compress
from rows_servers import apache, memcached, python, tinyproxy
from rows_threads import pingpong, spawn

SPEED = 0.98  # of native's


def _as_native(metric):
    def speed(median):
        native, ours = median("native", metric), median("1:1", metric)
        return native / ours if native and ours else None

    return Target(f"{metric}: speed >= {SPEED:g}x native's", speed, ">=", SPEED)


def _row(name, title, run, metrics, packages=()):
    return Row(f"modes-{name}", f"1:1 and native: {title}", run, metrics, (_as_native(metrics[0]),),
               ("native", "1:1"), packages=packages)


def _server(name, title, run, packages=()):
    return _row(name, title, run, ("cpu_us", "rps", "p99_us", "os_threads"), packages)


ROWS = [
    _row("echo-64", "echo, 64 connections, the server on one CPU", echo(64, True),
         ("cpu_us", "rps", "p50_us", "p99_us", "os_threads", "rss_mib")),
    _row("echo-1000", "echo, 1,000 connections, the server on one CPU", echo(1000, True),
         ("cpu_us", "rps", "p50_us", "p99_us", "os_threads", "rss_mib")),
    _row("cond", "mutex and condition round trip", pingpong("cond", 100000),
         ("cpu_ns", "wall_ns", "free_cpu_ns", "free_wall_ns")),
    _row("sem", "sem_t round trip", pingpong("sem", 100000),
         ("cpu_ns", "wall_ns", "free_cpu_ns", "free_wall_ns")),
    _row("pipe", "one byte through a pipe and one back", pingpong("pipe", 100000),
         ("cpu_ns", "wall_ns", "free_cpu_ns", "free_wall_ns")),
    _row("spawn", "20,000 detached threads, then pthread_exit: per thread", spawn(count=20000),
         ("cpu_us", "wall_us", "pinned_cpu_us")),
    _row("join", "pthread_create and pthread_join, one after the other",
         spawn("--join", count=20000), ("cpu_us", "wall_us", "pinned_cpu_us")),
    _server("memcached", "memcached -t 4, 100 connections", memcached(100), ("memcached",)),
    _server("tinyproxy", "tinyproxy, 100 CONNECT tunnels", tinyproxy(100), ("tinyproxy-bin",)),
    _server("apache", "Apache mpm_worker, 100 connections", apache(100, 1), ("apache2-bin",)),
    _server("python", "Python's ThreadingHTTPServer, 100 connections", python(100)),
    _row("mariadb", "mariadbd, sysbench oltp_read_only, 16 connections",
         rows_mariadb.load("oltp_read_only", 16), ("cpu_us", "qps", "p95_ms", "os_threads"),
         ("mariadb-server", "sysbench")),
    _row("xz", "xz -T2", compress(["xz", "-T2", "-2", "--block-size=4MiB", "-c"], ["xz", "-dc"]),
         ("cpu_s", "wall_s"), ("xz-utils",)),
]
