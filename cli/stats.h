// green stats PID: the counters of a process, once or served to others.
#pragma once

#include "cli/command.h"

namespace green::cli {

Command AddStats(CLI::App& green);

}  // namespace green::cli
