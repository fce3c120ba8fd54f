#include "cli/run.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "cli/preload.h"
#include "cli/program.h"
#include "cli/settings_options.h"

namespace green::cli {
namespace {

constexpr char kFooter[] = R"(Then: [--] PROGRAM [ARGUMENTS]

green becomes the program, so signals and the exit status are the program's own. A
LD_PRELOAD of yours is kept. What libgreen cannot run is named in one line and runs
natively; green doctor says more.

  green run -- ./server --port 8080
  green run --workers 2 --log start -- ./server
  green run --mode 1:1 -- ./server

Status: the program's; 2 bad options; 125 no libgreen.so; 126 the program cannot be
started; 127 there is no such program.)";

constexpr int kOwnFailure = 125;
constexpr int kCannotStart = 126;
constexpr int kNotFound = 127;

void Say(const std::string& text) { std::fprintf(stderr, "libgreen: %s\n", text.c_str()); }

void SetPreloads(const std::string& preloads) {
  if (preloads.empty()) {
    unsetenv("LD_PRELOAD");
  } else {
    setenv("LD_PRELOAD", preloads.c_str(), 1);
  }
}

int Execute(const std::string& program, const std::vector<std::string>& command) {
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execv(program.c_str(), argv.data());
  // A script without #! is the shell's, as for execvp; another CPU's program isn't.
  if (errno == ENOEXEC && !IsElf(program)) execvp(program.c_str(), argv.data());
  int error = errno;
  Say("can't run " + program + ": " + std::strerror(error));
  return error == ENOENT ? kNotFound : kCannotStart;
}

}  // namespace

Command AddRun(CLI::App& green) {
  auto program = std::make_shared<std::vector<std::string>>();
  CLI::App* line = green.add_subcommand("run", "Runs a program under libgreen.");
  line->footer(kFooter);
  AddSettings(line);
  auto run = [program] {
    if (program->empty()) return UsageError("run needs a program: green run -- ./app args");
    return Run(*program);
  };
  return {line, run, program.get()};
}

int Run(const std::vector<std::string>& command) {
  std::optional<std::string> program = FindProgram(command[0]);
  if (!program) {
    Say("can't run " + command[0] + ": not found");
    return kNotFound;
  }
  if (std::optional<std::string> refusal = Refusal(*program)) {
    Say(*program + " " + *refusal + "; it runs natively");
    SetPreloads(WithoutLibrary(Preloads()));
    return Execute(*program, command);
  }
  const LibraryPath library = UsableLibrary();
  if (!library.complaint.empty()) {
    Say(library.complaint);
    return kOwnFailure;
  }
  SetPreloads(WithLibrary(Preloads(), library.path));
  return Execute(*program, command);
}

}  // namespace green::cli
