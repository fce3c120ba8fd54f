// Between the thread and process families.
#pragma once

#include "syscalls/call.h"

namespace green {

void InitThreads();
// As exit_group(2), after what wants to be told of it.
[[noreturn]] void EndProcess(int status);
// The report, once, if GREEN_REPORT=1 asks for it, and the rest of the trace to who reads it. Also
// outside libgreen.
void TellOfTheEnd();
void ThreadExitHook(Task* t);
// clone of a process that gets a copy of the memory; of one that shares it (vfork, posix_spawn).
long ForkProcess(SyscallFrame& f);
long StartVmChild(SyscallFrame& f, uint64_t clone_flags);
// Runs in a forked child once it is a plain native process again.
void SetForkedChildHook(void (*hook)());
// In it: the task that would have ended the batch is gone.
void ResetCredentialBatchAfterFork();

// prctl(2) options that are the kernel thread's (own_thread.cc).
long PrctlOfThread(SyscallFrame& f);

}  // namespace green
