// What is measured of each run, and how it is shown.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/compare/statistics.h"

namespace green::cli {

// One run: the key of each metric to its figure.
using Figures = std::map<std::string, double>;

struct Metric {
  std::string key;    // "rate", "p99_ms": also the name in the JSON.
  std::string title;  // "requests/s"
  bool more_is_better = false;
};

// "1.23", "45.6", "789", "12,345": three digits, or all of those before the point.
std::string Figure(double value);

// "1.62x", "0.034x".
std::string Times(double ratio);

struct ModeRuns {
  std::string mode;
  std::vector<Figures> runs;

  // Of the runs that have the metric.
  std::optional<Summary> Of(const std::string& key) const;
};

struct Comparison {
  std::string command;
  std::string load;
  std::string tool;     // That the throughput was read from.
  std::string machine;  // CPUs, kernel.
  std::string date;
  int wanted_runs = 0;
  std::vector<Metric> metrics;
  std::vector<ModeRuns> modes;  // That ran; the first is the base of the ratios.
  std::vector<std::pair<std::string, std::string>> unavailable;  // Mode, why.
  std::vector<std::string> notes;
};

}  // namespace green::cli
