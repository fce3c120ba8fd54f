#include "cli/compare/load_output.h"

#include <algorithm>
#include <cstdlib>
#include <regex>
#include <sstream>
#include <vector>

namespace green::cli {
namespace {

using Result = std::optional<LoadResult>;
using Lines = std::vector<std::string>;

// Progress lines end in a carriage return.
Lines SplitLines(std::string text) {
  std::replace(text.begin(), text.end(), '\r', '\n');
  Lines lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::optional<double> Number(const std::string& text) {
  std::string plain;
  std::copy_if(text.begin(), text.end(), std::back_inserter(plain),
               [](char c) { return c != ',' && c != '_'; });
  char* end;
  const double value = std::strtod(plain.c_str(), &end);
  if (end == plain.c_str()) return {};
  return value;
}

// The groups of the first line that an expression matches somewhere.
std::optional<std::smatch> Find(const Lines& lines, const char* expression) {
  const std::regex regex(expression);
  for (const std::string& line : lines) {
    std::smatch match;
    if (std::regex_search(line, match, regex)) return match;
  }
  return {};
}

std::optional<double> FindNumber(const Lines& lines, const char* expression) {
  const auto match = Find(lines, expression);
  return match ? Number((*match)[1]) : std::nullopt;
}

double Milliseconds(double value, const std::string& unit) {
  if (unit == "us") return value / 1e3;
  if (unit == "ms") return value;
  if (unit == "s") return value * 1e3;
  return value * (unit == "m" ? 60e3 : 3600e3);
}

Result ReadWrk(const Lines& lines) {
  const auto rate = FindNumber(lines, R"(^Requests/sec:\s+([\d.]+))");
  if (!rate) return {};
  LoadResult result{"wrk", "requests", "request", *rate, {}, {}, 0};
  result.count = FindNumber(lines, R"(^\s*(\d+) requests in )");
  const std::regex percentile(R"(^\s+([\d.]+)%\s+([\d.]+)(us|ms|s|m|h)\s*$)");
  std::smatch match;
  for (const std::string& line : lines) {
    if (!std::regex_match(line, match, percentile)) continue;
    result.latency.try_emplace(*Number(match[1]), Milliseconds(*Number(match[2]), match[3]));
  }
  if (const auto found =
          Find(lines, R"(Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+))")) {
    for (int i = 1; i <= 4; ++i) result.errors += *Number((*found)[i]);
  }
  result.errors += FindNumber(lines, R"(Non-2xx or 3xx responses: (\d+))").value_or(0);
  return result;
}

Result ReadAb(const Lines& lines) {
  const auto rate = FindNumber(lines, R"(^Requests per second:\s+([\d.]+))");
  if (!rate) return {};
  LoadResult result{"ab", "requests", "request", *rate, {}, {}, 0};
  result.count = FindNumber(lines, R"(^Complete requests:\s+(\d+))");
  const std::regex percentile(R"(^\s+(\d+)%\s+(\d+)\b.*$)");
  std::smatch match;
  for (const std::string& line : lines) {
    if (std::regex_match(line, match, percentile)) {
      result.latency.try_emplace(*Number(match[1]), *Number(match[2]));
    }
  }
  result.errors = FindNumber(lines, R"(^Failed requests:\s+(\d+))").value_or(0) +
                  FindNumber(lines, R"(^Non-2xx responses:\s+(\d+))").value_or(0);
  return result;
}

// Columns are told apart by two spaces at least: their heads hold single ones.
std::vector<std::string> Columns(const std::string& line) {
  std::vector<std::string> columns;
  const std::regex gap(R"(\s{2,})");
  std::sregex_token_iterator at(line.begin(), line.end(), gap, -1), end;
  for (; at != end; ++at) {
    if (at->length()) columns.push_back(*at);
  }
  return columns;
}

Result ReadMemtier(const Lines& lines) {
  std::vector<std::string> heads, totals;
  for (const std::string& line : lines) {
    if (line.starts_with("Type ")) heads = Columns(line);
    if (line.starts_with("Totals ") && totals.empty()) totals = Columns(line);
  }
  if (heads.empty() || heads.size() != totals.size()) return {};
  LoadResult result{"memtier", "operations", "operation", 0, {}, {}, 0};
  const std::regex percentile(R"(p([\d.]+) Latency)");
  for (size_t i = 1; i < heads.size(); ++i) {
    const auto value = Number(totals[i]);
    std::smatch match;
    if (!value) continue;
    if (heads[i] == "Ops/sec") result.rate = *value;
    if (std::regex_match(heads[i], match, percentile)) result.latency[*Number(match[1])] = *value;
  }
  if (result.rate <= 0) return {};
  return result;
}

Result ReadSysbench(const Lines& lines) {
  if (!Find(lines, R"(^sysbench \d|^Latency \(ms\):)")) return {};
  LoadResult result{"sysbench", "queries", "query", 0, {}, {}, 0};
  auto found = Find(lines, R"(^\s+queries:\s+(\d+)\s+\(([\d.]+) per sec)");
  if (!found) {
    result.unit = "events";
    result.one = "event";
    found = Find(lines, R"(^\s+transactions:\s+(\d+)\s+\(([\d.]+) per sec)");
  }
  if (found) {
    result.count = Number((*found)[1]);
    result.rate = *Number((*found)[2]);
  } else {
    result.rate =
        FindNumber(lines, R"(^\s+events(?: per second|/s \(eps\)):\s+([\d.]+))").value_or(0);
    result.count = FindNumber(lines, R"(^\s+total number of events:\s+(\d+))");
    // Most tests leave the division to the reader.
    const auto seconds = FindNumber(lines, R"(^\s+total time:\s+([\d.]+)s)");
    if (result.rate <= 0 && result.count && seconds && *seconds > 0)
      result.rate = *result.count / *seconds;
  }
  if (result.rate <= 0) return {};
  if (const auto tail = Find(lines, R"(^\s+(\d+)th percentile:\s+([\d.]+))")) {
    result.latency[*Number((*tail)[1])] = *Number((*tail)[2]);
  }
  result.errors = FindNumber(lines, R"(^\s+ignored errors:\s+(\d+))").value_or(0);
  return result;
}

void Raise(std::map<double, double>* latency, double percentile, double milliseconds) {
  double& value = (*latency)[percentile];
  value = std::max(value, milliseconds);
}

// Several tests (SET, GET, ...) count together; a percentile is that of the slowest.
Result ReadRedis(const Lines& lines) {
  LoadResult result{"redis-benchmark", "requests", "request", 0, {}, {}, 0};
  const std::regex completed(R"(^\s*(\d+) requests completed in )");
  const std::regex summary(R"(throughput summary: ([\d.]+) requests per second)");
  const std::regex quiet(R"(([\d.]+) requests per second, p50=([\d.]+) msec)");
  double count = 0, of_test = 0, seconds = 0, times = 0, tests = 0;
  std::smatch match;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (std::regex_search(lines[i], match, completed)) {
      of_test = *Number(match[1]);
      count += of_test;
    } else if (std::regex_search(lines[i], match, summary) && *Number(match[1]) > 0) {
      seconds += of_test / *Number(match[1]);  // The time above is rounded.
    } else if (std::regex_search(lines[i], match, quiet) && *Number(match[1]) > 0) {
      times += 1 / *Number(match[1]);  // Each test makes as many requests.
      tests += 1;
      Raise(&result.latency, 50, *Number(match[2]));
    } else if (lines[i].find("latency summary (msec)") != std::string::npos &&
               i + 2 < lines.size()) {
      std::istringstream heads(lines[i + 1]), values(lines[i + 2]);
      std::string head;
      for (double value; heads >> head && values >> value;) {
        if (head[0] == 'p') Raise(&result.latency, *Number(head.substr(1)), value);
      }
    }
  }
  if (seconds > 0) {
    result.count = count;
    result.rate = count / seconds;
  } else if (tests > 0) {
    result.rate = tests / times;
  } else {
    return {};
  }
  return result;
}

}  // namespace

Result ReadLoadOutput(const std::string& output) {
  const Lines lines = SplitLines(output);
  for (const auto read : {ReadWrk, ReadAb, ReadMemtier, ReadSysbench, ReadRedis}) {
    if (Result result = read(lines)) return result;
  }
  return {};
}

Result ReadMetric(const std::string& output, const std::string& expression) {
  const std::regex regex(expression);
  std::optional<double> value;
  for (std::sregex_iterator at(output.begin(), output.end(), regex), end; at != end; ++at) {
    value = Number((*at)[at->size() > 1 ? 1 : 0]);
  }
  if (!value) return {};
  return LoadResult{"metric", "", "", *value, {}, {}, 0};
}

}  // namespace green::cli
