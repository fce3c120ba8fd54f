// The counters of a snapshot in three forms.
#pragma once

#include <string>
#include <vector>

#include "cli/blocked.h"
#include "inspect/snapshot.h"

namespace green::cli {

// A call that held a worker until the monitor found it.
struct FoundPlace {
  std::string call, from;
  bool seen;  // by libgreen, when the call began
  uint64_t times;
};

struct Stats {
  inspect::Snapshot s;
  std::vector<BlockedPlace> blocked;
  std::vector<FoundPlace> found;
};

// Reads symbols of a process that may be hostile: see inspect/guarded.h.
Stats TakeStats(const inspect::Target& target);

std::string StatsForPeople(const Stats& stats);
std::string StatsAsJson(const Stats& stats);
// Prometheus' text format, version 0.0.4 (prometheus.io, "Exposition formats").
std::string StatsForPrometheus(const Stats& stats);

// The delay below which `part` (0 to 1) of the sampled wake-ups ran, in us: a bucket's bound; -1
// without samples.
int64_t DelayQuantile(const inspect::Snapshot& s, double part);

}  // namespace green::cli
