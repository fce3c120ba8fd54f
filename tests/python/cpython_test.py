#!/usr/bin/python3
"""Runs files of CPython's own test suite natively and under libgreen, and compares case by case.

A case that passes or is skipped natively must not fail, hang or be missing under libgreen. One
that fails is tried once more, alone with its file: these tests count on the time of day.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

PYTHON = "/usr/bin/python3"


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lib", required=True)
    parser.add_argument("--workers", default="1,2,8")
    parser.add_argument("--timeout", type=int, default=900, help="seconds for one run of one file")
    parser.add_argument("--ignore", action="append", default=[], help="cases to leave out")
    parser.add_argument("files", nargs="+")
    return parser.parse_args()


def installed(name):
    return subprocess.run([PYTHON, "-c", f"import test.{name}"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def outcome(case):
    for bad in ("failure", "error"):
        if case.find(bad) is not None:
            return bad
    return "ok"


def run(name, options, extra):
    """(outcome by case, what went wrong with the run or None, its output)"""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GREEN_") and k != "LD_PRELOAD"}
    env.update(extra)
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        # A short path: sockets of the Unix domain are made in it. The shell is process 1 of the
        # namespace, which ends with everything in it.
        report, env["TMPDIR"] = os.path.join(home, "r.xml"), home
        command = ["timeout", "-s", "KILL", str(options.timeout)]
        if os.getuid() == 0 and shutil.which("unshare"):
            command += ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        # The variables are for Python alone.
        settings = [f"{k}={v}" for k, v in extra.items()]
        command += ["sh", "-c", '"$@"; exit $?', "sh", "env"] + settings
        command += [PYTHON, "-m", "test", "-u", "all,-largefile,-gui,-audio,-network",
                    "--junit-xml", report, "-v", name]
        for pattern in options.ignore:
            command += ["-i", pattern]
        for key in extra:
            del env[key]
        done = subprocess.run(command, cwd=home, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = done.stdout.decode(errors="replace")
        if not os.path.exists(report):
            last = output.rstrip().splitlines()[-1:] or [""]
            return {}, f"did not get to its end (status {done.returncode}): {last[0]}", output
        cases = {f"{case.get('classname', '')}.{case.get('name')}": outcome(case)
                 for case in ElementTree.parse(report).iter("testcase")}
        return cases, None, output


def regressions(native, green):
    return {case for case, result in native.items()
            if result == "ok" and green.get(case, "missing") != "ok"}


def compare(name, workers, native, options):
    """True when the file does as well as natively."""
    extra = {"LD_PRELOAD": os.path.abspath(options.lib), "GREEN_WORKERS": workers}
    cases, wrong, output = run(name, options, extra)
    worse = regressions(native, cases) if not wrong else set()
    if worse:
        again, wrong, output = run(name, options, extra)
        passed = worse - regressions(native, again)
        for case in sorted(passed):
            print(f"     {case}: {cases.get(case, 'missing')}, passed when run again")
        worse = regressions(native, again) if not wrong else set()
    bad = wrong or worse
    print(f"{'FAIL' if bad else 'ok  '} {name} GREEN_WORKERS={workers}: {len(cases)} cases",
          flush=True)
    if wrong:
        print("    ", wrong)
    for case in sorted(worse):
        print("    ", case)
    if bad:
        print(output[-8000:])
    return not bad


def main():
    options = parse()
    good = True
    for name in options.files:
        if not installed(name):
            print(f"skipped: test.{name} is not installed (Debian: libpython3.11-testsuite)")
            continue
        native, wrong, output = run(name, options, {})
        if wrong:
            print(output[-4000:])
            print(f"{name} natively: {wrong}")
            good = False
            continue
        bad = sorted(case for case, result in native.items() if result != "ok")
        print(f"native {name}: {len(native)} cases, {len(bad)} of them fail: {bad}", flush=True)
        for workers in options.workers.split(","):
            good &= compare(name, workers, native, options)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
