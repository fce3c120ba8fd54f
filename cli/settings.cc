#include "cli/settings.h"

#include <charconv>
#include <cstdio>

namespace green::cli {
namespace {

using Complaint = std::optional<std::string>;

// Splits "64K" into 64 and "K"; false when it doesn't begin with a number.
bool SplitNumber(std::string_view text, unsigned long* number, std::string_view* unit) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  *unit = text.substr(end - text.data());
  return error == std::errc();
}

// The ranges are those that libgreen takes (interpose/options.cc).
Complaint WholeNumber(std::string_view text, unsigned long most, const char* complaint) {
  unsigned long number;
  std::string_view unit;
  if (SplitNumber(text, &number, &unit) && unit.empty() && number >= 1 && number <= most) return {};
  return complaint;
}

Complaint Workers(std::string_view text) {
  return WholeNumber(text, 256, "must be a whole number from 1 to 256");
}

Complaint Carriers(std::string_view text) {
  return WholeNumber(text, 1 << 20, "must be a whole number from 1 to 1048576");
}

Complaint Size(std::string_view text) {
  unsigned long number;
  std::string_view unit;
  if (SplitNumber(text, &number, &unit) && number <= 1ul << 30) {
    const bool known = unit.empty() || unit == "K" || unit == "M" || unit == "G";
    const int shift = unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : 0;
    if (known && number << shift >= 16384 && number << shift <= 1ul << 30) return {};
  }
  return "must be a size from 16K to 1G, such as 65536, 64K or 8M";
}

Complaint Milliseconds(std::string_view text) {
  return WholeNumber(text, 1000000, "must be a whole number of milliseconds, at least 1");
}

Complaint Mode(std::string_view text) {
  if (text == "mn" || text == "1:1") return {};
  return "must be mn or 1:1";
}

Complaint Door(std::string_view text) {
  if (text == "patch" || text == "sud" || text == "sud-only") return {};
  return "must be patch, sud or sud-only";
}

Complaint Switch(std::string_view text) {
  if (text == "0" || text == "1") return {};
  return "must be 0 or 1";
}

Complaint Words(std::string_view text) {
  if (!text.empty()) return {};
  return "must not be empty";
}

constexpr Setting kSettings[] = {
    {"GREEN_MODE", "--mode", "MODE", nullptr, "mn",
     "mn: many threads on few OS threads; 1:1: an OS thread for each", Mode},
    {"GREEN_WORKERS", "--workers", "N", nullptr, "CPUs allowed",
     "1 to 256: how many threads may run at the same time", Workers},
    {"GREEN_STACK", "--stack", "SIZE", nullptr, "as natively",
     "16K to 1G: stack of a thread whose creator asked for no size", Size},
    {"GREEN_SLICE", "--slice", "MS", nullptr, "10",
     "milliseconds of CPU after which a thread gives way to waiting ones", Milliseconds},
    {"GREEN_BOUND", "--bound", "NAMES", nullptr, "none",
     "name,name*: threads that get an OS thread each, by name or start symbol", Words},
    {"GREEN_MAX_CARRIERS", "--max-carriers", "N", nullptr, "10000",
     "most OS threads that may stand in for blocked ones", Carriers},
    {"GREEN_DOOR", "--door", "DOOR", nullptr, "patch",
     "how system calls are seen: patch; sud: and by the kernel's Syscall User Dispatch; sud-only",
     Door},
    {"GREEN_REPORT", "--report", nullptr, "1", "0",
     "1: a report on stderr at exit: what blocked, where, and what to do", Switch},
    {"GREEN_FSGSBASE", "--fsgsbase", "0|1", nullptr, "1",
     "0: set FS and GS base by system call, as where CPU or kernel lack the instructions", Switch},
    {"GREEN_LOG", "--log", "TOPICS", nullptr, "none",
     "start: a line on stderr when libgreen starts", Words},
    {"GREEN_FOLLOW", "--no-follow", nullptr, "0", "1", "0: keep libgreen out of child programs",
     Switch},
};

}  // namespace

std::span<const Setting> Settings() { return kSettings; }

std::string SettingsTable() {
  const auto row = [](const char* variable, const std::string& flag, const char* fallback,
                      const char* meaning) {
    char line[256];
    std::snprintf(line, sizeof line, "%-18s  %-16s  %-12s  %s\n", variable, flag.c_str(), fallback,
                  meaning);
    return std::string(line);
  };
  std::string table = row("Variable", "green run", "Default", "Meaning");
  for (const Setting& setting : kSettings) {
    std::string flag = setting.flag;
    if (setting.value) flag += std::string(" ") + setting.value;
    table += row(setting.variable, flag, setting.fallback, setting.meaning);
  }
  // Of the command only, so no row above, which green run would hand on.
  return table +
         row("GREEN_LIBRARY", "-", "beside green",
             "for green only: the path of libgreen.so, else sought beside green and in ../lib");
}

}  // namespace green::cli
