"""Where the benchmarks run: the programs, the library, the CPUs, the prefixes.

A variant is how a program is run: "native", "libgreen" (the same program with
the library preloaded), "1:1" (the same with GREEN_MODE=1:1), or a peer ("epoll",
"go", "pool").
"""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_LIBRARY = ROOT / "bazel-bin" / "libgreen.so"

LOAD = ["load_connection.c", "load_http.c", "load_options.c", "load_protocol.c"]
EXTRA_SOURCES = {"echo_load": LOAD, "stat_tree": ["scratch.c"], "file_read": ["scratch.c"],
                 "stuck": ["scratch.c"]}
IN_DEMO_APPS = ("echo-server", "spawn100k")


class RunFailed(Exception):
    """A program ended badly, timed out, or said something that makes no sense."""


def numbers_of(text):
    """The key=number pairs of a program's output."""
    return {key: float(value) for key, value in re.findall(r"(\w+)=(-?\d+(?:\.\d+)?)\b", text)}


def raise_file_limit():
    """Thousands of connections need as many descriptors, here and in children."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (max(hard, 65536), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return wanted
        except (ValueError, OSError):
            continue
    return hard


def main_in_context(name, library, action):
    """The end of a script's main(): action(context)'s status, 1 when something failed, after one line
    by `name`. Whatever happens, all that was started is ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    context = Context(library.absolute())
    try:
        return action(context)
    except (RunFailed, subprocess.CalledProcessError) as failure:
        print(f"{name}: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        context.close()


class Context:
    def __init__(self, library):
        self.library = library if library and library.exists() else None
        self.directory = Path(tempfile.mkdtemp(prefix="libgreen-bench-"))
        self.directory.chmod(0o755)  # servers that give up root must get in
        self._directories = [self.directory]
        self.cpus = sorted(os.sched_getaffinity(0))
        self.files = raise_file_limit()
        self.go = shutil.which("go")
        self.notes = []
        self.cached = {}
        self._live = set()
        jail = ["unshare", "-pf", "--mount-proc", "--kill-child"]
        tried = subprocess.run(jail + ["true"], stderr=subprocess.DEVNULL, check=False)
        self.jail = jail if tried.returncode == 0 else []

    def close(self):
        for process in list(self._live):
            self.end(process)
        for directory in self._directories:
            shutil.rmtree(directory, ignore_errors=True)

    def memory(self):
        """A directory for trees of files, this user's alone: in memory if there is room."""
        if "memory" not in self.cached:
            parent, needed = "/dev/shm", 2 << 30
            try:
                stats = os.statvfs(parent)
                fits = os.access(parent, os.W_OK) and stats.f_bavail * stats.f_frsize >= needed
            except OSError:
                fits = False
            made = tempfile.mkdtemp(prefix="libgreen-bench-", dir=parent if fits else None)
            self._directories.append(made)
            self.cached["memory"] = Path(made)
        return self.cached["memory"]

    def small_files(self, files):
        """The tree that stat_tree goes through, made once."""
        tree = self.memory() / f"small-{files}"
        if not tree.exists():
            tree.mkdir()
            self.output([self.program("stat_tree"), "make", "1", str(files), "1", str(tree)])
        return tree

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def program(self, name):
        """Compiles a program once, as anyone would: cc -O2 -pthread."""
        out = self.directory / name
        if not out.exists():
            folder = ROOT / ("demo-apps" if name in IN_DEMO_APPS else "bench")
            sources = [f"{name}.c", *EXTRA_SOURCES.get(name, [])]
            subprocess.run(["cc", "-O2", "-g", "-pthread", "-o", out, *sources], cwd=folder, check=True)
        return str(out)

    def go_program(self):
        out = self.directory / "peer-go"
        if not out.exists():
            environment = dict(os.environ, GOCACHE=str(self.directory / "go-cache"),
                               GO111MODULE="off", GOFLAGS="", HOME=str(self.directory))
            subprocess.run([self.go, "build", "-o", out, ROOT / "bench" / "peer.go"],
                           env=environment, check=True)
        return str(out)

    def command(self, variant, argv, cpu=None, jail=False):
        """argv as that variant. cpu: an index to pin to; jail: in a PID namespace
        of its own, so that a thread storm can't exhaust the machine's."""
        prefix = list(self.jail) if jail else []
        if cpu is not None:
            prefix += ["taskset", "-c", str(self.cpus[cpu % len(self.cpus)])]
        if variant == "libgreen":
            prefix += ["env", f"LD_PRELOAD={self.library}"]
        if variant == "1:1":
            prefix += ["env", f"LD_PRELOAD={self.library}", "GREEN_MODE=1:1"]
        return prefix + [str(a) for a in argv]

    def start(self, command, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True,
                                   **options)
        self._live.add(process)
        return process

    def end(self, process, gently=10):
        """Ends a process that start() started, and what is left of its group."""
        if process.poll() is None and gently:
            process.terminate()
            try:
                process.wait(gently)
            except subprocess.TimeoutExpired:
                self.note(f"did not end on SIGTERM: {process.args}")
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
        self._live.discard(process)
        return process.returncode

    def output(self, command, timeout=120, **options):
        """What a command printed, stdout and stderr together."""
        process = self.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors="replace", **options)
        try:
            text, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise RunFailed(f"no end within {timeout} s: {' '.join(command)}") from None
        finally:
            self.end(process, gently=0)
        for line in text.splitlines():
            if line.startswith("libgreen:"):
                self.note(line)
        if process.returncode != 0:
            raise RunFailed(f"status {process.returncode}: {' '.join(command)}\n{text[-500:]}")
        return text

    def numbers(self, variant, argv, cpu=None, jail=False, timeout=120):
        return numbers_of(self.output(self.command(variant, argv, cpu, jail), timeout))
