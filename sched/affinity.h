// Private to sched: CPU time and affinity at a switch.
#pragma once

#include "sched/carrier.h"
#include "sched/task.h"

namespace green {

// Makes the carrier's thread run where the task may.
void ApplyAffinity(Carrier* c, Task* t);
// Where tasks without a mask of their own run. Who changes it: worker_count.cc.
void NoteProcessAffinity(uint64_t mask);
// Some task has had a mask of its own, so a thread's tells nothing of the process's.
bool TasksHaveMasks();
// The CPU clock of a kernel thread, in clock_getcpuclockid(3)'s encoding.
inline int ClockOfThread(uint32_t tid) { return static_cast<int>(~tid << 3 | 6); }
// ns of CPU that t has used, the current run included.
int64_t CpuNsOf(Task* t);

}  // namespace green
