#include "cli/coverage_cases.h"

namespace green::cli {
namespace {

#define BLOCKS(function, system_call, prepare, call, release) {FAMILY, #function, #system_call},
#define LASTS(function, system_call, prepare, call) {FAMILY, #function, #system_call},
#define RUNS(function, system_call, prepare, call) {FAMILY, #function, #system_call},
constexpr CoverageCase kCases[] = {
#define FAMILY "ipc"
#include "tests/coverage/ipc.inc"
#undef FAMILY
#define FAMILY "libc_files"
#include "tests/coverage/libc_files.inc"
#undef FAMILY
#define FAMILY "locks"
#include "tests/coverage/locks.inc"
#undef FAMILY
#define FAMILY "names"
#include "tests/coverage/names.inc"
#undef FAMILY
#define FAMILY "pipes"
#include "tests/coverage/pipes.inc"
#undef FAMILY
#define FAMILY "processes"
#include "tests/coverage/processes.inc"
#undef FAMILY
#define FAMILY "signals"
#include "tests/coverage/signals.inc"
#undef FAMILY
#define FAMILY "slow_files"
#include "tests/coverage/slow_files.inc"
#undef FAMILY
#define FAMILY "sockets"
#include "tests/coverage/sockets.inc"
#undef FAMILY
#define FAMILY "waits"
#include "tests/coverage/waits.inc"
#undef FAMILY
};

}  // namespace

std::span<const CoverageCase> CoverageCases() { return kCases; }

}  // namespace green::cli
