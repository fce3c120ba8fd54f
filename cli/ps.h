// green ps PID: the tasks of a process, one a line.
#pragma once

#include "cli/command.h"

namespace green::cli {

Command AddPs(CLI::App& green);

}  // namespace green::cli
