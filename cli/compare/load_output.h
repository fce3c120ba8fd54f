// What a load generator printed: throughput, count and latency percentiles.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace green::cli {

struct LoadResult {
  std::string tool;                  // "wrk", "ab", ...; "metric" for --metric.
  std::string unit;                  // What is counted: "requests", "queries", "operations";
  std::string one;                   // and a single one of it.
  double rate = 0;                   // Per second, as the tool gives it.
  std::optional<double> count;       // How many there were, if the tool says it.
  std::map<double, double> latency;  // Percentile (50, 99, 99.9) to milliseconds.
  double errors = 0;                 // Failed ones, as far as the tool counts them.
};

// Reads the output of wrk, wrk2, ab, memtier_benchmark, sysbench or redis-benchmark,
// whichever it is; nothing if it is none of these.
std::optional<LoadResult> ReadLoadOutput(const std::string& output);

// The last match of a regular expression (ECMAScript); its first group, or the whole
// match if it has none, is the throughput. Nothing if there is no match or it is no
// number. Throws std::regex_error for a malformed expression.
std::optional<LoadResult> ReadMetric(const std::string& output, const std::string& expression);

}  // namespace green::cli
