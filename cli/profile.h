// green profile PID or green profile -- ./app: where a process's tasks run, or wait.
#pragma once

#include "cli/command.h"

namespace green::cli {

Command AddProfile(CLI::App& green);

}  // namespace green::cli
