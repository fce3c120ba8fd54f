#!/usr/bin/python3
"""Runs one program natively, then under libgreen, and compares what it did.

Every run has a directory, a process group and a time limit of its own. A run
that does not end in time is shown through gdb before it is killed.
"""

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

STARTED = b"libgreen: started"
SHOWN_BYTES = 8000


def enter_pid_namespace():
    """Starts over as process 1 of a PID namespace, where the system lets us.

    Whatever a run leaves behind then ends with the test, and thread storms
    spend none of the machine's process numbers.
    """
    if os.environ.get("GREEN_TEST_NAMESPACE") or not shutil.which("unshare"):
        return
    wrapper = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run(wrapper + ["true"], stderr=subprocess.DEVNULL).returncode != 0:
        return
    os.environ["GREEN_TEST_NAMESPACE"] = "1"
    os.execvp("unshare", wrapper + [sys.executable, os.path.abspath(__file__)] + sys.argv[1:])


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lib", required=True)
    parser.add_argument("--workers", default="1,2,8")
    parser.add_argument("--modes", default="mn")
    parser.add_argument("--timeout", type=float, default=30)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--native", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--compare-stdout", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--expect-start", choices=["yes", "no", "any"], default="yes")
    parser.add_argument("--expect-status", type=int, default=0)
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def base_environment(extra):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GREEN_") and k != "LD_PRELOAD"}
    env.update(item.split("=", 1) for item in extra)
    return env


def tail(data):
    text = data.decode(errors="replace")
    return text if len(text) <= SHOWN_BYTES else "[...]\n" + text[-SHOWN_BYTES:]


def members(group):
    """The processes of a process group."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(entry))
    return found


def show_threads(group):
    for pid in members(group)[:4]:
        print(f"--- threads of process {pid}", flush=True)
        if not shutil.which("gdb"):
            print("(gdb is not installed)")
            continue
        subprocess.run(
            ["timeout", "-s", "KILL", "30", "gdb", "-nx", "-batch", "-p", str(pid),
             "-ex", "set pagination off", "-ex", "info threads", "-ex", "thread apply all bt 24"],
            stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)


def kill_all(group):
    try:
        # As process 1 of a namespace, -1 is everything that the run started.
        os.kill(-1 if os.getpid() == 1 else -group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def wait_for(pid, limit):
    """The wait status of pid, or None at the limit. Reaps orphans on the way."""
    deadline = time.monotonic() + limit
    while True:
        try:
            while True:
                done, status = os.waitpid(-1, os.WNOHANG)
                if done == pid:
                    return status
                if done == 0:
                    break
        except ChildProcessError:
            return None
        left = deadline - time.monotonic()
        if left <= 0 or signal.sigtimedwait({signal.SIGCHLD}, left) is None:
            return None


class Run:
    """What one run did: status (None: no end in time), stdout, stderr, seconds."""

    def __init__(self, command, env, limit):
        with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as home, \
                tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, \
                open(os.devnull, "rb") as nothing:
            os.chdir(home)
            begin = time.monotonic()
            pid = os.posix_spawn(
                command[0], command, env,
                file_actions=[(os.POSIX_SPAWN_DUP2, nothing.fileno(), 0),
                              (os.POSIX_SPAWN_DUP2, out.fileno(), 1),
                              (os.POSIX_SPAWN_DUP2, err.fileno(), 2)],
                setpgroup=0, setsigmask=[], setsigdef=[signal.SIGPIPE, signal.SIGXFSZ])
            status = wait_for(pid, limit)
            self.seconds = time.monotonic() - begin
            self.status = None if status is None else os.waitstatus_to_exitcode(status)
            if status is None:
                show_threads(pid)
            kill_all(pid)
            wait_for(pid, 5 if status is None else 0)
            os.chdir("/")
            out.seek(0)
            err.seek(0)
            self.stdout, self.stderr = out.read(), err.read()


def complaints(options, run, reference):
    """What is wrong with a run, as lines."""
    if run.status is None:
        yield f"did not end within {options.timeout:g} s"
    elif run.status != options.expect_status:
        yield f"ended with {run.status}, not with {options.expect_status}"
    if reference and options.compare_stdout and run.stdout != reference.stdout:
        yield "printed something else than the native run"


def start_complaints(options, run):
    lines = [line for line in run.stderr.splitlines() if line.startswith(STARTED)]
    if options.expect_start == "yes" and not lines:
        yield "libgreen was not active: no 'libgreen: started' line"
    if options.expect_start == "yes" and b"running natively" in run.stderr:
        yield "some process ran natively"
    if options.expect_start == "no" and lines:
        yield "libgreen started in a program that must not start it"


def report(title, run, wrong, reference=None):
    print(f"{'FAIL' if wrong else 'ok  '} {title:28} {run.seconds:8.3f} s", flush=True)
    for line in wrong:
        print(f"     {line}")
    if not wrong:
        return
    print(f"--- stdout\n{tail(run.stdout)}\n--- stderr\n{tail(run.stderr)}")
    if reference and run.stdout != reference.stdout:
        print(f"--- native stdout\n{tail(reference.stdout)}")
    sys.stdout.flush()


def main():
    enter_pid_namespace()
    options = parse()
    command = [os.path.abspath(options.command[0])] + options.command[1:]
    library = os.path.abspath(options.lib)
    plain = base_environment(options.env)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    soft_core = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, soft_core[1]))

    failed = False
    reference = None
    if options.native:
        reference = Run(command, plain, options.timeout)
        wrong = list(complaints(options, reference, None))
        report("native", reference, wrong)
        if wrong:
            sys.exit("the program fails without libgreen: the test itself is wrong")

    for mode in options.modes.split(","):
        counts = options.workers.split(",")
        # Under 1:1 workers matter to threads of scope process only.
        for workers in counts if mode == "mn" else counts[-1:]:
            for _ in range(options.repeat):
                run = Run(command, {**plain, "LD_PRELOAD": library, "GREEN_MODE": mode,
                                    "GREEN_WORKERS": workers, "GREEN_LOG": "start"},
                          options.timeout)
                wrong = list(complaints(options, run, reference))
                wrong += start_complaints(options, run)
                report(f"GREEN_MODE={mode} GREEN_WORKERS={workers}", run, wrong, reference)
                failed |= bool(wrong)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
