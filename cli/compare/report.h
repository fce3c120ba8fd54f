// A comparison as a table, as JSON and as a page for a browser.
#pragma once

#include <string>

#include "cli/compare/metrics.h"

namespace green::cli {

// Medians, with what the runs spread around them and the ratios to the first mode;
// below it what could not run, notes, and the opinion. `colour`: with escape sequences.
std::string TextReport(const Comparison& comparison, bool colour);

// One object; every run's figures are in it.
std::string JsonReport(const Comparison& comparison);

// A page that needs nothing else: plots of every run, the table, and the JSON.
std::string HtmlReport(const Comparison& comparison);

}  // namespace green::cli
