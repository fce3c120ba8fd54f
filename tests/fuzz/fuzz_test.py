#!/usr/bin/python3
"""Random sequences of system calls, natively and under libgreen: the same results.

A sequence that differs is tried again with much patience on both sides, as a loaded machine can
interrupt a call that was about to answer. What still differs is printed call by call, by its seed.
"""

import argparse
import difflib
import os
import subprocess
import sys

CHUNK = 500
PATIENCE_MS, MUCH_PATIENCE_MS = 8, 200


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lib", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--kinds", default="1,2,1:1", help="numbers of workers, or modes, in turn")
    return parser.parse_args()


class Fuzzer:
    def __init__(self, options):
        self.program = os.path.abspath(options.program)
        self.library = os.path.abspath(options.lib)

    def run(self, kind, first, count, *more):
        """The lines of stdout; no kind: natively."""
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("GREEN_") and k != "LD_PRELOAD"}
        if kind:
            setting = "GREEN_WORKERS" if kind.isdigit() else "GREEN_MODE"
            env.update({"LD_PRELOAD": self.library, "GREEN_LOG": "start", setting: kind})
        done = subprocess.run([self.program, str(first), str(count), *map(str, more)], env=env,
                              capture_output=True, text=True, errors="replace", timeout=600)
        if done.returncode != 0 or ("libgreen: started" in done.stderr) != bool(kind):
            sys.exit(f"seeds {first} to {first + count - 1}, {kind or 'natively'}: status "
                     f"{done.returncode}\n{done.stderr[-2000:]}")
        return done.stdout.splitlines()

    def differs_still(self, kind, seed):
        """The seed's calls on both sides, as a diff, or nothing."""
        native = self.run("", seed, 1, MUCH_PATIENCE_MS)
        if native == self.run(kind, seed, 1, MUCH_PATIENCE_MS):
            return []
        return list(difflib.unified_diff(
            self.run("", seed, 1, MUCH_PATIENCE_MS, "verbose"),
            self.run(kind, seed, 1, MUCH_PATIENCE_MS, "verbose"),
            "native", f"libgreen, {kind}", lineterm="", n=20))


def main():
    options = parse()
    fuzzer = Fuzzer(options)
    kinds = options.kinds.split(",")
    failed, again = 0, 0
    for first in range(options.first, options.first + options.count, CHUNK):
        count = min(CHUNK, options.first + options.count - first)
        native = fuzzer.run("", first, count, PATIENCE_MS)
        kind = kinds[first // CHUNK % len(kinds)]
        green = fuzzer.run(kind, first, count, PATIENCE_MS)
        if len(native) != count or len(green) != count:
            sys.exit(f"seeds from {first}: {len(native)} and {len(green)} lines instead of {count}")
        for seed, (a, b) in enumerate(zip(native, green), first):
            if a == b:
                continue
            again += 1
            difference = fuzzer.differs_still(kind, seed)
            if difference:
                failed += 1
                print(f"seed {seed}: other results than natively", *difference, sep="\n", flush=True)
            if failed >= 10:
                sys.exit("10 sequences differ")
    print(f"{options.count} sequences, {again} tried again, {failed} differ")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
