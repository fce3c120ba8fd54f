#!/usr/bin/python3
"""perf's stacks, which are unwound from copies of the stacks and from the files alone; and that
`green profile` says of a program what perf says."""

import collections
import math
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

LIBRARY, PROGRAM, GREEN, SHARES = map(os.path.abspath, sys.argv[1:5])
ENDS = ("main", "start_thread", "green_clone_carrier", "green_context_entry")


FUNCTIONS = ("most", "some", "least")
HZ, SECONDS = 199, 6


class Perf(unittest.TestCase):
    def skip_if_refused(self, stderr):
        if "erf_event_open" in stderr or "No permission" in stderr:
            self.skipTest(f"perf_event_open is not permitted: {stderr}")

    def start(self, path, workers):
        """A program that runs under libgreen until the test ends, once it has threads."""
        program = subprocess.Popen([path], env=dict(os.environ, LD_PRELOAD=LIBRARY,
                                                    GREEN_WORKERS=str(workers)))
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        while program.poll() is None and subprocess.run(
                [GREEN, "stats", str(program.pid)], capture_output=True, check=False).returncode:
            time.sleep(0.05)
        return program.pid

    # By process id: of a command that execs, perf 6.1 takes the maps of both programs for one, and
    # then finds no unwind tables of libc if the first one's lies below the other's.
    def record(self, pid, hz, seconds, data, *more):
        return subprocess.Popen(
            ["perf", "record", "-q", "-e", "cpu-clock:u", "-F", str(hz), "-o", data, *more, "-p",
             str(pid), "--", "sleep", str(seconds)], stderr=subprocess.PIPE, text=True)

    def test_stacks_reach_their_ends(self):
        pid = self.start(PROGRAM, 1)
        with tempfile.TemporaryDirectory() as home:
            data = os.path.join(home, "perf.data")
            perf = self.record(pid, 499, 2, data, "--call-graph", "dwarf,4096")
            stderr = perf.communicate(timeout=120)[1]
            self.skip_if_refused(stderr)
            self.assertEqual(perf.returncode, 0, stderr)
            script = subprocess.run(["perf", "script", "-i", data, "-F", "comm,ip,sym"],
                                    capture_output=True, text=True, timeout=300).stdout
        stacks = [s for s in script.split("\n\n") if "green_slots" in s]
        self.assertGreater(len(stacks), 20)
        lost = [s for s in stacks if not re.search("|".join(ENDS), s)]
        self.assertLessEqual(len(lost), len(stacks) // 20, "\n\n".join(lost[:5]))

    def shares_by_perf(self, data):
        script = subprocess.run(["perf", "script", "-i", data, "-F", "ip,sym"], capture_output=True,
                                text=True, timeout=300).stdout
        return collections.Counter(line.split()[-1] for line in script.splitlines() if line)

    def shares_by_green(self, folded):
        shares = collections.Counter()
        for line in folded.splitlines():
            path, _, weight = line.rpartition(" ")
            shares[path.split(";")[-1]] += int(weight)
        return shares

    def test_green_profile_agrees(self):
        pid = self.start(SHARES, 2)
        with tempfile.TemporaryDirectory() as home:
            data = os.path.join(home, "perf.data")
            perf = self.record(pid, HZ, SECONDS, data)
            green = subprocess.run([GREEN, "profile", "--hz", str(HZ), "--seconds", str(SECONDS),
                                    str(pid)], capture_output=True, text=True, timeout=120)
            stderr = perf.communicate(timeout=120)[1]
            self.skip_if_refused(stderr)
            self.assertEqual((perf.returncode, green.returncode), (0, 0), stderr + green.stderr)
            by_perf, by_green = self.shares_by_perf(data), self.shares_by_green(green.stdout)
        looks = int(re.search(r"(\d+) looks", green.stderr)[1])
        self.assertGreater(min(looks, by_perf.total()), 100, green.stderr)
        for name in FUNCTIONS:
            perfs, greens = by_perf[name] / by_perf.total(), by_green[name] / by_green.total()
            # Five standard deviations of the difference of two counts of samples.
            error = 5 * math.sqrt(perfs * (1 - perfs) * (1 / by_perf.total() + 1 / looks))
            self.assertAlmostEqual(perfs, greens, delta=error, msg=f"{name}: {green.stderr}")
            self.assertGreater(greens, 0.1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
