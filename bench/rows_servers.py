"""Rows about real servers of Debian, each on 127.0.0.1 with its files in the
bench's own directory."""

import re

from context import ROOT, RunFailed
from row import Row, compared
from server import Server, echo_load, free_port, loaded

SECONDS = 4
UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 6e7}


def _wrk(context, server, connections):
    # wrk counts what it can't send; a row with errors is not a result.
    command = ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--timeout", "30s",
               f"http://127.0.0.1:{server.port}/"]
    loaded(context, server, [*command[:4], "-d1s", *command[5:]])  # warm-up
    before = server.cpu()
    text, size = loaded(context, server, command)
    cpu = server.cpu() - before
    total = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    tail = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", text)
    bad = re.search(r"(Socket errors|Non-2xx).*", text)
    if bad or not (total and rate and tail) or int(total[1]) == 0:
        raise RunFailed(f"wrk: {bad[0] if bad else text[-300:]}")
    return {"rps": float(rate[1]), "p99_us": float(tail[1]) * UNITS[tail[2]],
            "cpu_us": cpu * 1e6 / int(total[1]), **size}


def _memcached(connections):
    def run(context, variant):
        port = free_port()
        command = context.command(variant, ["memcached", "-u", "root", "-l", "127.0.0.1", "-U", 0,
                                            "-p", port, "-t", 4, "-c", 8192, "-b", 4096])
        with Server(context, command, port) as server:
            return echo_load(context, server, connections, "--memcached")

    return run


def _tinyproxy(connections):
    def run(context, variant):
        port = free_port()
        config = context.directory / "tinyproxy.conf"
        config.write_text(f"Port {port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 20000\n"
                          f"Allow 127.0.0.1\nLogLevel Error\nLogFile \"{context.directory}/proxy.log\"\n")
        command = context.command(variant, ["tinyproxy", "-d", "-c", config])
        with Server(context, [context.program("epoll_server")]) as backend, \
                Server(context, command, port) as server:
            return echo_load(context, server, connections, "--tunnel", backend.port)

    return run


def _apache(connections, processes):
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
            return _wrk(context, server, connections)

    return run


def _python(connections):
    def run(context, variant):
        command = context.command(variant, ["/usr/bin/python3", ROOT / "demo-apps/python_httpd.py"])
        with Server(context, command) as server:
            return _wrk(context, server, connections)

    return run


METRICS = ("rps", "cpu_us", "p99_us", "os_threads", "rss_mib")


def _row(name, title, run, targets, packages):
    return Row(name, title, run, METRICS, targets, higher_is_better=True, packages=packages, runs=3)


WRK = ("wrk",)
ROWS = [
    *(_row(f"memcached-{n}", f"memcached -t 4, {n} connections, set and get in turn, checked",
           _memcached(n), (compared("rps", ">=", bound),), ("memcached",))
      for n, bound in ((10, 1.05), (1000, 1.25))),
    *(_row(f"tinyproxy-{n}", f"tinyproxy, {n} CONNECT tunnels to an echo server, checked",
           _tinyproxy(n), (compared("rps", ">=", bound),), ("tinyproxy-bin",))
      for n, bound in ((10, 1.05), (1000, 1.6))),
    _row("apache-1000", "Apache mpm_worker, 4,500 threads, 1,000 keep-alive connections",
         _apache(1000, 3), (compared("rps", ">=", 3), compared("p99_us", "<=", 0.15)),
         (*WRK, "apache2-bin")),
    _row("apache-9000", "Apache mpm_worker, 10,500 threads, 9,000 keep-alive connections",
         _apache(9000, 7), (compared("rps", ">=", 3),), (*WRK, "apache2-bin")),
    *(_row(f"python-{n}", f"Python's ThreadingHTTPServer, {n} keep-alive connections",
           _python(n), (compared("rps", ">=", bound),), WRK)
      for n, bound in ((10, 2), (1000, 3))),
]
