// The command line of green.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/compare.h"
#include "cli/doctor.h"
#include "cli/help.h"
#include "cli/profile.h"
#include "cli/ps.h"
#include "cli/run.h"
#include "cli/shell.h"
#include "cli/stacks.h"
#include "cli/stats.h"
#include "cli/syscalls.h"
#include "cli/top.h"
#include "cli/trace.h"
#include "inspect/guarded.h"

namespace green::cli {
namespace {

constexpr char kVersion[] = "green 0.1.0";
constexpr char kDescription[] =
    "Runs unmodified programs that use POSIX threads on green threads (libgreen).";
constexpr char kFooter[] = R"(
  green run -- ./app args       the program with libgreen
  green doctor -- ./app         whether that can work, and what to do
  green compare -- ./app args   natively, 1:1 and M:N: which is better
  green ps PID                  its tasks and what each waits for; also stacks, stats, top, profile, trace
  green help run                all about one command

`green help env` lists the GREEN_* variables, `green man | man -l -` has it all.)";

constexpr AddCommand kCommands[] = {
    AddRun,     AddCompare, AddDoctor,   AddPs,   AddStacks,     AddStats, AddTop,
    AddProfile, AddTrace,   AddSyscalls, AddHelp, AddCompletion, AddMan,   AddThreadProbe,
};

// Where, after the command's name, the program's own words begin.
int ProgramIndex(const CLI::App& line, int argc, char** argv) {
  int i = 2;
  while (i < argc) {
    const std::string word = argv[i];
    if (word == "--" || !word.starts_with("-")) break;
    const CLI::Option* option = line.get_option_no_throw(word);
    i += option && option->get_items_expected_max() > 0 ? 2 : 1;
  }
  return std::min(i, argc);
}

// Takes the program's words off the command line; returns how many are left.
int TakeProgram(const std::vector<Command>& commands, int argc, char** argv) {
  if (argc < 2) return argc;
  for (const Command& command : commands) {
    if (!command.program || command.line->get_name() != argv[1]) continue;
    const int begin = ProgramIndex(*command.line, argc, argv);
    if (command.or_pid && begin < argc && AsPid({argv[begin]})) {
      command.program->assign(1, argv[begin]);
      std::rotate(argv + begin, argv + begin + 1, argv + argc);
      return argc - 1;
    }
    command.program->assign(argv + begin, argv + argc);
    if (begin < argc && command.program->front() == "--") {
      command.program->erase(command.program->begin());
    }
    return begin;
  }
  return argc;
}

int Main(int argc, char** argv) {
  CLI::App app(kDescription, "green");
  app.footer(kFooter);
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(0, 1);
  std::vector<Command> commands;
  for (AddCommand add : kCommands) commands.push_back(add(app));

  argc = TakeProgram(commands, argc, argv);
  const auto given = [&] {
    return std::find_if(commands.begin(), commands.end(),
                        [](const Command& command) { return command.line->parsed(); });
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (given() != commands.end() && dynamic_cast<const CLI::CallForHelp*>(&error)) {
      const CLI::App& line = *given()->line;
      std::fputs(HelpOn(line, "green " + line.get_name()).c_str(), stdout);
      return 0;
    }
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return UsageError(error.what());
  }
  return given() == commands.end() ? UsageError("which command?") : given()->run();
}

// No file that is opened takes the place of a standard one that is closed; a program that is
// started finds it closed.
void HoldClosedPlaces() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace
}  // namespace green::cli

int main(int argc, char** argv) {
  green::cli::HoldClosedPlaces();
  return green::inspect::Written(green::cli::Main(argc, argv));
}
