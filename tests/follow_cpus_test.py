#!/usr/bin/python3
"""Workers follow the CPUs that the process may use, changed from inside and from outside."""

import json
import os
import subprocess
import sys
import time
import unittest

GREEN, LIBRARY, PROGRAM = [os.path.abspath(path) for path in sys.argv[1:4]]
PATIENCE = 20
CPUS = sorted(os.sched_getaffinity(0))[:2]
ONE = f"{1 << CPUS[0]:x}"
TWO = f"{sum(1 << cpu for cpu in CPUS):x}"


class Program:
    def __init__(self, mask, **settings):
        env = {k: v for k, v in os.environ.items() if not k.startswith("GREEN_")}
        env.update(LD_PRELOAD=LIBRARY, **settings)
        self.process = subprocess.Popen(["taskset", mask, PROGRAM], env=env, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = str(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def say(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ok\n", "the program ended"

    def workers(self):
        result = subprocess.run([GREEN, "stats", self.pid, "--json"], capture_output=True,
                                text=True, timeout=60)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)["employed_workers"]

    def taskset(self, *words):
        subprocess.run(["taskset", *words, self.pid], check=True, stdout=subprocess.DEVNULL)


@unittest.skipIf(len(CPUS) < 2, "one CPU")
class FollowCpusTest(unittest.TestCase):
    def assert_workers(self, program, wanted):
        program.say("grow")
        end = time.monotonic() + PATIENCE
        while program.workers() != wanted and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(program.workers(), wanted)
        program.say("grow")

    def test_taskset_from_outside(self):
        with Program(TWO) as program:
            self.assert_workers(program, 2)
            for options in (["-p"], ["-a", "-p"]):
                for _ in range(3):
                    program.taskset(*options, ONE)
                    self.assert_workers(program, 1)
                    program.taskset(*options, TWO)
                    self.assert_workers(program, 2)

    def test_more_than_at_the_start(self):
        for _ in range(5):
            with Program(ONE) as program:
                self.assert_workers(program, 1)
                program.taskset("-p", TWO)
                self.assert_workers(program, 2)

    def test_the_program_itself(self):
        with Program(TWO) as program:
            for _ in range(3):
                program.say("pin " + ONE)
                self.assert_workers(program, 1)
                program.say("pin " + TWO)
                self.assert_workers(program, 2)

    def test_a_number_that_was_asked_for_stays(self):
        with Program(TWO, GREEN_WORKERS="3") as program:
            program.say("grow")
            for mask in (ONE, TWO):
                program.taskset("-p", mask)
                time.sleep(0.3)
                self.assert_workers(program, 3)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
