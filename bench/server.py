"""A server under load: started, watched from outside, ended by its process id."""

import select
import socket
import subprocess
import time
from pathlib import Path

from context import RunFailed, numbers_of


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """with Server(context, command) as server: ... The server either prints
    "port N" when it is ready, or it is told its port and is ready when it takes
    connections there."""

    def __init__(self, context, command, port=None, patience=60, **options):
        self._context = context
        self._patience = patience
        self._log = open(context.directory / "server.log", "w+", encoding="utf-8", errors="replace")
        out = self._log if port else subprocess.PIPE
        self._process = context.start(command, stdout=out, stderr=self._log, **options)
        self.pid = self._process.pid
        self.port = port

    def __enter__(self):
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._context.end(self._process, gently=30)
        self._log.seek(0)
        for line in self._log:
            if line.startswith("libgreen:"):
                self._context.note(line.strip())
        self._log.close()

    def _failed(self, what):
        self._log.seek(0)
        text = self._log.read()[-500:]
        return RunFailed(f"{what}: {' '.join(self._process.args)}\n{text}")

    def _wait(self):
        end = time.monotonic() + self._patience
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise self._failed(f"the server ended with status {self._process.returncode}")
            if self.port:
                try:
                    socket.create_connection(("127.0.0.1", self.port), 1).close()
                    return
                except OSError:
                    time.sleep(0.05)
            elif select.select([self._process.stdout], [], [], 0.5)[0]:
                word, _, number = self._process.stdout.readline().partition(b" ")
                if word == b"port":
                    self.port = int(number)
                    return
        raise self._failed("the server was not ready in time")

    def processes(self):
        """The server and its descendants."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text(errors="replace").rpartition(")")[2].split()
                parents[int(stat.parent.name)] = int(fields[1])
            except (OSError, IndexError):
                continue
        found = [self.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def cpu(self):
        """CPU seconds of all its processes, to the nanosecond."""
        total = 0.0
        for pid in self.processes():
            try:
                total += time.clock_gettime((~pid << 3) | 2)  # CPUCLOCK_SCHED of a process
            except OSError:
                continue
        return total

    @staticmethod
    def size(pids):
        """OS threads, and resident MiB (shared pages counted once per process)."""
        threads = resident = 0
        for pid in pids:
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
            threads += int(fields.get("Threads", "0"))
            resident += int(fields.get("VmRSS", "0 kB").split()[0])
        return {"os_threads": threads, "rss_mib": resident / 1024}


def echo_load(context, server, connections, *more, cpu=None, seconds=2.0, warmup=0.5):
    """Loads an echo server (or what more says): its numbers."""
    pids = ",".join(map(str, server.processes()))
    argv = [context.program("echo_load"), "--port", server.port, "--pid", pids,
            "--connections", connections, "--seconds", seconds, "--warmup", warmup, *more]
    text, size = loaded(context, server, context.command("native", argv, cpu))
    return {**numbers_of(text), **size}


def loaded(context, server, command, timeout=120, **options):
    """Runs a load: its output, and the largest size that the server had."""
    pids = server.processes()  # once: a look at all of /proc would disturb what is measured
    load = context.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         **options)
    size, deadline = {}, time.monotonic() + timeout
    try:
        while True:
            try:
                text, _ = load.communicate(timeout=0.7)
                break
            except subprocess.TimeoutExpired:
                if time.monotonic() > deadline:
                    raise RunFailed(f"no end within {timeout} s: {' '.join(command)}") from None
                now = server.size(pids)
                size = {key: max(value, size.get(key, 0)) for key, value in now.items()}
        if load.returncode != 0:
            raise RunFailed(f"status {load.returncode}: {' '.join(command)}\n{text[-500:]}")
    finally:
        context.end(load, gently=0)
    return text, size
