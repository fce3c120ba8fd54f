// green run: becomes the program, with libgreen in its LD_PRELOAD.
#pragma once

#include <sys/wait.h>

#include <string>
#include <vector>

#include "cli/command.h"

namespace green::cli {

Command AddRun(CLI::App& green);

// Never returns to the caller's program on success: exec keeps the process, so
// signals and the exit status need no forwarding. Returns the exit status of a
// failure, as env(1) has them: 125 libgreen is missing, 126 the program can't be
// started, 127 there is no such program.
int Run(const std::vector<std::string>& command);

// The status that a shell tells of what waitpid(2) has said of a process that ended.
inline int ShellStatus(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
// Whether it is one of these, which Run has told (or, rarely, a program's own).
inline bool CannotRun(int status) { return status >= 125 && status <= 127; }

}  // namespace green::cli
