// One run of a program in one mode.
#pragma once

#include <string>
#include <vector>

#include "cli/compare/load_output.h"
#include "cli/compare/metrics.h"
#include "cli/compare/modes.h"
#include "cli/compare/plan.h"

namespace green::cli {

struct Run {
  Figures figures;
  std::string tool;  // That the throughput was read from.
  std::string unit;  // What it counts, and a single one: "queries", "query".
  std::string one;
  LibraryLog library;
  std::vector<std::string> notes;
};

// Starts everything, measures, ends everything. With a load the program is a server;
// without one it is run to its end. Throws Failure or Interrupted.
Run Measure(const Plan& plan, const Mode& mode);

}  // namespace green::cli
