// green syscalls [CALL] [--json | --markdown].
#pragma once

#include "cli/command.h"

namespace green::cli {

Command AddSyscalls(CLI::App& green);

}  // namespace green::cli
