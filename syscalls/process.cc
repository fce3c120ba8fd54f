// fork, vfork, exec, wait.
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "arch/x86_64/base_registers.h"
#include "sched/signals.h"
#include "syscalls/fd_info.h"
#include "syscalls/handlers.h"
#include "syscalls/robust_list.h"
#include "syscalls/shared_memory.h"
#include "syscalls/shared_pi.h"
#include "syscalls/threads.h"

namespace green {
namespace {
void (*g_child_hook)() = nullptr;
}

void SetForkedChildHook(void (*hook)()) { g_child_hook = hook; }

extern "C" [[noreturn]] void green_leave_through(SyscallFrame* frame);

// The child has this task only. It becomes an ordinary native process; its first pthread_create
// starts libgreen anew. `call` is what the kernel is asked for: with no other stack, on which the
// child could not return through here.
long ForkProcess(SyscallFrame& f, const SyscallFrame& call, uint64_t flags, uint64_t stack_top) {
  Task* cur = CurrentTask();
  const bool waits = flags & CLONE_VFORK;
  if (waits) LeaveFirstThread();
  const SigSet all = ~SigSet{0};
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
  NoteShared();  // before the child can use what it inherits; once more for what others just made
  if (waits) EnterBlocking(true);
  const long r = Raw(call);
  if (r == 0) {
    ResetSharedMemoryAfterFork();
    ResetSharedPiAfterFork();
    ResetRobustListsAfterFork();
    ResetCredentialBatchAfterFork();
    g_child_hook();
    ResetSchedulerAfterFork(cur);
    if (!stack_top) return 0;
    SyscallFrame* frame = FrameBelow(stack_top);
    *frame = f;
    frame->rax = 0;
    LeaveGreen();
    green_leave_through(frame);
  }
  NoteParent();
  UseCarrierMaskInKernel();
  if (waits) LeaveBlocking();
  NoteShared();
  return r;
}

long SysFork(SyscallFrame& f) { return ForkProcess(f, f, 0, 0); }

// The child borrows our memory, even this stack, until it execs or exits: the call is made in the
// slot's raw tail. The worker goes on elsewhere, as the kernel suspends this carrier.
// Signals wait meanwhile: the child has our handlers, and GS base is this carrier's until it has
// another. Without CLONE_VFORK both go on at once, on a stack each.
long StartVmChild(SyscallFrame&, uint64_t clone_flags) {
  if (!(clone_flags & CLONE_VFORK)) NoteSharedVm();
  LeaveFirstThread();  // which must answer while it is suspended
  NoteShared();
  NoteParent();
  const SigSet all = ~SigSet{0};
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
  EnterBlocking(true);
  return kInSlot;
}

long SysVfork(SyscallFrame& f) { return StartVmChild(f, CLONE_VFORK | CLONE_VM); }

void AfterVmChild() {
  NoteShared();
  UseCarrierMaskInKernel();
  LeaveBlocking();
  LeaveGreenAndDeliver();
}

// In the child; the task's mask is what it would have inherited, and what exec passes on.
void BeginVmChild() {
  Task* t = CurrentTask();
  SetGsBase(reinterpret_cast<uintptr_t>(&g_native_carrier));
  UseTaskSignalsInKernel(t);
}

namespace {
// Returns only if it was not done.
long Exec(const SyscallFrame& f) {
  Task* t = CurrentTask();
  // What it accepts is handled first, also where another task was told of it: the kernel, to which
  // the rest goes, would only give it to this thread again.
  t->attention.store(true, std::memory_order_seq_cst);
  if (HasDeliverable(t)) return kRestartAlways;
  ReturnPendingToKernel(t);
  UseTaskSignalsInKernel(t);
  // What came for a handler until then is noted, and would be lost.
  return CarrierAttention() ? kRestartAlways : Raw(f);
}
}  // namespace

long SysExecve(SyscallFrame& f) {
  ShowTraceToItsEnd();
  BeginExec();
  HoldAllSignals();
  const long r = Exec(f);
  EndExec();
  UseOwnActionsInKernel();
  EndHoldingAll();
  return r;
}

long SysExitGroup(SyscallFrame& f) { EndProcess(static_cast<int>(f.rdi)); }

[[noreturn]] void EndProcess(int status) {
  TellOfTheEnd();
  for (;;) RawSyscall(SYS_exit_group, status);
}

namespace {
// SIGCHLD was sent before the wait ended: its handler runs before the program learns of the end.
long Waited(long r, bool reaped) {
  if (reaped && HasHandler(SIGCHLD)) FetchSignals(SigBit(SIGCHLD));
  return r;
}
}  // namespace

long SysWait4(SyscallFrame& f) {
  long r = RawSyscall(SYS_wait4, f.rdi, f.rsi, f.rdx | WNOHANG, f.r10);
  if (r == 0 && !(f.rdx & WNOHANG)) r = BlockingRaw(f, true);
  return Waited(r, r > 0);
}

long SysWaitid(SyscallFrame& f) {
  // Whether WNOHANG found a child shows in the siginfo only; the kernel's call decides.
  const long r = f.r10 & WNOHANG ? Raw(f) : BlockingRaw(f, true);
  return Waited(r, r == 0);
}

}  // namespace green
