#!/usr/bin/python3
"""Prints "N passed, N failed" from the build events that Bazel wrote.

    count_tests.py EVENTS STATUS

A test that could not be built, timed out or was not run has failed. When Bazel's
own STATUS is not 0 and no test is to blame, a package could not be read: that
counts as one failure, and so does a run without a single test.
"""

import json
import sys


def label(event_id):
    return event_id.get("label", "")


def count(lines):
    verdicts = {}
    for line in lines:
        event = json.loads(line)
        kind = event["id"]
        if "testSummary" in kind:
            status = event.get("testSummary", {}).get("overallStatus", "NO_STATUS")
            verdicts[label(kind["testSummary"])] = status
        elif "targetCompleted" in kind and not event.get("completed", {}).get("success"):
            verdicts.setdefault(label(kind["targetCompleted"]), "NOT_BUILT")
        elif "aborted" in event:
            for value in kind.values():
                if isinstance(value, dict) and value.get("label"):
                    verdicts.setdefault(value["label"], "ABORTED")
    return verdicts


def main():
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            verdicts = count(file)
    except OSError:
        verdicts = {}
    failed = sorted(name for name, status in verdicts.items() if status != "PASSED")
    for name in failed:
        print(f"{verdicts[name]:12} {name}")
    passed = len(verdicts) - len(failed)
    bad = len(failed)
    if not bad and (sys.argv[2] != "0" or not passed):
        bad = 1
    print(f"{passed} passed, {bad} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
