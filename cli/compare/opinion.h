// What a comparison says, in one sentence.
#pragma once

#include <string>

#include "cli/compare/metrics.h"

namespace green::cli {

// Follows from the first metric (throughput, or the time of a program that is run to
// its end), and tells of CPU and of the highest percentile what they cost or bring.
// Differences that the spread of the runs may explain are called unclear.
std::string Opinion(const Comparison& comparison);

}  // namespace green::cli
