#!/usr/bin/python3
"""gdb on a program under libgreen: its tasks, live and in a core file; its stacks at every step."""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import unittest

LIMIT_S = 120


def parse():
    parser = argparse.ArgumentParser()
    for name in ["lib", "script", "tasks", "steps", "step-script"]:
        parser.add_argument("--" + name, required=True, type=os.path.abspath)
    return parser.parse_known_args()


OPTIONS, REST = parse()


def gdb(*arguments, commands=(), auto_load=True):
    command = ["gdb", "-nx", "-q", "-batch", "-iex", "set pagination off"]
    if auto_load:
        command += ["-iex", "set auto-load safe-path /"]
    command += [*arguments]
    for line in commands:
        command += ["-ex", line]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S,
                         errors="replace", env=dict(os.environ, DEBUGINFOD_URLS=""))
    return run.stdout


def rows(text):
    """The lines of "info green-tasks", by name."""
    found = {}
    for line in re.findall(r"^[* ] (\d+ .*)$", text, re.MULTILINE):
        number, tid, rest = line.split(maxsplit=2)
        state, name, frame = re.match(r"(.{18}) (.{16}) (.*)", rest).groups()
        found[name.strip()] = (int(number), int(tid), state.strip(), frame)
    return found


WAITERS = ["locker", "reader", "sleeper"]  # as tasks.c makes them, after main
MARK = ["echo ====\\n"]


def one(kind):
    return [*MARK, f"green-task {kind + 1}", "bt", "frame function body", "print kind",
            'print $green_tls("mine")', "green-task off"]


