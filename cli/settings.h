// The GREEN_* environment variables: one table that `green run` takes its options
// from and `green help env` prints.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace green::cli {

struct Setting {
  const char* variable;
  const char* flag;      // Of `green run`; null where only the variable exists.
  const char* value;     // Name of the value in help texts; null for a bare flag.
  const char* implied;   // What a bare flag sets the variable to.
  const char* fallback;  // What holds while the variable is unset.
  const char* meaning;
  // What is wrong with a value, or nothing.
  std::optional<std::string> (*complaint)(std::string_view value);
};

std::span<const Setting> Settings();

std::string SettingsTable();

}  // namespace green::cli
