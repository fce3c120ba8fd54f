#include "cli/command.h"

#include <cstdio>

namespace green::cli {

std::optional<int> AsPid(const std::vector<std::string>& words) {
  if (words.size() != 1 || words[0].size() > 9 ||
      words[0].find_first_not_of("0123456789") != std::string::npos)
    return {};
  return std::stoi(words[0]);
}

int UsageError(const std::string& text) {
  std::fprintf(stderr, "green: %s (see green --help)\n", text.c_str());
  return kUsageError;
}

}  // namespace green::cli
