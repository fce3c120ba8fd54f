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
#include "cli/settings.h"

namespace green::cli {
namespace {

constexpr int kOwnFailure = 125;
constexpr int kCannotStart = 126;
constexpr int kNotFound = 127;

// One option per setting; its value goes into the environment as it is parsed.
void AddSettings(CLI::App* line) {
  for (const Setting& setting : Settings()) {
    if (!setting.value) {
      line->add_flag_callback(
          setting.flag, [&setting] { setenv(setting.variable, setting.implied, 1); },
          setting.meaning);
      continue;
    }
    line->add_option_function<std::string>(
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

void Say(const std::string& text) { std::fprintf(stderr, "libgreen: %s\n", text.c_str()); }

std::string UserPreloads() {
  const char* preloads = std::getenv("LD_PRELOAD");
  return preloads ? preloads : "";
}

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
  line->footer("After the options: [--] PROGRAM [ARGUMENTS]");
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
    SetPreloads(WithoutLibrary(UserPreloads()));
    return Execute(*program, command);
  }
  std::optional<std::string> library = FindLibrary();
  if (!library) {
    Say("libgreen.so is neither beside green nor in ../lib; set GREEN_LIBRARY to its path");
    return kOwnFailure;
  }
  if (library->find_first_of(": ") != std::string::npos) {
    Say("can't preload " + *library + ": LD_PRELOAD takes no path with a colon or a space");
    return kOwnFailure;
  }
  SetPreloads(WithLibrary(UserPreloads(), *library));
  return Execute(*program, command);
}

}  // namespace green::cli
