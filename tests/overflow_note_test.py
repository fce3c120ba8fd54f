#!/usr/bin/python3
"""A stack overflow ends the program as natively, and one line says whose stack it was."""

import os
import re
import resource
import signal
import subprocess
import sys

LIBRARY, PROGRAM = map(os.path.abspath, sys.argv[1:3])
# In KiB; what libc keeps at the top of a thread's stack does not count.
SIZES = {"main": 8192, "c11": 8192, "thread": 256, "own": 256}
LINE = re.compile(rb'libgreen: thread (\d+) "([^"]*)" has overflowed its stack of (\d+) KiB\n')


def run(settings, *arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=100, check=False,
                          env=dict(os.environ, **settings))


def wrong(kind, how, settings):
    natively, got = run({}, kind, how), run(dict(settings, LD_PRELOAD=LIBRARY), kind, how)
    if natively.returncode != -signal.SIGSEGV or got.returncode != natively.returncode:
        return True
    line = LINE.fullmatch(got.stderr)
    name = PROGRAM.rsplit("/", 1)[1][:15].encode() if kind == "main" else b"deep?one"
    return not line or line[2] != name or not SIZES[kind] - 8 < int(line[3]) <= SIZES[kind]


resource.setrlimit(resource.RLIMIT_STACK, (8192 << 10, resource.getrlimit(resource.RLIMIT_STACK)[1]))
failed = [(kind, how, settings) for kind in SIZES for how in ("compute", "call")
          for settings in ({"GREEN_WORKERS": "1"}, {"GREEN_WORKERS": "2"}, {"GREEN_MODE": "1:1"})
          if wrong(kind, how, settings)]
for kind, how, settings in failed:
    print(kind, how, settings, run(dict(settings, LD_PRELOAD=LIBRARY), kind, how))
sys.exit(bool(failed))
