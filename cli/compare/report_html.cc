#include <algorithm>
#include <cstdio>

#include "cli/compare/opinion.h"
#include "cli/compare/report.h"

namespace green::cli {
namespace {

// The colours of Okabe and Ito, which colour-blind readers tell apart.
constexpr const char* kColours[] = {"#999999", "#0072b2", "#009e73", "#d55e00"};

constexpr char kHead[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>green compare</title>\n<style>\n"
    ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}\n"
    "body{max-width:56rem;margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.4rem}h2{font-size:1rem;margin:1.6rem 0 0}\n"
    "code{font-size:.9em;overflow-wrap:anywhere}\n"
    ".opinion{font-size:1.15rem;border-left:.3rem solid #009e73;padding-left:.8rem}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #8884}\n"
    "td:first-child,th:first-child{text-align:left}\n"
    "svg{width:100%;height:auto}svg text{fill:currentColor;font-size:13px}\n"
    ".axis{stroke:#8888}.quiet{opacity:.65}\n"
    "</style></head><body>\n";

std::string Escape(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

template <typename... Arguments>
std::string Format(const char* format, Arguments... arguments) {
  char text[512];
  std::snprintf(text, sizeof text, format, arguments...);
  return text;
}

// A line per mode: a dot for each run, a stroke at the median, from 0 on.
std::string Plot(const Comparison& comparison, const Metric& metric) {
  constexpr double kLeft = 70, kRight = 690, kRow = 30;
  double most = 0;
  for (const ModeRuns& mode : comparison.modes) {
    if (const auto summary = mode.Of(metric.key)) most = std::max(most, summary->most);
  }
  if (most <= 0) return {};
  const auto x = [&](double value) { return kLeft + (kRight - kLeft) * value / most; };
  const double height = kRow * static_cast<double>(comparison.modes.size()) + 20;
  std::string svg = Format("<svg viewBox=\"0 0 800 %.0f\" role=\"img\">\n", height);
  svg += Format("<line class=\"axis\" x1=\"%g\" y1=\"0\" x2=\"%g\" y2=\"%g\"/>\n", kLeft, kLeft,
                height - 18);
  svg += Format("<text class=\"quiet\" x=\"%g\" y=\"%g\">0</text>\n", kLeft - 4, height - 4);
  double y = kRow / 2;
  for (size_t i = 0; i < comparison.modes.size(); ++i, y += kRow) {
    const ModeRuns& mode = comparison.modes[i];
    const char* colour = kColours[i % std::size(kColours)];
    svg += Format("<text x=\"0\" y=\"%g\">", y + 4) + Escape(mode.mode) + "</text>\n";
    const auto summary = mode.Of(metric.key);
    if (!summary) continue;
    svg += Format(
        "<rect x=\"%g\" y=\"%g\" width=\"%.1f\" height=\"14\" fill=\"%s\" "
        "opacity=\".35\"/>\n",
        kLeft, y - 7, x(summary->median) - kLeft, colour);
    svg += Format(
        "<line x1=\"%.1f\" y1=\"%g\" x2=\"%.1f\" y2=\"%g\" stroke=\"%s\" "
        "stroke-width=\"3\"/>\n",
        x(summary->median), y - 9, x(summary->median), y + 9, colour);
    for (const Figures& run : mode.runs) {
      const auto found = run.find(metric.key);
      if (found == run.end()) continue;
      svg += Format("<circle cx=\"%.1f\" cy=\"%g\" r=\"4\" fill=\"%s\"><title>", x(found->second),
                    y, colour) +
             Figure(found->second) + "</title></circle>\n";
    }
    svg += Format("<text x=\"%g\" y=\"%g\">", kRight + 12, y + 4) + Figure(summary->median) +
           "</text>\n";
  }
  return svg + "</svg>\n";
}

std::string TableCell(const Metric& metric, const ModeRuns& base, const ModeRuns& mode) {
  const auto summary = mode.Of(metric.key), from = base.Of(metric.key);
  if (!summary) return "<td>-</td>";
  std::string cell = "<td>" + Figure(summary->median);
  if (summary->runs > 1)
    cell += Format(" <span class=\"quiet\">±%.0f%%</span>", summary->Spread() * 100);
  const auto ratio = from ? Ratio(*from, *summary) : std::nullopt;
  if (&mode != &base && ratio) cell += " <b>" + Times(*ratio) + "</b>";
  return cell + "</td>";
}

std::string Table(const Comparison& comparison) {
  std::string table = "<table><tr><th></th>";
  for (const ModeRuns& mode : comparison.modes) table += "<th>" + Escape(mode.mode) + "</th>";
  table += "</tr>\n";
  for (const Metric& metric : comparison.metrics) {
    table += "<tr><td>" + Escape(metric.title) + "</td>";
    for (const ModeRuns& mode : comparison.modes) {
      table += TableCell(metric, comparison.modes.front(), mode);
    }
    table += "</tr>\n";
  }
  return table + "</table>\n";
}

// Inside a script element only "</" would end the text early.
std::string Embedded(std::string json) {
  for (size_t at = 0; (at = json.find("</", at)) != json.npos; at += 3) json.insert(at + 1, "\\");
  return json;
}

}  // namespace

std::string HtmlReport(const Comparison& comparison) {
  std::string page = kHead;
  page += "<h1>green compare</h1>\n<p><code>" + Escape(comparison.command) + "</code>";
  if (!comparison.load.empty()) page += "<br>under <code>" + Escape(comparison.load) + "</code>";
  page += "<br><span class=\"quiet\">" + Escape(comparison.date) + ", " +
          Escape(comparison.machine) + Format(", %d runs each", comparison.wanted_runs) +
          "</span></p>\n";
  page += "<p class=\"opinion\">" + Escape(Opinion(comparison)) + "</p>\n";
  page += Table(comparison);
  page += "<p class=\"quiet\">Medians, half the range of the runs in percent, and the ratio to " +
          Escape(comparison.modes.empty() ? "" : comparison.modes.front().mode) + ".</p>\n";
  for (const auto& [mode, why] : comparison.unavailable) {
    page += "<p>" + Escape(mode) + " is unavailable: " + Escape(why) + "</p>\n";
  }
  for (const std::string& note : comparison.notes) page += "<p>Note: " + Escape(note) + "</p>\n";
  for (const Metric& metric : comparison.metrics) {
    const std::string plot = Plot(comparison, metric);
    if (plot.empty()) continue;
    page += "<h2>" + Escape(metric.title) + " <span class=\"quiet\">(" +
            (metric.more_is_better ? "more" : "less") + " is better)</span></h2>\n" + plot;
  }
  page += "<script type=\"application/json\" id=\"data\">\n" + Embedded(JsonReport(comparison)) +
          "</script>\n</body></html>\n";
  return page;
}

}  // namespace green::cli
