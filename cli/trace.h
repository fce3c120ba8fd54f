// green trace: what the scheduler of a process does, as a timeline.
#pragma once

#include "cli/command.h"

namespace green::cli {

Command AddTrace(CLI::App& green);

}  // namespace green::cli
