#!/bin/bash
# Builds libgreen and runs its tests. The last line is "N passed, N failed".
#
#   ./test.sh                  the everyday suite
#   ./test.sh --config=all     the long tests too; any option of `bazel test` works
set -uo pipefail
cd "$(dirname "$0")" || exit 1
. tools/deps.sh
need_packages build test || exit 1

bazel build --noshow_progress //:libgreen.so //:green || {
  echo "0 passed, 1 failed"
  exit 1
}

events=$(mktemp)
trap 'rm -f "$events"' EXIT
bazel test --noshow_progress --keep_going --build_event_json_file="$events" "$@" //...
/usr/bin/python3 tools/count_tests.py "$events" $?
