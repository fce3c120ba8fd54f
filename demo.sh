#!/bin/bash
# Builds libgreen and shows ordinary thread programs with and without it.
set -euo pipefail
cd "$(dirname "$0")"
. tools/deps.sh
need_packages build demo
bazel build --noshow_progress --ui_event_filters=-info //:libgreen.so //:green //demo-apps/... >&2
exec /usr/bin/python3 demo-apps/demo.py "$@"
