"""The thread-per-connection echo server, beside a hand-written epoll loop."""

from row import Row, absolute, compared
from server import Server, echo_load


def server_command(context, variant, cpu=None):
    if variant == "go":
        return context.command(variant, [context.go_program(), "echo"], cpu)
    name = "epoll_server" if variant == "epoll" else "echo-server"
    # 64 KiB stacks natively too: 8,000 threads then cost what they have to.
    return context.command(variant, [context.program(name), "--stack", 65536], cpu)


def echo(connections, pinned):
    def run(context, variant):
        context.program("echo_load")  # compiled before anything is timed
        cpus = (0, 1) if pinned else (None, None)
        # On a CPU of its own the load never sleeps: to wake it is half a microsecond of a send, paid
        # by that server only which is a little slower than the load.
        awake = ["--awake"] if pinned else []
        with Server(context, server_command(context, variant, cpus[0])) as server:
            return echo_load(context, server, connections, *awake, cpu=cpus[1])

    return run


def _shares(connections, seconds):
    """How evenly a minute is shared: what the busiest connection got by what the idlest got."""
    def run(context, variant):
        context.program("echo_load")
        with Server(context, server_command(context, variant, 0)) as server:
            got = echo_load(context, server, connections, cpu=1, seconds=seconds)
        return {**got, "most_by_fewest": got["most"] / max(got["fewest"], 1e-9)}

    return run


METRICS = ("cpu_us", "rps", "p50_us", "p99_us", "max_us", "os_threads", "rss_mib")
# At each count: what is asked of libgreen against native's CPU per request.
PINNED = {64: 0.80, 1000: 0.65, 8000: 0.80}
UNPINNED = {64: 1.4, 1000: 1.6}

ROWS = [
    Row(f"echo-{n}", f"echo, {n} connections, the server on one CPU, the load on another",
        echo(n, True), METRICS,
        (compared("cpu_us", "<=", 1.03, to="epoll"), compared("cpu_us", "<=", bound),
         compared("p99_us", "<", 1)),
        ("native", "libgreen", "epoll", "go"))
    for n, bound in PINNED.items()
] + [
    Row("echo-shares", "echo, 10,000 connections for a minute: how evenly they are served",
        _shares(10000, 60), ("most_by_fewest", "fewest", "most", "p99_us", "max_us", "rps"),
        (absolute("most_by_fewest", "<=", 2),), ("native", "libgreen", "epoll"), runs=1)
] + [
    Row(f"echo-{n}-free", f"echo, {n} connections, nothing pinned", echo(n, False),
        ("rps", "cpu_us", "p50_us", "p99_us", "max_us", "os_threads"),
        (compared("rps", ">=", bound),), ("native", "libgreen", "epoll", "go"),
        higher_is_better=True)
    for n, bound in UNPINNED.items()
]
