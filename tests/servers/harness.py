"""Real programs of Debian, run natively first and then under libgreen.

A test says what it needs and what it does in one run; main() runs that for each
variant. What a run starts has a process group of its own, time limits, and is
shown through gdb when it does not end.
"""

import argparse
import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import run_program  # noqa: E402

STARTED = "libgreen: started"
SLICE = 0.05


class Failed(Exception):
    """A program did something that it must not do, or did not do what it must."""


class Variant:
    def __init__(self, name, library):
        self.name = name
        self.green = name != "native"
        self.bound = name == "1:1"
        self.workers = int(name) if self.green and not self.bound else 0
        self.environment = run_program.base_environment([])
        if self.green:
            setting = "GREEN_MODE" if self.bound else "GREEN_WORKERS"
            self.environment.update({"LD_PRELOAD": library, setting: name, "GREEN_LOG": "start"})


class Run:
    """One variant of a test: a directory, and what was started in it."""

    def __init__(self, variant, load, echo):
        self.variant = variant
        self.load_program, self.echo_program = load, echo
        self.home = Path(tempfile.mkdtemp(prefix="green-", dir="/tmp"))
        self.home.chmod(0o755)  # servers that give up root must get in
        self.live = []
        self._logs = 0

    def close(self):
        for process in self.live:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self, command, green=True, **options):
        """Starts a program of the test (or a helper of it: green=False)."""
        self._logs += 1
        log = self.home / f"log{self._logs}"
        with log.open("wb") as out:
            options = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out, **options}
            environment = self.variant.environment if green else run_program.base_environment([])
            process = subprocess.Popen([str(c) for c in command], env=environment, cwd=self.home,
                                       start_new_session=True, **options)
        process.log = log
        self.live.append(process)
        return process

    def wait(self, process, what, limit, expect=0):
        """Waits for its end, with that status."""
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            run_program.show_threads(process.pid)
            raise Failed(f"{what}: no end within {limit} s\n{tail(process)}") from None
        if status != expect:
            raise Failed(f"{what}: ended with {status}, not {expect}\n{tail(process)}")

    def output(self, command, limit=60, green=False, **options):
        """What a program that must succeed wrote to stdout."""
        out = self.home / "output"
        with out.open("wb") as file:
            process = self.start(command, green=green, stdout=file, **options)
        self.wait(process, command[0], limit)
        return out.read_bytes()

    def serve(self, command, port, limit=30, **options):
        """Starts a server and waits until it takes connections."""
        server = self.start(command, **options)
        end = time.monotonic() + limit
        while True:
            if server.poll() is not None:
                raise Failed(f"{command[0]} ended with {server.returncode}\n{tail(server)}")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return server
            if time.monotonic() > end:
                run_program.show_threads(server.pid)
                raise Failed(f"{command[0]}: not ready within {limit} s\n{tail(server)}")
            time.sleep(SLICE)

    def stop(self, server, number=signal.SIGTERM, limit=20, expect=0):
        os.kill(server.pid, number)
        self.wait(server, f"{server.args[0]} after signal {number}", limit, expect)

    def load(self, server, port, connections, *more, seconds=1.5, limit=90):
        """Checked requests from bench/echo_load. The OS threads that the server had."""
        process = self.start([self.load_program, "--port", port, "--connections", connections,
                              "--seconds", seconds, "--warmup", 0.2, *more], green=False)
        threads, end = 0, time.monotonic() + limit
        while process.poll() is None:
            threads = max(threads, os_threads(server.pid))
            if time.monotonic() > end or server.poll() is not None:
                run_program.show_threads(server.pid)
                raise Failed(f"no end of the load within {limit} s, or none of the server\n"
                             f"{tail(process)}\n{tail(server)}")
            time.sleep(4 * SLICE)
        if process.returncode:
            run_program.show_threads(server.pid)
            raise Failed(f"load at {connections} connections: {tail(process)}\n{tail(server)}")
        print(f"       {tail(process).strip()[:110]} os_threads={threads}", flush=True)
        return threads

    def echo_backend(self):
        """The port of a hand-written epoll echo server (not green)."""
        server = self.start([self.echo_program], green=False, stdout=subprocess.PIPE)
        return int(server.stdout.readline().split()[1])

    def check_started(self, process):
        if self.variant.green and STARTED not in process.log.read_text(errors="replace"):
            raise Failed(f"libgreen was not active in {process.args[0]}")

    def check_few_threads(self, threads, spare=12):
        """Under libgreen, M:N: workers, the monitor, and carriers that sat in the kernel."""
        if self.variant.green and not self.variant.bound and threads > self.variant.workers + spare:
            raise Failed(f"{threads} OS threads for {self.variant.workers} workers")


def tail(process):
    return process.log.read_bytes()[-2000:].decode(errors="replace")


def os_threads(group):
    """OS threads of all processes of a group."""
    count = 0
    for pid in run_program.members(group):
        with contextlib.suppress(OSError):
            count += len(os.listdir(f"/proc/{pid}/task"))
    return count


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def enter_pid_namespace():
    """As run_program's, for the script that was started."""
    wrapper = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.environ.get("GREEN_TEST_NAMESPACE") or not shutil.which("unshare"):
        return
    if subprocess.run(wrapper + ["true"], stderr=subprocess.DEVNULL, check=False).returncode:
        return
    os.environ["GREEN_TEST_NAMESPACE"] = "1"
    os.execvp("unshare", wrapper + [sys.executable] + sys.argv)


def raise_file_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (max(hard, 65536), hard):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(programs, scenario):
    """programs: {program: Debian package}; scenario(run): raises Failed."""
    enter_pid_namespace()
    parser = argparse.ArgumentParser()
    parser.add_argument("--lib", required=True)
    parser.add_argument("--load", default="")
    parser.add_argument("--echo", default="")
    parser.add_argument("--variants", default="native,1,2,8,1:1")
    options = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for program, package in programs.items():
        if not shutil.which(program):
            print(f"SKIPPED: {program} is not installed (apt-get install {package})")
            return
    raise_file_limit()
    failed = False
    for name in options.variants.split(","):
        run = Run(Variant(name, os.path.abspath(options.lib)), os.path.abspath(options.load),
                  os.path.abspath(options.echo))
        begin, wrong = time.monotonic(), ""
        try:
            scenario(run)
        except Failed as failure:
            wrong, failed = f": {failure}", True
            for process in run.live:
                if process.poll() not in (None, 0):
                    wrong += f"\n--- {process.args[0]} ended with {process.poll()}\n{tail(process)}"
        finally:
            run.close()
        title = name if name == "native" else f"GREEN_{'MODE' if name == '1:1' else 'WORKERS'}={name}"
        print(f"{'FAIL' if wrong else 'ok  '} {title:18} {time.monotonic() - begin:7.2f} s{wrong}",
              flush=True)
        if wrong and name == "native":
            sys.exit("it fails without libgreen: the test itself is wrong")
    sys.exit(1 if failed else 0)
