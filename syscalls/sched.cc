// prctl, affinity and the like: what the kernel keeps per thread and libgreen keeps per task.
#include <asm/prctl.h>
#include <signal.h>
#include <sys/prctl.h>

#include "sched/identity.h"
#include "sched/signals.h"
#include "syscalls/handlers.h"
#include "syscalls/threads.h"

namespace green {

long SysPrctl(SyscallFrame& f) {
  Task* t = CurrentTask();
  switch (ArgInt(f, 0)) {
    case PR_SET_NAME: {
      char name[16] = {};
      auto from = ArgAs<const char*>(f, 1);
      for (int i = 0; i < 15; ++i) {
        if (!green_copy(&name[i], from + i, 1)) return -EFAULT;
        if (!name[i]) break;
      }
      SetTaskName(t, name);
      return 0;
    }
    case PR_GET_NAME: return green_copy(ArgAs<void*>(f, 1), t->name, 16) ? 0 : -EFAULT;
    case PR_GET_TID_ADDRESS: return CopyOut(ArgAs<void*>(f, 1), t->clear_child_tid) ? 0 : -EFAULT;
    default: return PrctlOfThread(f);
  }
}

long SysArchPrctl(SyscallFrame& f) {
  Task* t = CurrentTask();
  switch (ArgInt(f, 0)) {
    case ARCH_SET_FS: {
      const long r = Raw(f);
      if (r == 0) t->fs_base = f.rsi;
      return r;
    }
    case ARCH_SET_GS: return -EPERM;  // libgreen's own (docs/design.md)
    case ARCH_GET_GS: {
      const uint64_t zero = 0;  // what a program that never set it would read
      return CopyOut(ArgAs<void*>(f, 1), zero) ? 0 : -EFAULT;
    }
    default: return Raw(f);
  }
}

namespace {
// A task of this process by number; 0 is the caller. Null: somebody else's.
Task* TaskOf(uint64_t tid) {
  return static_cast<uint32_t>(tid) ? FindTask(static_cast<uint32_t>(tid)) : CurrentTask();
}
}  // namespace

long SysSetaffinity(SyscallFrame& f) {
  Task* t = TaskOf(f.rdi);
  if (!t) return static_cast<uint32_t>(f.rdi) >= kFirstTid ? -ESRCH : Raw(f);
  uint64_t mask = 0;
  const size_t size = f.rsi < 8 ? f.rsi : 8;
  if (!green_copy(&mask, ArgAs<void*>(f, 2), size)) return -EFAULT;
  return SetTaskAffinity(t, mask);
}

long SysGetaffinity(SyscallFrame& f) {
  Task* t = TaskOf(f.rdi);
  if (!t) return static_cast<uint32_t>(f.rdi) >= kFirstTid ? -ESRCH : Raw(f);
  if (f.rsi < 8 || f.rsi % 8) return -EINVAL;
  const uint64_t out[1] = {TaskAffinity(t)};
  return CopyOut(ArgAs<void*>(f, 2), out) ? 8 : -EFAULT;
}

// A thread-directed timer names the task; the kernel gets a process-directed one whose signal
// comes to the task by the timer's number.
long SysTimerCreate(SyscallFrame& f) {
  struct KernelSigevent {
    uint64_t value;
    int32_t signo, notify, tid;
    int32_t pad[11];
  } ev;
  constexpr int kThreadId = 4;  // SIGEV_THREAD_ID
  int64_t ns, ahead = 0;
  int clock = ArgInt(f, 0);
  if (f.rsi && !CopyIn(&ev, ArgAs<void*>(f, 1))) return -EFAULT;
  if (TaskClock(clock, &ns)) {
    Task* measured = ns < 0 ? nullptr : TaskOfClock(clock);
    if (!measured) return -EINVAL;
    clock = ClockForTimers(measured, &ahead);
  }
  uint32_t receiver = 0;
  if (f.rsi && ev.notify == kThreadId) {
    Task* t = FindTask(static_cast<uint32_t>(ev.tid));
    if (!t) return -EINVAL;
    receiver = t->tid;
    ev.notify = SIGEV_SIGNAL;
  }
  const long r = RawSyscall(SYS_timer_create, clock, f.rsi ? &ev : nullptr, f.rdx);
  int id;
  // Also if there is nothing to tell: its number may have been another's before.
  if (r == 0 && CopyIn(&id, ArgAs<void*>(f, 2))) NoteTimer(id, receiver, ahead);
  return r;
}

long SysTimerGetoverrun(SyscallFrame& f) {
  const long r = Raw(f);
  const int noted = TimerOverrun(ArgInt(f, 0));
  return r < 0 || noted < 0 ? r : noted;
}

long SysTimerSettime(SyscallFrame& f) {
  const int64_t ahead = TimerAhead(ArgInt(f, 0));
  if (!ahead || !(f.rsi & TIMER_ABSTIME)) return SysChangeTimer(f);
  struct {
    KernelTimespec interval, value;
  } spec;
  if (!CopyIn(&spec, ArgAs<void*>(f, 2))) return -EFAULT;
  if (ValidTimespec(spec.value) && (spec.value.sec || spec.value.nsec)) {
    const int64_t due = ToNs(spec.value) + ahead;
    spec.value = {due / 1000000000, due % 1000000000};
  }
  const long r = RawSyscall(SYS_timer_settime, f.rdi, f.rsi, &spec, f.r10);
  FetchSignals(~SigSet{0});
  return r;
}

}  // namespace green
