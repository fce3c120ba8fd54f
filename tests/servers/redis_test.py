#!/usr/bin/python3
"""redis-server with four I/O threads: what was set is got on 1,000 connections, redis-benchmark,
a background save (fork), SIGTERM saves and ends it."""

import selectors
import socket

import harness


def bulk(*words):
    parts = [f"*{len(words)}\r\n".encode()]
    parts += [b"$%d\r\n%s\r\n" % (len(w), w) for w in words]
    return b"".join(parts)


def read_until(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(65536)
        if not piece:
            raise harness.Failed("redis closed a connection")
        data += piece
    return data


def set_and_get(port, connections, rounds):
    """Every connection sets and gets a value of its own; all requests are out before any answer
    is read."""
    socks = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(connections)]
    for turn in range(rounds):
        for i, sock in enumerate(socks):
            value = b"%d-%d" % (i, turn) * (1 + i % 40)
            sock.sendall(bulk(b"SET", b"k%d" % i, value) + bulk(b"GET", b"k%d" % i))
        for i, sock in enumerate(socks):
            value = b"%d-%d" % (i, turn) * (1 + i % 40)
            want = b"+OK\r\n$%d\r\n%s\r\n" % (len(value), value)
            if read_until(sock, len(want)) != want:
                raise harness.Failed(f"connection {i}, turn {turn}: wrong answer")
    for sock in socks:
        sock.close()


def command(port, *words):
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(bulk(*words))
        return sock.recv(65536)


def scenario(run):
    port = harness.free_port()
    server = run.serve(["redis-server", "--port", port, "--bind", "127.0.0.1", "--io-threads", 4,
                        "--io-threads-do-reads", "yes", "--dir", run.home, "--save", "3600 1",
                        "--maxclients", 4000, "--daemonize", "no"], port)
    set_and_get(port, 10, 200)
    set_and_get(port, 1000, 10)
    run.output(["redis-benchmark", "-p", port, "-q", "-n", 40000, "-c", 1000, "-t", "set,get"])
    if not command(port, b"BGSAVE").startswith(b"+Background"):
        raise harness.Failed("BGSAVE was refused")
    while b"rdb_bgsave_in_progress:1" in command(port, b"INFO", b"persistence"):
        pass
    if b"rdb_last_bgsave_status:ok" not in command(port, b"INFO", b"persistence"):
        raise harness.Failed("BGSAVE failed")
    run.check_started(server)
    run.stop(server)


harness.main({"redis-server": "redis-server", "redis-benchmark": "redis-tools"}, scenario)
