"""What it costs a busy server to be looked at. A variant is the command that looks at it, from when
all connections are there to the load's end: once a second, or all the time where a command takes
its time by itself. What each says is checked, and so are the server's answers."""

import json
import re
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Callable

import rows_mariadb
from context import ROOT, RunFailed
from row import Row, compared
from rows_echo import server_command
from server import Server, echo_load

NOBODY = "libgreen"
SECONDS = 8


@dataclass(frozen=True)
class Look:
    command: tuple
    right: Callable  # (what it wrote, connections): whether it can be true
    once: bool = False


def _tasks(text, connections):
    tasks = json.loads(text)["tasks"]
    return len(tasks) > connections and len({t["tid"] for t in tasks}) == len(tasks)


def _stacks(text, connections):
    groups = json.loads(text)
    return sum(len(g["tasks"]) for g in groups) > 0.95 * connections and \
        all(g["frames"] for g in groups)


def _folded(text, _):
    return text and all(re.fullmatch(r"\S.*;.* \d+", line) for line in text.splitlines())


def _trace(text, _):
    trace = json.loads(text)
    return {"X", "M"} <= {e["ph"] for e in trace["traceEvents"]}


LOOKS = {
    "stats": Look(("stats", "--json"), lambda text, n: json.loads(text)["tasks"]["alive"] > n),
    "ps": Look(("ps", "--json"), _tasks),
    "stacks": Look(("stacks", "--json"), _stacks),
    "top": Look(("top", "--batch", "--count=2"), lambda text, n: text.count(" tasks;") == 2),
    "on-cpu": Look(("profile", "--seconds=2"), _folded),
    "off-cpu": Look(("profile", "--seconds=2", "--off-cpu"), _folded),
    "trace": Look(("trace", "--seconds=1", "-o", "/dev/stdout"), _trace),
    "gdb": Look(("gdb", "-nx", "-q", "-batch", "-iex", "set auto-load safe-path /"),
                lambda text, n: len(re.findall(r"^[* ] \d+ +\d+ ", text, re.MULTILINE)) > n,
                once=True),  # it stops the server for seconds
}


class Looker:
    """Looks at a process for as long as the block runs."""

    def __init__(self, context, variant, pid, connections):
        self.look, self.pid, self.connections = LOOKS.get(variant), pid, connections
        self.green = context.library.parent / "green"
        self.over, self.seconds, self.wrong = threading.Event(), [], None
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def numbers(self):
        if self.wrong:
            raise RunFailed(self.wrong)
        if not self.look:
            return {}
        if not self.seconds:
            raise RunFailed("no look was over before the load was")
        return {"look_s": statistics.median(self.seconds), "looks": len(self.seconds)}

    def _said(self, *words):
        return subprocess.run(list(map(str, words)), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, check=False)

    def _all_there(self):
        said = self._said(self.green, "stats", self.pid, "--json")
        return said.returncode == 0 and json.loads(said.stdout)["tasks"]["alive"] > self.connections

    def _run(self):
        while not self._all_there():
            if self.over.wait(0.1):
                self.wrong = "the load ended before all connections were there"
                return
        while self.look and not self.over.is_set() and not self.wrong:
            self._once()
            if self.look.once:
                return

    def _once(self):
        if self.look.command[0] == "gdb":
            words = [*self.look.command, "-p", self.pid, "-ex", "info green-tasks"]
        else:
            words = [self.green, *self.look.command, self.pid]
        begin = time.monotonic()
        said = self._said(*words)
        took = time.monotonic() - begin
        right = not said.returncode and self.look.right(said.stdout, self.connections)
        if not right and not self.over.wait(3):  # else connections were closing, or all had ended
            self.wrong = f"{self.look.command}: {said.returncode} {said.stderr} {said.stdout[-500:]}"
        if self.over.is_set():
            return
        self.seconds.append(took)
        self.over.wait(1 - took)


def _echo(connections):
    def run(context, variant):
        context.program("echo_load")
        with Server(context, server_command(context, NOBODY)) as server, \
                Looker(context, variant, server.pid, connections) as looker:
            numbers = echo_load(context, server, connections, seconds=SECONDS)
        return {**numbers, **looker.numbers()}

    return run


def _python(connections):
    def run(context, variant):
        command = context.command(NOBODY, ["/usr/bin/python3", ROOT / "demo-apps/python_httpd.py"])
        with Server(context, command) as server, \
                Looker(context, variant, server.pid, connections) as looker:
            numbers = echo_load(context, server, connections, "--http", seconds=SECONDS)
        return {**numbers, **looker.numbers()}

    return run


def _mariadb(connections):
    load = rows_mariadb.load("oltp_read_only", connections)

    def run(context, variant):
        holder = []

        def watched(server):
            holder.append(Looker(context, variant, server.pid, connections))
            return holder[0]

        numbers = load(context, NOBODY, watched)
        return {**numbers, **holder[0].numbers()}

    return run


def _row(name, title, run, rate, packages=()):
    return Row(f"looks-{name}", f"{title}, looked at by each command", run,
               (rate, "cpu_us", "look_s", "looks"), tuple(
                   compared(rate, "<=", 1 / bound, to=variant)
                   for variant, bound in (("trace", 0.95), ("on-cpu", 0.97))),
               (NOBODY, *LOOKS), higher_is_better=True, packages=packages, runs=3, base=NOBODY)


ROWS = [
    _row("echo", "echo, 10,000 connections", _echo(10000), "rps"),
    _row("python", "Python's ThreadingHTTPServer, 1,000 connections", _python(1000), "rps"),
    _row("mariadb", "mariadbd, sysbench oltp_read_only, 1,000 connections", _mariadb(1000), "qps",
         ("mariadb-server", "sysbench")),
]
