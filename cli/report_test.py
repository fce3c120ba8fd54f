#!/usr/bin/python3
"""The report at exit: what it tells, and that every way of ending tells it once."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

from green_command import GreenTest, environment

GREEN, LIBRARY, REPORTED = [os.path.abspath(path) for path in sys.argv[1:4]]


class ReportTest(GreenTest):
    GREEN = GREEN
    FUTEX_WAITS = (("sem_wait", "await_semaphore"), ("pthread_join", "main"),
                   ("pthread_cond_wait", "await_condition"), ("pthread_barrier_wait", "meet"),
                   ("pthread_rwlock_rdlock", "read_shared"),
                   ("pthread_rwlock_wrlock", "write_shared"))

    def report(self, end, status, workers=2, library=LIBRARY):
        result = self.green("run", "--report", "--workers", str(workers), "--", REPORTED, end,
                            GREEN_LIBRARY=library)
        self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
        lines = result.stderr.splitlines()
        for line in lines:
            self.assertTrue(line.startswith("libgreen: report: "), line)
        return [line.removeprefix("libgreen: report: ") for line in lines]

    def check(self, lines):
        text = "\n".join(lines)
        self.assertEqual(text.count(" threads created, on "), 1)
        self.assertRegex(lines[0], r"process \d+ ran .* with 16 threads created, on \d+ workers?$")
        self.assertRegex(text, r"waits for mutexes:\n  \d+ times, [\d.]+ m?s, from take_mutex \(")
        for call, place in self.FUTEX_WAITS:
            self.assertRegex(text, rf"\n  \d+ times?, [\d.]+ m?s, {call}, from {place} \(")
        self.assertRegex(text, r"  \d times?, \d+ ms, flock, from lock_file \(")
        self.assertRegex(text, r"\ndeepest stack seen in a wait: \d+ KiB, thread ")
        advice = [line for line in lines if line.startswith("advice: ")]
        self.assertTrue(any("more than one thread waits for a lock" in line for line in advice))
        return text

    def test_workers(self):
        for workers in (1, 2, 8):
            with self.subTest(workers=workers):
                self.check(self.report("return", 7, workers))

    def test_library_of_another_name_in_a_deep_folder(self):
        folder = os.path.join(self.home, "a" * 200, "b" * 200)
        os.makedirs(folder)
        text = self.check(self.report("return", 7, 1, shutil.copy(LIBRARY, folder + "/g.so")))
        self.assertNotIn("green_", text)

    def test_what_libgreen_did_not_see(self):
        text = self.check(self.report("return", 7, 1))
        unseen = text.split("without libgreen's knowing")[1]
        self.assertRegex(unseen, r"  \d+ times?, nanosleep, from sleep_unseen \(")
        self.assertIn("advice: some calls are not seen by libgreen", unseen)

    def test_stats_show_it_too(self):
        env = environment({"LD_PRELOAD": LIBRARY, "GREEN_WORKERS": "1"})
        with subprocess.Popen([REPORTED], env=env) as program:
            blocked, end = [], time.monotonic() + 20
            while not blocked and time.monotonic() < end:
                stats = self.green("stats", str(program.pid), "--json")
                if stats.returncode == 0:
                    blocked = [site for site in json.loads(stats.stdout)["blocked"]
                               if site["from"] == "sleep_unseen"]
        self.assertEqual([(site["call"], site["seen"]) for site in blocked],
                         [("nanosleep", False)])

    def check_time_blocked(self, **settings):
        env = environment({"LD_PRELOAD": LIBRARY, **settings})
        with subprocess.Popen([REPORTED, "stay"], env=env, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as program:
            self.assertEqual(program.stdout.readline(), b"all joined\n")
            stats = self.green("stats", str(program.pid), "--json")
            text = self.green("stats", str(program.pid)).stdout
            exposed = self.green("stats", str(program.pid), "--prometheus").stdout
            top = self.green("top", "--count=1", "--interval=0.1", str(program.pid))
        blocked = {(site["call"], site["from"]): site["ms"]
                   for site in json.loads(stats.stdout)["time_blocked"]}
        waits = [*self.FUTEX_WAITS, ("mutex", "take_mutex"), ("clock_nanosleep", "tell")]
        if settings.get("GREEN_MODE") != "1:1":  # where the kernel has them wait
            waits.append(("flock", "lock_file"))
        for wait in waits:
            # Each lasts 28 ms at the least, less what the samples put down to others.
            self.assertGreater(blocked.get(wait, 0), 12, (wait, blocked))
        self.assertRegex(text, r"\n +\d+\.\d{3} s  mutex, from take_mutex\n")
        for call, place in waits:
            self.assertRegex(exposed, rf'\ngreen_blocked_seconds_total{{call="{call}",'
                                      rf'from="{place}"}} \d+\.\d{{3}}\n')
        self.assertEqual((top.returncode, top.stderr), (0, ""))
        return blocked

    def test_time_blocked_is_always_counted(self):
        for settings in {"GREEN_WORKERS": "1"}, {"GREEN_WORKERS": "2"}, {"GREEN_WORKERS": "8"}:
            with self.subTest(**settings):
                self.check_time_blocked(**settings)

    def test_every_end(self):
        for end, status in (("_exit", 7), ("pthread_exit", 0), ("abort", -signal.SIGABRT),
                            ("term", -signal.SIGTERM), ("fork", 7)):
            with self.subTest(end=end):
                self.check(self.report(end, status))

    def test_silent_without_it(self):
        result = self.green("run", "--", REPORTED, GREEN_LIBRARY=LIBRARY)
        self.assertEqual((result.returncode, result.stderr), (7, ""))

    def test_bad_value(self):
        result = self.green("run", "--", REPORTED, GREEN_LIBRARY=LIBRARY, GREEN_REPORT="yes")
        self.assertEqual(result.returncode, 7)
        self.assertRegex(result.stderr, r"\Alibgreen: GREEN_REPORT=yes: must be 0 or 1; [^\n]*\n\Z")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
