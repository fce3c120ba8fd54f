#!/usr/bin/python3
"""memcached with four threads: what was set is got, and SIGTERM ends it."""

import harness


def scenario(run):
    port = harness.free_port()
    server = run.serve(["memcached", "-u", "root", "-l", "127.0.0.1", "-U", 0, "-p", port,
                        "-t", 4, "-c", 4096, "-b", 4096], port)
    for connections in (10, 1000):
        run.check_few_threads(run.load(server, port, connections, "--memcached"))
    run.check_started(server)
    run.stop(server)


harness.main({"memcached": "memcached"}, scenario)
