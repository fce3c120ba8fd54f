#include <algorithm>
#include <cstdio>

#include "cli/compare/opinion.h"
#include "cli/compare/report.h"

namespace green::cli {
namespace {

constexpr char kGood[] = "\033[32m", kBad[] = "\033[31m", kBold[] = "\033[1m", kPlain[] = "\033[0m";

struct Cell {
  std::string text;
  const char* colour = nullptr;
};

using Row = std::vector<Cell>;

// Characters on the screen: those of UTF-8 that continue one are not.
size_t Width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string Median(const Summary& summary) {
  std::string text = Figure(summary.median);
  if (summary.runs < 2) return text;
  char spread[32];
  std::snprintf(spread, sizeof spread, " ±%.0f%%", summary.Spread() * 100);
  return text + spread;
}

Cell RatioCell(const Metric& metric, const Summary& base, const Summary& other) {
  const auto ratio = Ratio(base, other);
  if (!ratio) return {"-"};
  const std::string text = Times(*ratio);
  const Difference difference = Compare(base, other);
  if (difference == Difference::kUnclear) return {text};
  const bool better = (difference == Difference::kMore) == metric.more_is_better;
  return {text, better ? kGood : kBad};
}

Row RowOf(const Metric& metric, const std::vector<ModeRuns>& modes) {
  Row row{{metric.title}};
  const auto base = modes.front().Of(metric.key);
  for (const ModeRuns& mode : modes) {
    const auto summary = mode.Of(metric.key);
    row.push_back({summary ? Median(*summary) : "-"});
    if (&mode == &modes.front()) continue;
    row.push_back(base && summary ? RatioCell(metric, *base, *summary) : Cell{"-"});
  }
  return row;
}

std::string Print(const std::vector<Row>& rows, bool colour) {
  std::vector<size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i].text));
  }
  std::string out;
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string gap(widths[i] - Width(row[i].text), ' ');
      const bool coloured = colour && row[i].colour;
      std::string text = coloured ? row[i].colour + row[i].text + kPlain : row[i].text;
      if (i > 0) out += "  ";
      out += i == 0 ? text + gap : gap + text;
    }
    out += '\n';
  }
  return out;
}

}  // namespace

std::string TextReport(const Comparison& comparison, bool colour) {
  Row heads{{""}};
  for (const ModeRuns& mode : comparison.modes) {
    heads.push_back({mode.mode, kBold});
    if (&mode != &comparison.modes.front()) heads.push_back({"ratio", kBold});
  }
  std::vector<Row> rows{heads};
  for (const Metric& metric : comparison.metrics) rows.push_back(RowOf(metric, comparison.modes));

  std::string out = Print(rows, colour);
  for (const auto& [mode, why] : comparison.unavailable)
    out += mode + " is unavailable: " + why + "\n";
  for (const std::string& note : comparison.notes) out += "note: " + note + "\n";
  return out + Opinion(comparison) + "\n";
}

}  // namespace green::cli
