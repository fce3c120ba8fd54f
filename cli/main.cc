// The command line of green.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/run.h"
#include "cli/settings.h"
#include "cli/syscall_table.h"

namespace green::cli {
namespace {

constexpr char kVersion[] = "green 0.1.0";
constexpr int kUsageError = 2;

int UsageError(const std::string& text) {
  std::fprintf(stderr, "green: %s (see green --help)\n", text.c_str());
  return kUsageError;
}

// One option per setting; its value goes into the environment as it is parsed.
void AddSettings(CLI::App* run) {
  for (const Setting& setting : Settings()) {
    if (!setting.value) {
      run->add_flag_callback(
          setting.flag, [&setting] { setenv(setting.variable, setting.implied, 1); },
          setting.meaning);
      continue;
    }
    run->add_option_function<std::string>(
           setting.flag,
           [&setting](const std::string& value) { setenv(setting.variable, value.c_str(), 1); },
           setting.meaning)
        ->type_name(setting.value)
        ->check([&setting](const std::string& value) {
          std::optional<std::string> complaint = setting.complaint(value);
          return complaint ? *complaint + ", not '" + value + "'" : std::string();
        });
  }
}

bool TakesValue(const std::string& word) {
  for (const Setting& setting : Settings()) {
    if (setting.value && word == setting.flag) return true;
  }
  return false;
}

// Where, after `green run`, the program's own words begin. They are kept from the
// parser: whatever they look like, they are the program's.
int ProgramIndex(int argc, char** argv) {
  int i = 2;
  while (i < argc) {
    std::string word = argv[i];
    if (word == "--" || !word.starts_with("-")) break;
    i += TakesValue(word) ? 2 : 1;
  }
  return std::min(i, argc);
}

int RunCommand(std::vector<std::string> command) {
  if (!command.empty() && command[0] == "--") command.erase(command.begin());
  if (command.empty()) return UsageError("run needs a program: green run -- ./app args");
  return Run(command);
}

std::string HelpOn(const CLI::App* app, const std::string& before) {
  return app->get_formatter()->make_help(app, before, CLI::AppFormatMode::Normal);
}

int HelpCommand(CLI::App* app, const std::string& topic) {
  if (topic == "env") {
    std::fputs(SettingsTable().c_str(), stdout);
    return 0;
  }
  if (topic.empty()) {
    std::fputs(HelpOn(app, app->get_name()).c_str(), stdout);
    return 0;
  }
  for (CLI::App* command : app->get_subcommands({})) {
    if (command->get_name() != topic) continue;
    std::fputs(HelpOn(command, "green " + topic).c_str(), stdout);
    return 0;
  }
  return UsageError("no help on " + topic);
}

int SyscallsCommand(const std::string& call, Format format) {
  const std::string text = PrintSyscalls(call, format);
  if (text.empty()) return UsageError("no system call " + call);
  std::fputs(text.c_str(), stdout);
  return 0;
}

int Main(int argc, char** argv) {
  CLI::App app("Runs programs that use threads as programs that use green threads.", "green");
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(0, 1);

  CLI::App* run = app.add_subcommand("run", "Runs a program under libgreen.");
  run->footer("After the options: [--] PROGRAM [ARGUMENTS]");
  AddSettings(run);

  std::string topic;
  CLI::App* help =
      app.add_subcommand("help", "Help on a command; help env: the GREEN_* variables.");
  help->add_option("topic", topic, "a command, or env");

  std::string call;
  bool json = false, markdown = false;
  CLI::App* syscalls =
      app.add_subcommand("syscalls", "What libgreen does with each system call, or with one.");
  syscalls->add_option("call", call, "a call's name or number");
  CLI::Option* as_json = syscalls->add_flag("--json", json, "as JSON");
  syscalls->add_flag("--markdown", markdown, "as docs/coverage.md")->excludes(as_json);

  std::vector<std::string> program;
  if (argc >= 2 && std::string(argv[1]) == run->get_name()) {
    int begin = ProgramIndex(argc, argv);
    program.assign(argv + begin, argv + argc);
    argc = begin;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (run->parsed() && dynamic_cast<const CLI::CallForHelp*>(&error)) {
      return HelpCommand(&app, run->get_name());
    }
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return UsageError(error.what());
  }
  if (run->parsed()) return RunCommand(program);
  if (help->parsed()) return HelpCommand(&app, topic);
  if (syscalls->parsed())
    return SyscallsCommand(call, json ? Format::kJson : markdown ? Format::kMarkdown : Format::kText);
  return UsageError("which command?");
}

}  // namespace
}  // namespace green::cli

int main(int argc, char** argv) { return green::cli::Main(argc, argv); }
