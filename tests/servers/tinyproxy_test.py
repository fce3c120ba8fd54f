#!/usr/bin/python3
"""tinyproxy, a thread per connection: bytes through CONNECT tunnels, and SIGTERM ends it."""

import harness


def scenario(run):
    port, backend = harness.free_port(), run.echo_backend()
    config = run.home / "tinyproxy.conf"
    config.write_text(f"Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 600\n"
                      f"MaxClients 20000\nLogLevel Error\nLogFile \"{run.home}/proxy.log\"\n")
    server = run.serve(["tinyproxy", "-d", "-c", config], port)
    for connections in (10, 1000):
        run.check_few_threads(run.load(server, port, connections, "--tunnel", backend))
    run.check_started(server)
    run.stop(server)


harness.main({"tinyproxy": "tinyproxy-bin"}, scenario)
