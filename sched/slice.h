// How long a task may compute while others wait: a slice (GREEN_SLICE), after which it takes turns
// with others that compute. Turns are shorter while there are signs that some of those only spin on
// a word that another of them is to change: natively both would run, and a queue of whole slices
// would keep one from the other. What really computes keeps long turns, as its caches like them.
#pragma once

#include <cstdint>

#include "sched/task.h"
#include "sched/worker.h"

namespace green {

// In ns of CPU time. The monitor's; `t` may be null. A nice value other than the process's own
// shortens or lengthens it, by the kernel's factor of 1.25 a step (sched(7)), from 1 ms to ten
// slices; no turn is a short one then, so that there is room to tell them apart.
int64_t SliceOf(const Worker* w, const Task* t);

// Some task's nice value or policy has become `nice`, `policy`. Any thread.
void NoteWeight(int nice, int policy);

}  // namespace green
