#include <nlohmann/json.hpp>

#include "cli/compare/opinion.h"
#include "cli/compare/report.h"

namespace green::cli {
namespace {

using Json = nlohmann::ordered_json;

Json MetricJson(const Metric& metric, const ModeRuns& base, const ModeRuns& mode) {
  const auto summary = mode.Of(metric.key), from = base.Of(metric.key);
  if (!summary) return nullptr;
  Json json{{"median", summary->median},
            {"least", summary->least},
            {"most", summary->most},
            {"spread", summary->Spread()}};
  const auto ratio = from ? Ratio(*from, *summary) : std::nullopt;
  json["ratio"] = ratio ? Json(*ratio) : Json(nullptr);
  return json;
}

}  // namespace

std::string JsonReport(const Comparison& comparison) {
  Json json{{"command", comparison.command}, {"load", comparison.load},
            {"tool", comparison.tool},       {"machine", comparison.machine},
            {"date", comparison.date},       {"runs", comparison.wanted_runs}};
  json["metrics"] = Json::array();
  for (const Metric& metric : comparison.metrics) {
    json["metrics"].push_back({{"key", metric.key},
                               {"title", metric.title},
                               {"better", metric.more_is_better ? "more" : "less"}});
  }
  json["modes"] = Json::array();
  for (const ModeRuns& mode : comparison.modes) {
    Json one{{"mode", mode.mode}, {"runs", mode.runs}, {"summary", Json::object()}};
    for (const Metric& metric : comparison.metrics) {
      one["summary"][metric.key] = MetricJson(metric, comparison.modes.front(), mode);
    }
    json["modes"].push_back(one);
  }
  json["unavailable"] = Json::object();
  for (const auto& [mode, why] : comparison.unavailable) json["unavailable"][mode] = why;
  json["notes"] = comparison.notes;
  json["opinion"] = Opinion(comparison);
  // What a program printed may be no UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace green::cli
