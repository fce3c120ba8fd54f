// A fault that ends the process says whose stack was too small, if one was.
#pragma once

#include <cstdint>

#include "sched/task.h"

namespace green {

// One line on stderr, and true, if `address`, which t has touched in vain with its stack pointer at
// sp, lies right below the stack that t began on. Not for one that the program has switched to. Any
// thread, in a signal handler too.
bool ReportStackOverflow(const Task* t, uintptr_t address, uintptr_t sp);

}  // namespace green
