#!/usr/bin/python3
"""Under valgrind the program runs natively, and one line says why. Passes without valgrind."""

import os
import shutil
import subprocess
import sys

LIBRARY, PROGRAM = map(os.path.abspath, sys.argv[1:3])
LINE = b"libgreen: valgrind runs the program; running natively\n"

if not shutil.which("valgrind"):
    print("valgrind is not installed")
    sys.exit(0)
run = subprocess.run(["valgrind", "-q", "--error-exitcode=9", PROGRAM], capture_output=True,
                     env=dict(os.environ, LD_PRELOAD=LIBRARY))
print(run)
sys.exit(run.returncode != 0 or LINE not in run.stderr)
