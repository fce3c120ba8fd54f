// green compare: which way of running a program is better.
#pragma once

#include "cli/command.h"

namespace green::cli {

Command AddCompare(CLI::App& green);

}  // namespace green::cli
