#include "cli/settings_options.h"

#include <cstdlib>
#include <optional>
#include <string>

#include "cli/settings.h"

namespace green::cli {

void AddSettings(CLI::App* line, std::string_view without) {
  constexpr char kGroup[] = "Settings of libgreen (green help env)";
  for (const Setting& setting : Settings()) {
    if (setting.flag == without) continue;
    if (!setting.value) {
      line->add_flag_callback(
              setting.flag, [&setting] { setenv(setting.variable, setting.implied, 1); },
              setting.meaning)
          ->group(kGroup);
      continue;
    }
    line->add_option_function<std::string>(
            setting.flag,
            [&setting](const std::string& value) { setenv(setting.variable, value.c_str(), 1); },
            setting.meaning)
        ->type_name(setting.value)
        ->group(kGroup)
        ->check([&setting](const std::string& value) {
          std::optional<std::string> complaint = setting.complaint(value);
          return complaint ? *complaint + ", not '" + value + "'" : std::string();
        });
  }
}

}  // namespace green::cli
