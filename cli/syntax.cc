#include "cli/syntax.h"

namespace green::cli {
namespace {

CommandSyntax Describe(const CLI::App& line, const std::string& name) {
  CommandSyntax command{name, line.get_description(), line.get_footer(), false, {}};
  command.takes_program = command.footer.find("PROGRAM") != std::string::npos;
  for (const CLI::Option* option : line.get_options()) {
    if (option->get_group().empty()) continue;  // Hidden.
    OptionSyntax syntax;
    syntax.positional = option->get_positional();
    syntax.name = syntax.positional ? option->get_name(true) : "--" + option->get_lnames().front();
    if (option->get_items_expected_max() > 0) syntax.value = option->get_type_name();
    syntax.help = option->get_description();
    syntax.group = option->get_group();
    command.options.push_back(syntax);
  }
  return command;
}

}  // namespace

std::vector<CommandSyntax> DescribeSyntax(const CLI::App& green) {
  std::vector<CommandSyntax> commands{Describe(green, "")};
  for (const CLI::App* line : green.get_subcommands({})) {
    if (!line->get_group().empty()) commands.push_back(Describe(*line, line->get_name()));
  }
  return commands;
}

}  // namespace green::cli
