#!/usr/bin/python3
"""stunnel, a thread per connection: bytes through a TLS client and a TLS server to an echo server,
and SIGTERM ends both."""

import harness


def serve(run, name, accept, connect, more):
    config = run.home / f"{name}.conf"
    config.write_text("\n".join([
        "foreground = yes", "pid =", "debug = err", "socket = l:TCP_NODELAY=1",
        "socket = r:TCP_NODELAY=1", f"[{name}]", f"accept = 127.0.0.1:{accept}",
        f"connect = 127.0.0.1:{connect}", *more]) + "\n")
    return run.serve(["stunnel4", config], accept)


def scenario(run):
    key = run.home / "key.pem"
    run.output(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj",
                "/CN=localhost", "-keyout", key, "-out", run.home / "cert.pem"])
    backend = run.echo_backend()
    tls, plain = harness.free_port(), harness.free_port()
    server = serve(run, "server", tls, backend, [f"key = {key}", f"cert = {run.home}/cert.pem"])
    client = serve(run, "client", plain, tls, ["client = yes"])
    for connections in (10, 300):
        run.check_few_threads(run.load(client, plain, connections))
    run.check_started(server)
    run.check_started(client)
    run.stop(client)
    run.stop(server)


harness.main({"stunnel4": "stunnel4", "openssl": "openssl"}, scenario)
