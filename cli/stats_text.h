// The counters of a snapshot in three forms.
#pragma once

#include <functional>
#include <string>

#include "inspect/snapshot.h"

namespace green::cli {

using Namer = std::function<std::string(uint64_t address)>;  // of a place in the program
std::string StatsForPeople(const inspect::Snapshot& s, const Namer& name);
std::string StatsAsJson(const inspect::Snapshot& s, const Namer& name);
// Prometheus' text format, version 0.0.4 (prometheus.io, "Exposition formats").
std::string StatsForPrometheus(const inspect::Snapshot& s);

// The delay below which `part` (0 to 1) of the sampled wake-ups ran, in us: a bucket's bound; -1
// without samples.
int64_t DelayQuantile(const inspect::Snapshot& s, double part);

}  // namespace green::cli
