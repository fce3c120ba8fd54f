#!/usr/bin/python3
"""Prints "N passed, N failed" from the build events that Bazel wrote.

A test that could not be built, timed out or was not run has failed. So has the
whole when there is not one test.
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
    bad = len(failed) or (0 if passed else 1)
    print(f"{passed} passed, {bad} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
