// GREEN_* environment variables, as the runtime reads them (cli/settings.cc documents them).
#pragma once

#include <cstddef>

#include "sched/scheduler.h"

namespace green {

struct Settings {
  SchedulerOptions scheduler;
  size_t stack = 0;  // bytes for threads whose creator asked for no size; 0 = as natively
  bool log_start = false;
  bool patch = true;      // GREEN_DOOR=sud-only: no code is changed
  char bound[1024] = {};  // GREEN_BOUND; the program may change its environment
};

// False after one line on stderr: a value is unknown or malformed, or asks for what this version
// does not have; the program is to run natively.
bool ReadSettings(char** environment, Settings* out);

}  // namespace green
