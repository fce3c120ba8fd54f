#include "cli/compare/statistics.h"

#include <algorithm>

namespace green::cli {

double Summary::Spread() const { return median > 0 ? (most - least) / 2 / median : 0; }

std::optional<Summary> Summarize(std::vector<double> runs) {
  if (runs.empty()) return {};
  std::sort(runs.begin(), runs.end());
  const size_t middle = runs.size() / 2;
  const double median = runs.size() % 2 ? runs[middle] : (runs[middle - 1] + runs[middle]) / 2;
  return Summary{median, runs.front(), runs.back(), static_cast<int>(runs.size())};
}

Difference Compare(const Summary& base, const Summary& other) {
  constexpr double kNegligible = 0.02;
  if (base.runs < 2 || other.runs < 2) return Difference::kUnclear;
  if (other.most < base.least && other.median < base.median * (1 - kNegligible)) {
    return Difference::kLess;
  }
  if (other.least > base.most && other.median > base.median * (1 + kNegligible)) {
    return Difference::kMore;
  }
  return Difference::kUnclear;
}

std::optional<double> Ratio(const Summary& base, const Summary& other) {
  if (base.median <= 0) return {};
  return other.median / base.median;
}

}  // namespace green::cli
