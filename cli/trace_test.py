#!/usr/bin/python3
"""What `green trace` writes, held against the trace event format and against what the program did."""

import bisect
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

GREEN, LIBRARY, OBSERVED, TRACED = [os.path.abspath(path) for path in sys.argv[1:5]]
WORKERS = (1, 2, 8)
WORKERS_PID = 1_000_000_000
ROUNDING = 0.002  # us
RINGS = 4 << 20  # bytes at least
PATIENCE = 30


def environment(workers, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GREEN_")}
    return {**env, "GREEN_WORKERS": str(workers), **more}


def memory(pid, column):
    """0: mapped; 1: resident; in bytes (proc(5), statm)."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[column]) * 4096


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


class Observed:
    def __init__(self, workers, mode="busy", **settings):
        self.process = subprocess.Popen(
            [OBSERVED, mode], env=environment(workers, LD_PRELOAD=LIBRARY, **settings),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid

    def __enter__(self):
        for line in self.process.stdout:
            if line == "ready\n":
                return self
        raise AssertionError("the program ended")

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


class Trace:
    """A trace file whose form has been checked."""

    def __init__(self, test, path):
        test.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, encoding="ascii") as file:
            whole = json.load(file)
        self.lost = whole["otherData"]["lost_events"]
        test.assertIn(whole["displayTimeUnit"], ("ns", "ms"))
        self.slices = collections.defaultdict(list)
        self.instants = collections.Counter()
        self.names, self.processes = {}, {}
        flows = collections.defaultdict(dict)
        for e in whole["traceEvents"]:
            track = (e["pid"], e["tid"])
            test.assertEqual([type(v) for v in (e["name"], *track)], [str, int, int], e)
            if e["ph"] == "M":
                test.assertIn(e["name"], ("thread_name", "process_name"))
                names = self.names if e["name"] == "thread_name" else self.processes
                names[track] = e["args"]["name"]
                continue
            test.assertIsInstance(e["ts"], float)
            if e["ph"] == "X":
                test.assertGreaterEqual(e["dur"], 0)
                self.slices[track].append((e["ts"], e["ts"] + e["dur"], e["name"], e))
            elif e["ph"] == "i":
                test.assertEqual(e["s"], "t")
                self.instants[e["name"], e["args"]["name"]] += 1
            else:
                test.assertIn(e["ph"], ("s", "f"))
                test.assertNotIn(e["ph"], flows[e["id"]])
                flows[e["id"]][e["ph"]] = e
        for slices in self.slices.values():
            slices.sort(key=lambda s: (s[0], s[1]))
            for one, next_one in zip(slices, slices[1:]):
                # Exactly, as floating-point numbers: viewers nest or drop what overlaps.
                test.assertLessEqual(one[1], next_one[0], (one, next_one))
        test.assertLessEqual(set(self.slices), set(self.names))
        self.arrows = collections.Counter()
        for flow in flows.values():
            self.check_arrow(test, flow)

    def check_arrow(self, test, flow):
        ends = []
        test.assertEqual(set(flow), {"s", "f"})
        test.assertEqual(flow["f"]["bp"], "e")
        test.assertLessEqual(flow["s"]["ts"], flow["f"]["ts"])
        for e in (flow["s"], flow["f"]):
            track = (e["pid"], e["tid"])
            at = bisect.bisect(self.slices[track], (e["ts"] + ROUNDING,)) - 1
            # Viewers bind it to the slice that is there.
            nearby = self.slices[track][max(0, at - 1):at + 2]
            test.assertIn("running", [s[2] for s in nearby if s[0] - ROUNDING <= e["ts"] and
                                      e["ts"] <= s[1] + ROUNDING], (e, nearby))
            ends.append(self.names[track])
        self.arrows[tuple(ends)] += 1

    def of_task(self, name):
        """[slices] of each task of that name."""
        return [self.slices[track] for track, its in self.names.items()
                if its == name and track[0] < WORKERS_PID]

    def labels(self, name):
        return {s[2] for slices in self.of_task(name) for s in slices}


class TraceTest(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(home.cleanup)
        self.path = os.path.join(home.name, "t.json")

    def green(self, *words, **variables):
        return subprocess.run([GREEN, "trace", *map(str, words)], capture_output=True, text=True,
                              timeout=60, env=environment(2, **variables))

    def trace(self, *words, status=0, **variables):
        result = self.green("-o", self.path, *words, **variables)
        self.assertEqual(result.returncode, status, result.stderr)
        return Trace(self, self.path), result.stderr

    def check_attached(self, workers):
        with Observed(workers) as program:
            trace, said = self.trace(program.pid, "--seconds", PATIENCE, "--events", 30000)
            self.assertIsNone(program.process.poll())
        self.assertRegex(said, r"\d+ events of 1 process, \d+ lost, in ")
        self.assertIn("running", trace.labels("player"))
        self.assertIn("futex: futex", trace.labels("player"))
        self.assertGreater(trace.arrows["player", "player"], 100)
        self.assertEqual(trace.processes[program.pid, 0], f"observed {program.pid}: tasks")
        return trace

    def test_attached(self):
        for workers in WORKERS:
            with self.subTest(workers=workers):
                trace = self.check_attached(workers)
                names = [name for (pid, _), name in trace.names.items() if pid > WORKERS_PID]
                self.assertEqual(sorted(names), sorted(f"worker {i}" for i in range(workers)))
                ran = {s[2] for (pid, _), slices in trace.slices.items() if pid > WORKERS_PID
                       for s in slices}
                self.assertIn("player", ran)

    def test_preemption(self):
        with Observed(1, "spinners") as program:
            trace, _ = self.trace(program.pid, "--seconds", "30", "--events", "20")
        self.assertGreater(trace.instants["preempt", "spinner"], 2)
        self.assertEqual(trace.labels("spinner"), {"running", "ready"})

    def check_program(self, end, status, pids=1):
        trace, said = self.trace("--", TRACED, end, status=status, GREEN_LIBRARY=LIBRARY)
        self.assertIn(f" of {pids} process", said)
        self.assertEqual(trace.lost, 0)
        for name in ("one-0", "one-1"):
            # The last turn was played before the task ended, and every one is there. The same
            # numbers are given out again after exec.
            (slices,) = trace.of_task(name)
            self.assertGreaterEqual(sum(s[2] == "running" for s in slices), 100 * pids)
        self.assertGreaterEqual(trace.arrows["one-0", "one-1"], 99)
        return trace

    def test_program_to_its_end(self):
        for end, status in (("return", 7), ("_exit", 7), ("pthread_exit", 0)):
            with self.subTest(end=end):
                self.check_program(end, status)

    def test_exec_is_a_process_of_its_own(self):
        self.check_program("exec", 7, pids=2)

    def test_forked_child(self):
        trace, said = self.trace("--", TRACED, "fork", status=7, GREEN_LIBRARY=LIBRARY)
        self.assertIn(" of 2 processes", said)
        self.assertGreaterEqual(trace.arrows["kid-0", "kid-1"], 99)
        pids = {pid for (pid, _), name in trace.names.items() if name.startswith("kid-")}
        self.assertEqual(len(pids), 1)
        self.assertFalse([n for (pid, _), n in trace.names.items()
                          if pid in pids and n.startswith("one-")])

    def test_process_ends_meanwhile(self):
        with Observed(2) as program:
            before = memory(program.pid, 0)
            tracer = subprocess.Popen([GREEN, "trace", str(program.pid), "--seconds", "30", "-o",
                                       self.path], stderr=subprocess.PIPE, text=True)
            wait_until(lambda: memory(program.pid, 0) > before + RINGS)
            program.process.kill()
            program.process.wait()
            said = tracer.communicate(timeout=60)[1]
        self.assertEqual(tracer.returncode, 0)
        self.assertRegex(said, r"\d+ events of 1 process, ")
        Trace(self, self.path)

    def test_tracer_dies(self):
        with Observed(2) as program:
            before = memory(program.pid, 1)
            tracer = subprocess.Popen([GREEN, "trace", str(program.pid), "--seconds", "30",
                                       "--events", "100000000", "-o", self.path])
            wait_until(lambda: memory(program.pid, 1) > before + RINGS)
            tracer.kill()
            tracer.wait()
            # The process notes nothing any more once the lease is over, gives the rings' memory
            # back, and takes a new tracer.
            wait_until(lambda: memory(program.pid, 1) < before + RINGS / 2)
            self.check_again(program)

    def check_again(self, program):
        trace, _ = self.trace(program.pid, "--seconds", PATIENCE, "--events", 20000)
        self.assertGreater(trace.arrows["player", "player"], 100)

    def test_unwritable_file(self):
        with Observed(1) as program:
            result = self.green(program.pid, "--seconds", "0.1", "-o", "/nonexistent/t")
        self.assertEqual(result.returncode, 1)
        self.assertIn("green: can't write /nonexistent/t: No such file", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
