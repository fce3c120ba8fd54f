// green completion SHELL, green man: what a shell and man(1) want to know of green.
#pragma once

#include "cli/command.h"

namespace green::cli {

Command AddCompletion(CLI::App& green);
Command AddMan(CLI::App& green);

}  // namespace green::cli
