#include "cli/command.h"

#include <cstdio>

namespace green::cli {

int UsageError(const std::string& text) {
  std::fprintf(stderr, "green: %s (see green --help)\n", text.c_str());
  return kUsageError;
}

}  // namespace green::cli
