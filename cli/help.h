// green help [COMMAND | env].
#pragma once

#include "cli/command.h"

namespace green::cli {

Command AddHelp(CLI::App& green);

std::string HelpOn(const CLI::App& line, const std::string& name);

}  // namespace green::cli
