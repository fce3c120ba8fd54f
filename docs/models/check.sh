#!/bin/sh
# Checks every model, and that each finds the bug it was written for. Needs spin and gcc.
# Usage: docs/models/check.sh
set -e
models=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
check() {  # model, BUGGY, errors expected
  spin -a "-DBUGGY=$2" "$models/$1.pml" > spin.out
  gcc -O2 -w -DSAFETY -o pan pan.c
  ./pan -m1000000 > pan.out
  grep -q "errors: $3" pan.out || { echo "$1 BUGGY=$2: not as expected"; cat pan.out; exit 1; }
  echo "$1 BUGGY=$2: $(grep 'states, stored' pan.out | tr -s ' '), errors: $3"
}
for model in park bound futex idle retake reactor drained notice pass_on; do
  check $model 0 0
  check $model 1 1
done
