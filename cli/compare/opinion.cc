#include "cli/compare/opinion.h"

namespace green::cli {
namespace {

std::string Sentence(std::string start, const std::string& end) {
  start += end;
  start += '.';
  return start;
}

// "0.61x the CPU us/request", or nothing where the metric is missing.
std::string Against(const ModeRuns& base, const ModeRuns& other, const Metric& metric) {
  const auto from = base.Of(metric.key), to = other.Of(metric.key);
  if (!from || !to) return {};
  const auto ratio = Ratio(*from, *to);
  return ratio ? Times(*ratio) + " the " + metric.title : std::string();
}

// The metrics that a reader asks for next: CPU and the highest percentile.
std::string Besides(const Comparison& all, const ModeRuns& base, const ModeRuns& other) {
  std::string cpu, tail;
  for (const Metric& metric : all.metrics) {
    if (&metric == &all.metrics.front()) continue;
    if (metric.key.starts_with("cpu")) cpu = Against(base, other, metric);
    if (metric.key.starts_with("p") && metric.key.ends_with("_ms")) {
      const std::string now = Against(base, other, metric);
      if (!now.empty()) tail = now;  // They are in order: the highest stays.
    }
  }
  if (cpu.empty() || tail.empty()) return cpu + tail;
  return cpu + " and " + tail;
}

bool IsBetter(const Metric& metric, const Summary& than, const Summary& other) {
  return metric.more_is_better ? other.median > than.median : other.median < than.median;
}

// +1: better than the base, -1: worse, 0: unclear.
int Verdict(const Metric& metric, const Summary& base, const Summary& other) {
  const Difference difference = Compare(base, other);
  if (difference == Difference::kUnclear) return 0;
  return (difference == Difference::kMore) == metric.more_is_better ? 1 : -1;
}

}  // namespace

std::string Opinion(const Comparison& comparison) {
  if (comparison.modes.size() < 2 || comparison.metrics.empty()) {
    return "Only one mode ran, so there is nothing to compare.";
  }
  const Metric& metric = comparison.metrics.front();
  const ModeRuns& base = comparison.modes.front();
  const auto from = base.Of(metric.key);
  const ModeRuns* best = &base;
  const ModeRuns* worst = nullptr;
  bool single = !from || from->runs < 2;
  for (const ModeRuns& mode : comparison.modes) {
    const auto to = mode.Of(metric.key);
    if (&mode == &base || !from || !to) continue;
    single |= to->runs < 2;
    const int verdict = Verdict(metric, *from, *to);
    if (verdict < 0) worst = &mode;
    // Of several that are clearly better, the one with the better median.
    if (verdict > 0 && (best == &base || IsBetter(metric, *best->Of(metric.key), *to)))
      best = &mode;
  }
  if (single) return "One run of each mode cannot tell a difference from chance: ask for more.";
  if (best != &base) {
    const std::string besides = Besides(comparison, base, *best);
    return Sentence(best->mode + " is better for this program: " + Against(base, *best, metric) +
                        " of " + base.mode,
                    besides.empty() ? "" : ", at " + besides);
  }
  if (worst) {
    const std::string besides = Besides(comparison, base, *worst);
    return Sentence(base.mode + " is better for this program: " + worst->mode + " has " +
                        Against(base, *worst, metric),
                    besides.empty() ? "" : ", at " + besides);
  }
  return "No mode is clearly better: the runs of one overlap with those of the others in " +
         metric.title + ".";
}

}  // namespace green::cli
