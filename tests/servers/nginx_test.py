#!/usr/bin/python3
"""nginx with a thread pool for files: 1,000 keep-alive connections, reload, SIGQUIT, SIGTERM."""

import signal
import time

import harness


def serve(run):
    port = harness.free_port()
    config = run.home / "nginx.conf"
    config.write_text(f"""
        daemon off; worker_processes 1; pid {run.home}/nginx.pid; user root;
        env GREEN_WORKERS; env GREEN_LOG;  # its workers drop every other variable
        error_log {run.home}/error.log; thread_pool files threads=16;
        events {{ worker_connections 4096; }}
        http {{
          access_log off; aio threads=files; sendfile off; keepalive_requests 1000000;
          client_body_temp_path {run.home}/b; proxy_temp_path {run.home}/p;
          fastcgi_temp_path {run.home}/f; uwsgi_temp_path {run.home}/u; scgi_temp_path {run.home}/s;
          server {{ listen 127.0.0.1:{port} backlog=4096; root {run.home}; }}
        }}""")
    (run.home / "index.html").write_text("It works, by threads.\n" * 8)
    log = run.home / "error.log"
    server = run.serve(["nginx", "-p", run.home, "-c", config, "-e", log], port)
    server.log = log  # where its worker's stderr goes
    return server, port


def scenario(run):
    server, port = serve(run)
    run.load(server, port, 10, "--http")
    run.load(server, port, 1000, "--http")
    run.check_started(server)
    server.send_signal(signal.SIGHUP)
    time.sleep(1)
    run.load(server, port, 100, "--http")
    run.stop(server, signal.SIGQUIT)
    server, port = serve(run)
    run.load(server, port, 100, "--http")
    run.stop(server)


harness.main({"nginx": "nginx"}, scenario)
