#!/bin/bash
# Builds libgreen and shows ordinary thread programs with and without it.
#
#   ./demo.sh            the echo server, side by side (demo-apps/demo.py)
#   ./demo.sh NAME...    other programs: fanout, web, find, stat, threads, hog, mapped; all
set -euo pipefail
cd "$(dirname "$0")"
. tools/deps.sh
groups=(build demo)
targets=(//:libgreen.so //:green //demo-apps/...)
script=demo-apps/demo.py
case ${1:--} in
  -*) ;;
  *)
    script=demo-apps/demos.py
    targets+=(//bench:sleeper //bench:stat_tree //bench:stuck)
    for name; do
      case $name in
        fanout | all)
          groups+=(demo-fanout)
          targets+=(//demo-apps:mysql-fanout)
          ;;&
        web | all) groups+=(demo-web) ;;
      esac
    done
    ;;
esac
need_packages "${groups[@]}"
bazel build --noshow_progress --ui_event_filters=-info "${targets[@]}" >&2
exec /usr/bin/python3 "$script" "$@"
