// Whether libgreen can serve a program, or serves a process.
#pragma once

#include <sys/types.h>

#include <string>

#include "cli/doctor/findings.h"

namespace green::cli {

// A file that FindProgram() found; scripts are judged by their interpreter.
Findings ExamineProgram(const std::string& path);

// A running process. Throws Failure if there is none or it may not be looked at. *runs: whether
// libgreen has started in it; true where that cannot be told.
Findings ExamineProcess(pid_t pid, bool* runs);

}  // namespace green::cli