class LookAtTasks(unittest.TestCase):
    def start(self, workers, *arguments):
        env = dict(os.environ, LD_PRELOAD=OPTIONS.lib, GREEN_WORKERS=str(workers))
        process = subprocess.Popen(
            [OPTIONS.tasks, *arguments], env=env, cwd=self.home, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
        self.addCleanup(process.__exit__, None, None, None)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.home = directory.name

    def check_list(self, text, tid):
        tasks = rows(text)
        self.assertLessEqual({*WAITERS, "hog"}, set(tasks), text)
        self.assertEqual(tasks["tasks_program"][:2], (0, tid), text)
        self.assertEqual(tasks["locker"][2], "waiting: futex", text)
        self.assertEqual(tasks["reader"][2], "waiting: fd", text)
        self.assertEqual(tasks["sleeper"][2], "waiting: sleep", text)
        self.assertRegex(tasks["hog"][2], r"on LWP \d+|ready", text)
        self.assertRegex(tasks["reader"][3], "read", text)
        self.assertRegex(tasks["sleeper"][3], "nanosleep", text)
        self.assertRegex(tasks["hog"][3], r"wait_in \(\)", text)
        for kind, name in enumerate(WAITERS):
            self.assertEqual(tasks[name][0], kind + 1, text)  # as one() has it

    def check_one(self, text, kind):
        self.assertIn(f'"{WAITERS[kind]}"', text)
        # Four frames of wait_in, then body; the innermost has depth 0.
        self.assertEqual(re.findall(r"wait_in \(depth=(?:depth@entry=)?(\d)", text),
                         ["0", "1", "2", "3"], text)
        self.assertRegex(text, r"in body \(arg=")
        self.assertEqual(re.findall(r"^\$\d+ = (\d+)$", text, re.MULTILINE),
                         [str(kind), str(100 + kind)], text)
        self.assertNotIn("green_dispatch", text)

    def attached(self, workers, **options):
        process = self.start(workers)
        first = [] if options.get("auto_load", True) else [f"source {OPTIONS.script}"]
        parts = gdb("-p", str(process.pid), commands=[
            *first, *MARK, "info green-tasks", *one(0), *one(1), *one(2), *MARK, "info threads",
            "green-task apply all bt", *MARK, "thread 1", "green-task 2", "bt", "thread 2",
            "green-task 2", "bt", *MARK, "thread apply all bt 3", "info threads", "bt 1"],
            **options).split("====\n")
        self.check_list(parts[1], process.pid)
        for kind in range(3):
            self.check_one(parts[kind + 2], kind)
        self.assertEqual(len(re.findall(r"^\[Task ", parts[5], re.MULTILINE)), 5, parts[5])
        self.assertEqual(len(re.findall(r"in body \(", parts[5])), 4, parts[5])
        # From any thread, whatever is inlined where it stands.
        self.assertEqual(len(re.findall(r"in body \(", parts[6])), 2, parts[6])
        self.assertIn("libthread_db enabled", parts[0])
        for part in parts:
            self.assertNotIn("Python Exception", part)
        # Nothing was disturbed.
        out, _ = process.communicate("x", timeout=LIMIT_S)
        self.assertEqual((process.returncode, out), (0, "ended well\n"))

    def test_live(self):
        for workers in (1, 2, 8):
            with self.subTest(workers=workers):
                self.attached(workers)

    def test_live_with_the_script_sourced(self):
        self.attached(2, auto_load=False)

    def test_core(self):
        with open("/proc/sys/kernel/core_pattern") as pattern:
            if not re.fullmatch(r"core(\.%p)?\n", pattern.read()):
                self.skipTest("core files go elsewhere")
        for workers in (1, 2, 8):
            with self.subTest(workers=workers):
                process = self.start(workers, "abort")
                self.assertLess(process.wait(LIMIT_S), 0)
                [core] = [f for f in os.listdir(self.home) if f.startswith("core")]
                core = os.path.join(self.home, core)
                parts = gdb(OPTIONS.tasks, core, commands=[
                    *MARK, "info green-tasks", *one(0), *one(1), *one(2), *MARK, "green-task 0",
                    "bt", *MARK, "info threads", "thread apply all bt"]).split("====\n")
                self.check_list(parts[1], process.pid)
                for kind in range(3):
                    self.check_one(parts[kind + 2], kind)
                self.assertRegex(parts[5], r"abort \(\)(.|\n)*in main \(argc=2")
                self.assertGreaterEqual(len(re.findall(r"in body \(", parts[6])), 3, parts[6])
                os.unlink(core)

    def test_core_that_gdb_saves(self):
        for workers in (1, 8):
            with self.subTest(workers=workers):
                process = self.start(workers)
                core = os.path.join(self.home, "saved")
                said = gdb("-p", str(process.pid), commands=[f"green-gcore {core}"])
                self.assertIn("Saved corefile", said)
                self.assertNotIn("Python Exception", said)
                process.kill()
                process.wait(LIMIT_S)
                parts = gdb(OPTIONS.tasks, core, commands=[
                    *MARK, "info green-tasks", *one(0), *one(1), *one(2)]).split("====\n")
                self.check_list(parts[1], process.pid)
                for kind in range(3):
                    self.check_one(parts[kind + 2], kind)
                os.unlink(core)

    def test_without_libgreen(self):
        process = subprocess.Popen(["sleep", "100"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        text = gdb("-p", str(process.pid),
                   commands=[f"source {OPTIONS.script}", "info green-tasks", "bt 1"])
        self.assertIn("libgreen: its debug information is not here", text)


class Steps(unittest.TestCase):
    def test_stacks_reach_the_end_at_every_instruction(self):
        text = gdb(OPTIONS.steps, commands=[
            f"set environment LD_PRELOAD {OPTIONS.lib}", "set environment GREEN_WORKERS 1",
            "set startup-with-shell off", f"source {OPTIONS.step_script}", "kill"])
        self.assertIn("lost 0\n", text)
        self.assertIn("ended True\n", text)
        self.assertRegex(text, r"libraries .*libc.so.6 libgreen.so")
        self.assertGreater(int(re.search(r"^steps (\d+)$", text, re.MULTILINE)[1]), 2000, text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + REST)
