// green stacks PID [TID]: backtraces of tasks, like ones together.
#pragma once

#include "cli/command.h"

namespace green::cli {

Command AddStacks(CLI::App& green);

}  // namespace green::cli
