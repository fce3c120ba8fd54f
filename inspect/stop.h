// Registers of a running OS thread: it is stopped by ptrace for as long as they are looked at.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>

#include "inspect/unwind.h"

namespace green::inspect {

// Stops thread tid, of which CanBeStopped has told the CPU, calls fn with its registers, lets it go
// on. False when it could not be stopped within a second (it sits in the kernel, or something else
// traces it). CanBeStopped must hold: one that sleeps in a system call could see EINTR.
bool WithStopped(pid_t tid, int cpu, const std::function<void(const Registers&)>& fn);
// A thread that stopped later than that stays so until this is called, or the caller ends: to be
// called often by who lives on.
void LetLateOnesGo();
// CPU time that a thread has had, in ns (/proc/PID/task/TID/schedstat, the kernel's
// Documentation/scheduler/sched-stats.rst); -1 where the kernel does not tell.
int64_t CpuNsOf(pid_t pid, pid_t tid);
// "R (running)" in /proc/PID/task/TID/stat, not asleep.
bool RunsNow(pid_t pid, pid_t tid);
// So, or "T (stopped)" by a signal such as SIGSTOP, and then it stays stopped. *cpu: where it runs,
// or last did.
bool CanBeStopped(pid_t pid, pid_t tid, int* cpu);
// Whether a process is in a PID namespace that is not the caller's; the number outside of what it
// calls tid.
bool HasOwnNumbers(pid_t pid);
pid_t OuterTid(pid_t pid, uint32_t tid);

}  // namespace green::inspect
