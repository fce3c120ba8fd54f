// What the kernel keeps per thread and libgreen therefore keeps per task: CPU time, affinity, the
// receiver of thread-directed timers. All inside libgreen.
#pragma once

#include <cstdint>

#include "sched/task.h"

namespace green {

// True when clock_id names a task's CPU clock (CLOCK_THREAD_CPUTIME_ID, or the kernel's encoding
// of a thread clock with a task's number); then *ns is its value, -1 when there is no such task.
bool TaskClock(int clock_id, int64_t* ns);
Task* TaskOfClock(int clock_id);  // of such a clock; null when there is no such task

// CPUs 0-63. 0 or -errno, as the kernel says. Takes effect when the task next runs; for the caller
// and for a bound task, at once.
long SetTaskAffinity(Task* t, uint64_t mask);
uint64_t TaskAffinity(const Task* t);

// 0 or -errno. A bound task's go to the kernel; a green task's are kept, and a real-time policy
// binds it.
long SetTaskPolicy(Task* t, int policy, int priority);
void SetTaskNice(Task* t, int nice);
// 16 bytes with the final 0. GREEN_BOUND may bind the task.
void SetTaskName(Task* t, const char* name);

// The kernel's clock that counts t's CPU time, for timers, and by how much it is ahead of the
// task's. t gets an OS thread of its own for that, for which this waits; the process's clock if it
// cannot.
int ClockForTimers(Task* t, int64_t* ahead);

// POSIX timer `id` signals the task tid, 0: the process; its clock is `ahead` of the program's.
void NoteTimer(int id, uint32_t tid, int64_t ahead);
uint32_t TimerTask(int id);
int64_t TimerAhead(int id);
// How often its latest signal that was taken had expired more than once: the kernel does not know,
// as it has given away what is pending here. -1: none was taken since the timer was made.
void NoteOverrun(int id, int overrun);
int TimerOverrun(int id);

}  // namespace green
