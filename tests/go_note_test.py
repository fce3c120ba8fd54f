#!/usr/bin/python3
"""Beside Go's runtime libgreen leaves the program alone, and one line says why."""

import os
import subprocess
import sys

LIBRARY, PROGRAM = map(os.path.abspath, sys.argv[1:3])
LINE = (b"libgreen: the program has Go code, which schedules its threads by itself; "
        b"running natively\n")

run = subprocess.run([PROGRAM], capture_output=True, env=dict(os.environ, LD_PRELOAD=LIBRARY),
                     timeout=50, check=False)
print(run)
sys.exit((run.returncode, run.stdout, run.stderr) != (0, b"a thread\n" * 2, LINE))
