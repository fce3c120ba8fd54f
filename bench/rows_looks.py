"""What it costs a busy server to be looked at. A variant is the command that looks at it. The load
goes on, and in it windows without and with looks take turns, so that both meet the same machine:
rate is that of the TCP segments that this machine sends (nothing else may), cpu the server's CPU
time for one, each of the windows with looks divided by that of those without. In a window the
command looks once a second, or all the time where it takes its time by itself. What each says is
checked, and so are the server's answers."""

import json
import math
import re
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import rows_mariadb
from context import ROOT, RunFailed
from row import Row, Target
from rows_echo import server_command
from server import Server, echo_load

NOBODY = "libgreen"
SECONDS = 90  # of load: a look at 10,000 connections by trace takes ten
PAIRS = 4
WINDOW = 2.0  # seconds; longer where a look takes longer


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


def _segments():
    """TCP segments that were sent in this network (RFC 1213, tcpOutSegs)."""
    heads, values = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines()
                     if line.startswith("Tcp:")]
    return int(values[heads.index("OutSegs")])


class Looker:
    """Looks at a server in every other window, while the block runs."""

    def __init__(self, context, variant, server, connections):
        self.look, self.server, self.connections = LOOKS.get(variant), server, connections
        self.green = context.library.parent / "green"
        self.over, self.seconds, self.wrong, self.pairs = threading.Event(), [], None, []
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
        numbers = {}
        if self.look:
            numbers = {"look_s": statistics.median(self.seconds), "looks": len(self.seconds)}
        if self.look and self.look.once:
            return numbers
        for name, of in ("rate", 0), ("cpu", 1):
            logs = [math.log(looked[of] / alone[of]) for alone, looked in self.pairs]
            numbers[name] = math.exp(statistics.mean(logs))
            numbers[name + "_se"] = statistics.stdev(logs) / math.sqrt(len(logs))
        return numbers

    def _said(self, *words):
        return subprocess.run(list(map(str, words)), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, check=False)

    def _all_there(self):
        said = self._said(self.green, "stats", self.server.pid, "--json")
        return said.returncode == 0 and json.loads(said.stdout)["tasks"]["alive"] > self.connections

    def _run(self):
        while not self._all_there():
            if self.over.wait(0.1):
                self.wrong = "the load ended before all connections were there"
                return
        if self.look and self.look.once:
            self._check(self._look())
        else:
            for pair in range(PAIRS):
                with_looks = (False, True) if pair % 2 else (True, False)
                windows = {looked: self._window(looked) for looked in with_looks}
                self.pairs.append((windows[False], windows[True]))
        if self.over.is_set():
            self.wrong = "the load ended before the last look"

    def _window(self, looked):
        """Segments a second, and the server's CPU time for one."""
        said = []
        segments, cpu, begin = _segments(), self.server.cpu(), time.monotonic()
        while (left := begin + WINDOW - time.monotonic()) > 0:
            if looked and self.look:
                said.append(self._look())
            else:
                time.sleep(left)
        sent = max(1, _segments() - segments)
        numbers = sent / (time.monotonic() - begin), (self.server.cpu() - cpu) / sent
        for one in said:  # only now: it takes seconds of a CPU to read a trace
            self._check(one)
        return numbers

    def _look(self):
        if self.look.command[0] == "gdb":
            words = [*self.look.command, "-p", self.server.pid, "-ex", "info green-tasks"]
        else:
            words = [self.green, *self.look.command, self.server.pid]
        begin = time.monotonic()
        said = self._said(*words)
        took = time.monotonic() - begin
        self.seconds.append(took)
        time.sleep(max(0, 1 - took))
        return said

    def _check(self, said):
        if self.over.is_set() or self.wrong:
            return
        if said.returncode or not self.look.right(said.stdout, self.connections):
            self.wrong = f"{self.look.command}: {said.returncode} {said.stderr} {said.stdout[-500:]}"


def _echo(connections):
    def run(context, variant):
        context.program("echo_load")
        with Server(context, server_command(context, NOBODY)) as server, \
                Looker(context, variant, server, connections) as looker:
            numbers = echo_load(context, server, connections, seconds=SECONDS)
        return {**numbers, **looker.numbers()}

    return run


def _python(connections):
    def run(context, variant):
        command = context.command(NOBODY, ["/usr/bin/python3", ROOT / "demo-apps/python_httpd.py"])
        with Server(context, command) as server, \
                Looker(context, variant, server, connections) as looker:
            numbers = echo_load(context, server, connections, "--http", seconds=SECONDS)
        return {**numbers, **looker.numbers()}

    return run


def _mariadb(connections):
    load = rows_mariadb.load("oltp_read_only", connections, SECONDS)

    def run(context, variant):
        holder = []

        def watched(server):
            holder.append(Looker(context, variant, server, connections))
            return holder[0]

        numbers = load(context, NOBODY, watched)
        return {**numbers, **holder[0].numbers()}

    return run


def _row(name, title, run, packages=()):
    targets = tuple(Target(f"rate while {variant} looks >= {bound:g} of that without",
                           lambda m, v=variant: m(v, "rate"), ">=", bound)
                    for variant, bound in (("trace", 0.95), ("on-cpu", 0.97)))
    return Row(f"looks-{name}", f"{title}, looked at by each command", run,
               ("rate", "rate_se", "cpu", "cpu_se", "look_s", "looks"), targets,
               (NOBODY, *LOOKS), higher_is_better=True, packages=packages, runs=1, base=NOBODY)


ROWS = [
    _row("echo", "echo, 10,000 connections", _echo(10000)),
    _row("python", "Python's ThreadingHTTPServer, 1,000 connections", _python(1000)),
    _row("mariadb", "mariadbd, sysbench oltp_read_only, 1,000 connections", _mariadb(1000),
         ("mariadb-server", "sysbench")),
]
