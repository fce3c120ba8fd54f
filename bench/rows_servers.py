"""Rows about real servers of Debian, each on 127.0.0.1 with its files in the
bench's own directory."""

import time

from context import ROOT
from row import Row, compared
from server import Server, echo_load, free_port

def memcached(connections):
    def run(context, variant):
        port = free_port()
        command = context.command(variant, ["memcached", "-u", "root", "-l", "127.0.0.1", "-U", 0,
                                            "-p", port, "-t", 4, "-c", 8192, "-b", 4096])
        with Server(context, command, port) as server:
            return echo_load(context, server, connections, "--memcached")

    return run


def tinyproxy(connections):
    def run(context, variant):
        port = free_port()
        config = context.directory / "tinyproxy.conf"
        config.write_text("\n".join([
            f"Port {port}", "Listen 127.0.0.1", "Allow 127.0.0.1", "Timeout 600",
            "MaxClients 20000", "LogLevel Error", f'LogFile "{context.directory}/proxy.log"',
        ]) + "\n")
        command = context.command(variant, ["tinyproxy", "-d", "-c", config])
        with Server(context, [context.program("epoll_server")]) as backend, \
                Server(context, command, port) as server:
            return echo_load(context, server, connections, "--tunnel", backend.port)

    return run


def apache(connections, processes):
    def run(context, variant):
        port, home = free_port(), context.directory / "apache"
        home.mkdir(exist_ok=True)
        (home / "index.html").write_text("It works, one thread per connection.\n" * 8)
        threads = 1500
        config = home / "apache.conf"
        config.write_text("\n".join([
            f"ServerRoot {home}", f"Listen 127.0.0.1:{port}", "ServerName localhost",
            f"PidFile {home}/pid", f"ErrorLog {home}/error.log", f"DocumentRoot {home}",
            f"DefaultRuntimeDir {home}", "User www-data", "Group www-data", "ListenBacklog 8192",
            "LoadModule mpm_worker_module /usr/lib/apache2/modules/mod_mpm_worker.so",
            "LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so",
            "LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so",
            "DirectoryIndex index.html", f"ThreadLimit {threads}", f"ThreadsPerChild {threads}",
            f"ServerLimit {processes}", f"StartServers {processes}",
            f"MaxRequestWorkers {threads * processes}", f"MinSpareThreads {threads}",
            f"MaxSpareThreads {threads * processes}", "ThreadStackSize 131072",
            "KeepAlive On", "MaxKeepAliveRequests 0", "KeepAliveTimeout 100",
        ]) + "\n")
        command = context.command(variant, ["/usr/sbin/apache2", "-f", config, "-DFOREGROUND"])
        with Server(context, command, port) as server:
            for _ in range(100):
                time.sleep(0.1)
                if len(server.processes()) > processes:
                    break
            time.sleep(1)  # each process creates its threads
            return echo_load(context, server, connections, "--http", seconds=4)

    return run


def python(connections):
    def run(context, variant):
        command = context.command(variant, ["/usr/bin/python3", ROOT / "demo-apps/python_httpd.py"])
        with Server(context, command) as server:
            return echo_load(context, server, connections, "--http")

    return run


METRICS = ("rps", "cpu_us", "p50_us", "p99_us", "max_us", "fewest", "os_threads", "rss_mib")


def _row(name, title, run, targets, packages):
    return Row(name, title, run, METRICS, targets, higher_is_better=True, packages=packages, runs=3)


ROWS = [
    *(_row(f"memcached-{n}", f"memcached -t 4, {n} connections, set and get in turn, checked",
           memcached(n), (compared("rps", ">=", bound),), ("memcached",))
      for n, bound in ((10, 1.05), (1000, 1.25))),
    *(_row(f"tinyproxy-{n}", f"tinyproxy, {n} CONNECT tunnels to an echo server, checked",
           tinyproxy(n), (compared("rps", ">=", bound),), ("tinyproxy-bin",))
      for n, bound in ((10, 1.05), (1000, 1.6))),
    _row("apache-1000", "Apache mpm_worker, 4,500 threads, 1,000 keep-alive connections",
         apache(1000, 3), (compared("rps", ">=", 3), compared("p99_us", "<=", 0.15)),
         ("apache2-bin",)),
    _row("apache-9000", "Apache mpm_worker, 10,500 threads, 9,000 keep-alive connections",
         apache(9000, 7), (compared("rps", ">=", 3),), ("apache2-bin",)),
    *(_row(f"python-{n}", f"Python's ThreadingHTTPServer, {n} keep-alive connections",
           python(n), (compared("rps", ">=", bound), compared("p99_us", "<=", 1)), ())
      for n, bound in ((10, 2), (1000, 3))),
]
