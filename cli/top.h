// green top PID: a live view of a process's tasks and workers.
#pragma once

#include "cli/command.h"

namespace green::cli {

Command AddTop(CLI::App& green);

}  // namespace green::cli
