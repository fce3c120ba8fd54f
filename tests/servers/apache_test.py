#!/usr/bin/python3
"""Apache with the worker and the event MPM: 1,000 keep-alive connections, a graceful restart, a
graceful stop, SIGTERM."""

import signal
import time

import harness

# One child can take all 1,000: with fewer threads Apache closes connections when all are busy.
THREADS = 1100


def configure(run, mpm, port):
    modules = "/usr/lib/apache2/modules"
    (run.home / "index.html").write_text("It works, one thread per connection.\n" * 8)
    config = run.home / f"{mpm}.conf"
    config.write_text("\n".join([
        f"ServerRoot {run.home}", f"Listen 127.0.0.1:{port}", "ServerName localhost",
        f"PidFile {run.home}/pid", f"ErrorLog {run.home}/error.log", f"DocumentRoot {run.home}",
        f"DefaultRuntimeDir {run.home}", "User www-data", "Group www-data", "ListenBacklog 4096",
        f"LoadModule mpm_{mpm}_module {modules}/mod_mpm_{mpm}.so",
        f"LoadModule authz_core_module {modules}/mod_authz_core.so",
        f"LoadModule dir_module {modules}/mod_dir.so", "DirectoryIndex index.html",
        f"ThreadLimit {THREADS}", f"ThreadsPerChild {THREADS}", "ServerLimit 4", "StartServers 2",
        f"MaxRequestWorkers {2 * THREADS}", f"MinSpareThreads {THREADS // 4}",
        f"MaxSpareThreads {2 * THREADS}", "ThreadStackSize 131072", "KeepAlive On",
        "MaxKeepAliveRequests 0", "KeepAliveTimeout 100", "GracefulShutdownTimeout 10",
    ]) + "\n")
    return config


def serve(run, mpm):
    port = harness.free_port()
    server = run.serve(["apache2", "-f", configure(run, mpm, port), "-DFOREGROUND"], port)
    server.log = run.home / "error.log"  # where its children write
    time.sleep(2)  # both children create their threads
    return server, port


def scenario(run):
    for mpm in ("worker", "event"):
        server, port = serve(run, mpm)
        run.load(server, port, 10, "--http")
        run.load(server, port, 1000, "--http")
        run.check_started(server)
        server.send_signal(signal.SIGUSR1)  # graceful restart: new children
        time.sleep(2)
        run.load(server, port, 100, "--http")
        run.stop(server, signal.SIGWINCH)  # graceful stop
        server, port = serve(run, mpm)
        run.load(server, port, 100, "--http")
        run.stop(server)


harness.main({"apache2": "apache2-bin"}, scenario)
