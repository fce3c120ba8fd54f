#include "cli/compare/metrics.h"

#include <cmath>
#include <cstdio>

namespace green::cli {

std::string Figure(double value) {
  const double size = std::fabs(value);
  char text[64];
  const int digits = size >= 99.95 || size == 0 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  std::string figure = text;
  if (digits > 0) return figure;
  for (auto at = static_cast<int>(figure.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3) {
    figure.insert(static_cast<size_t>(at), 1, ',');
  }
  return figure;
}

std::string Times(double ratio) {
  char text[32];
  std::snprintf(text, sizeof text, ratio < 0.095 ? "%.3fx" : "%.2fx", ratio);
  return text;
}

std::optional<Summary> ModeRuns::Of(const std::string& key) const {
  std::vector<double> values;
  for (const Figures& run : runs) {
    if (const auto found = run.find(key); found != run.end()) values.push_back(found->second);
  }
  return Summarize(values);
}

}  // namespace green::cli
