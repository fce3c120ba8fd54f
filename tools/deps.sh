# shellcheck shell=bash
# Sourced by the scripts at the root. Brings in the Debian packages that they need.
#
#   need_packages GROUP...    build, test, demo, demo-fanout, demo-web, bench

packages_of() {
  case $1 in
    build)
      echo g++ binutils python3 bazel-bootstrap bazel-skylib bazel-platforms bazel-rules-java \
        bazel-rules-proto libboost-context-dev libunwind-dev liblzma-dev libgtest-dev \
        libgmock-dev libbenchmark-dev libcli11-dev nlohmann-json3-dev libzydis-dev systemtap-sdt-dev
      ;;
    test)
      echo gdb linux-perf util-linux procps xz-utils pigz memcached tinyproxy-bin groff-base zsh \
        fish
      ;;
    demo) echo python3 util-linux procps ;;
    demo-fanout) echo libmariadb-dev mariadb-server ;;
    demo-web) echo wrk ;;
    bench) echo python3 util-linux procps ;;
  esac
}

missing_packages() {
  local package
  for package in "$@"; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
      "install ok installed") ;;
      *) echo "$package" ;;
    esac
  done
}

need_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "libgreen: this script needs Debian 12 (dpkg and apt-get)" >&2
    return 1
  fi
  local group wanted=() missing root=()
  for group in "$@"; do
    # Word splitting makes the list.
    # shellcheck disable=SC2207
    wanted+=($(packages_of "$group"))
  done
  mapfile -t missing < <(missing_packages "${wanted[@]}" | sort -u)
  [ ${#missing[@]} -eq 0 ] && return 0

  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      echo "libgreen: install what is missing first: apt-get install ${missing[*]}" >&2
      return 1
    fi
    root=(sudo -n)
  fi
  echo "Installing ${missing[*]}"
  local log
  log=$(mktemp)
  if ! "${root[@]}" apt-get -qq update >"$log" 2>&1 </dev/null ||
    ! "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
      install "${missing[@]}" >>"$log" 2>&1 </dev/null; then
    tail -n 5 "$log" >&2
    rm -f "$log"
    echo "libgreen: apt-get could not install: ${missing[*]}" >&2
    return 1
  fi
  rm -f "$log"
}
