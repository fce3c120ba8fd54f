#include "cli/compare/modes.h"

#include <algorithm>
#include <sstream>

#include "cli/preload.h"

namespace green::cli {

const std::vector<Mode>& Modes() {
  static const std::vector<Mode> modes = {{"native", ""}, {"1:1", "1:1"}, {"M:N", "mn"}};
  return modes;
}

Environment EnvironmentOf(const Mode& mode, const std::string& library,
                          const std::string& preloads) {
  const std::string others = WithoutLibrary(preloads);
  if (mode.value.empty()) {
    return {{"LD_PRELOAD", others.empty() ? std::nullopt : std::optional(others)}};
  }
  return {{"LD_PRELOAD", WithLibrary(preloads, library)},
          {"GREEN_MODE", mode.value},
          {"GREEN_LOG", "start"}};
}

LibraryLog ReadLibraryLog(const std::string& output) {
  constexpr std::string_view kPrefix = "libgreen: ";
  LibraryLog log;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(kPrefix)) continue;
    line.erase(0, kPrefix.size());
    if (line.starts_with("started")) {
      log.started = true;
    } else if (line.find("running natively") != line.npos) {
      if (!log.refusal) log.refusal = line;
    } else if (std::find(log.warnings.begin(), log.warnings.end(), line) == log.warnings.end()) {
      log.warnings.push_back(line);
    }
  }
  return log;
}

}  // namespace green::cli
