#!/bin/bash
# Checks the layout of all sources, and with --tidy also runs clang-tidy on them.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v clang-format >/dev/null || {
  echo "libgreen: install what is missing first: apt-get install clang-format clang-tidy" >&2
  exit 1
}

git ls-files -z '*.cc' '*.c' '*.h' | xargs -0 clang-format --dry-run -Werror

if [ "${1:-}" = --tidy ]; then
  git ls-files -z '*.cc' ':!bench' ':!demo-apps' ':!tests' |
    xargs -0 -n 8 sh -c 'clang-tidy --quiet "$@" -- -std=c++20 -x c++ -I.' tidy
fi
