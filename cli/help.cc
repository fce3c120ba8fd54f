#include "cli/help.h"

#include <cstdio>
#include <memory>

#include "cli/settings.h"

namespace green::cli {
namespace {

int Help(CLI::App& green, const std::string& topic) {
  if (topic == "env") {
    std::fputs(SettingsTable().c_str(), stdout);
    return 0;
  }
  if (topic.empty()) {
    std::fputs(HelpOn(green, green.get_name()).c_str(), stdout);
    return 0;
  }
  for (const CLI::App* command : green.get_subcommands({})) {
    if (command->get_name() != topic) continue;
    std::fputs(HelpOn(*command, "green " + topic).c_str(), stdout);
    return 0;
  }
  return UsageError("no help on " + topic);
}

}  // namespace

std::string HelpOn(const CLI::App& line, const std::string& name) {
  return line.get_formatter()->make_help(&line, name, CLI::AppFormatMode::Normal);
}

Command AddHelp(CLI::App& green) {
  auto topic = std::make_shared<std::string>();
  CLI::App* line =
      green.add_subcommand("help", "Help on a command; help env: the GREEN_* variables.");
  line->add_option("topic", *topic, "a command, or env");
  return {line, [&green, topic] { return Help(green, *topic); }};
}

}  // namespace green::cli
