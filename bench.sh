#!/bin/bash
# Builds libgreen and measures it against native threads in the same run.
set -euo pipefail
cd "$(dirname "$0")"
. tools/deps.sh
need_packages build bench
bazel build --noshow_progress --ui_event_filters=-info \
  //:libgreen.so //:green //bench/... //demo-apps/... >&2
# Google Benchmark's own program, with its own options.
if [ "${1-}" = in-process ]; then
  shift
  exec bazel-bin/bench/in_process "$@"
fi
exec /usr/bin/python3 bench/bench.py "$@"
