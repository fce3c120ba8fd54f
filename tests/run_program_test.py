#!/usr/bin/python3
"""The runner of the program tests must find what is wrong, and nothing else."""

import os
import subprocess
import sys
import time
import unittest

RUNNER, LIBRARY = [os.path.abspath(path) for path in sys.argv[1:3]]
STARTS = 'test -z "$LD_PRELOAD" || echo "libgreen: started" >&2; '


def run(script, *options):
    result = subprocess.run(
        [RUNNER, f"--lib={LIBRARY}", "--timeout=1", "--workers=1,2", *options, "--", "/bin/sh",
         "-c", STARTS + script],
        capture_output=True, text=True, timeout=60)
    return result.returncode, result.stdout + result.stderr


class RunnerTest(unittest.TestCase):
    def test_passes_what_behaves_as_natively(self):
        status, said = run("echo same")
        self.assertEqual(status, 0, said)
        self.assertEqual(said.count("ok  "), 3, said)

    def test_gives_the_number_of_workers_and_no_stray_settings(self):
        status, said = run('test "$GREEN_WORKERS" = 7', "--no-native", "--workers=7")
        self.assertEqual(status, 0, said)
        os.environ["GREEN_STACK"] = "1"
        self.addCleanup(os.environ.pop, "GREEN_STACK")
        status, said = run('test -z "$GREEN_STACK" && test "$EXTRA" = "a b"', "--env=EXTRA=a b")
        self.assertEqual(status, 0, said)

    def test_finds_another_output(self):
        status, said = run('echo "$GREEN_WORKERS"')
        self.assertEqual(status, 1)
        self.assertIn("something else than the native run", said)
        self.assertEqual(run('echo "$GREEN_WORKERS"', "--no-compare-stdout")[0], 0)

    def test_finds_another_status(self):
        status, said = run('echo why >&2; test "$GREEN_WORKERS" != 2')
        self.assertEqual(status, 1)
        self.assertIn("ended with 1, not with 0", said)
        self.assertIn("why", said)
        self.assertEqual(run("kill -ABRT $$", "--expect-status=-6")[0], 0)

    def test_finds_a_libgreen_that_is_not_active(self):
        quiet = ("--expect-start=yes", "--", "/bin/true")
        result = subprocess.run([RUNNER, f"--lib={LIBRARY}", "--workers=1", *quiet],
                                capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("libgreen was not active", result.stdout)

    def test_finds_a_libgreen_that_started_without_need(self):
        self.assertEqual(run("true", "--expect-start=no")[0], 1)
        self.assertEqual(run("true", "--expect-start=any")[0], 0)

    def test_blames_a_test_that_fails_natively(self):
        status, said = run("false")
        self.assertEqual(status, 1)
        self.assertIn("the test itself is wrong", said)

    def test_ends_a_run_that_hangs_and_shows_where(self):
        begin = time.monotonic()
        status, said = run('test -z "$LD_PRELOAD" || sleep 1000', "--workers=1")
        self.assertEqual(status, 1)
        self.assertLess(time.monotonic() - begin, 40)
        self.assertIn("did not end within 1 s", said)
        self.assertIn("threads of process", said)

    def test_leaves_nothing_behind(self):
        mark = f"9{os.getpid()}"
        self.assertEqual(run(f"sleep {mark} & true")[0], 0)
        running = subprocess.run(["pgrep", "-f", f"^sleep {mark}"], capture_output=True, text=True)
        self.assertEqual(running.stdout, "")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
