#include "cli/observe.h"

#include <cstdio>

namespace green::cli {

std::unique_ptr<inspect::Target> OpenTarget(int pid) {
  std::string error;
  auto target = inspect::Target::Open(pid, &error);
  if (!target) std::fprintf(stderr, "green: %s\n", error.c_str());
  return target;
}

std::string Span(int64_t ms) {
  char text[32];
  if (ms < 0) return "-";
  if (ms < 1000)
    std::snprintf(text, sizeof text, "%ld ms", ms);
  else if (ms < 100'000)
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(ms) / 1000);
  else
    std::snprintf(text, sizeof text, "%ld min", ms / 60'000);
  return text;
}

std::string Fit(const std::string& text, size_t width) {
  std::string out = text.substr(0, width);
  out.resize(width, ' ');
  return out;
}

}  // namespace green::cli
