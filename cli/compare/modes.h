// The ways to run a program that are compared.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/compare/children.h"

namespace green::cli {

struct Mode {
  std::string name;   // "native", "1:1", "M:N"
  std::string value;  // Of GREEN_MODE; empty: without libgreen.
};

const std::vector<Mode>& Modes();

// What a program needs in its environment to run in a mode. `library`: the path of
// libgreen.so; `preloads`: the user's own LD_PRELOAD.
Environment EnvironmentOf(const Mode& mode, const std::string& library,
                          const std::string& preloads);

struct LibraryLog {
  bool started = false;                // libgreen said so.
  std::optional<std::string> refusal;  // Why it left the program to run natively.
  std::vector<std::string> warnings;   // Its other lines.
};

// What libgreen said among a program's output.
LibraryLog ReadLibraryLog(const std::string& output);

}  // namespace green::cli
