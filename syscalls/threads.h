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
// From which a call returns with its stack pointer at stack_top.
inline SyscallFrame* FrameBelow(uint64_t stack_top) {
  return reinterpret_cast<SyscallFrame*>(stack_top - GREEN_RED_ZONE - sizeof(SyscallFrame));
}
// clone of a process that gets a copy of the memory, by `call` instead of f, as it has no other
// stack: the child goes to stack_top by itself, or stays for 0. clone of one that shares memory
// (vfork, posix_spawn).
long ForkProcess(SyscallFrame& f, const SyscallFrame& call, uint64_t flags, uint64_t stack_top);
long StartVmChild(SyscallFrame& f, uint64_t clone_flags);
// Runs in a forked child once it is a plain native process again.
void SetForkedChildHook(void (*hook)());
// In it: the task that would have ended the batch is gone.
void ResetCredentialBatchAfterFork();

// Where libc's own calls are made from, and those that syscall(2) makes for the program; unused
// ranges are empty. Before the scheduler starts.
struct CodeRange {
  uintptr_t begin = 0, end = 0;
  // What stands behind a call's instruction, which may be the range's last.
  bool Holds(uintptr_t behind) const { return behind > begin && behind <= end; }
};
inline constexpr int kMaxLibcRanges = 8;
void SetLibcCode(const CodeRange (&libc)[kMaxLibcRanges], CodeRange syscall_function);

// prctl(2) options that are the kernel thread's (own_thread.cc).
long PrctlOfThread(SyscallFrame& f);

}  // namespace green
