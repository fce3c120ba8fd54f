// The GREEN_* settings as options of a command.
#pragma once

#include <CLI/CLI.hpp>
#include <string_view>

namespace green::cli {

// One option per setting but `without`; its value goes into the environment as it is
// parsed.
void AddSettings(CLI::App* line, std::string_view without = {});

}  // namespace green::cli
