// Scheduling policy, priority and nice value of tasks: a bound task's are the kernel's, a green one's
// are kept and reported as set.
#include <sched.h>
#include <sys/resource.h>

#include "sched/identity.h"
#include "syscalls/handlers.h"

namespace green {
namespace {

constexpr int kDeadline = 6;  // SCHED_DEADLINE

// A task of this process; null with *error: no such thread, or another process's (0).
Task* TaskOf(uint64_t number, long* error) {
  const auto tid = static_cast<uint32_t>(number);
  *error = 0;
  if (tid == 0) return CurrentTask();
  if (Task* t = FindTask(tid)) return t;
  if (tid >= kFirstTid) *error = -ESRCH;
  return nullptr;
}

// What the kernel would say to this policy and priority for a thread of ours: 0 or -errno. Root is
// taken to have CAP_SYS_NICE.
long Refusal(int policy, int priority) {
  const int base = policy & ~SCHED_RESET_ON_FORK;
  if (base == SCHED_OTHER || base == SCHED_BATCH || base == SCHED_IDLE)
    return priority == 0 ? 0 : -EINVAL;
  if (base == kDeadline) return -EINVAL;
  if (base != SCHED_FIFO && base != SCHED_RR) return -EINVAL;
  if (priority < 1 || priority > 99) return -EINVAL;
  rlimit limit;
  if (RawSyscall(SYS_geteuid) == 0) return 0;
  RawSyscall(SYS_prlimit64, 0, RLIMIT_RTPRIO, nullptr, &limit);
  return static_cast<uint64_t>(priority) <= limit.rlim_cur ? 0 : -EPERM;
}

}  // namespace

long SysSchedSetscheduler(SyscallFrame& f) {
  long error;
  Task* t = TaskOf(f.rdi, &error);
  if (!t) return error ? error : Raw(f);
  int priority;
  if (!f.rdx || ArgInt(f, 1) < 0) return -EINVAL;
  if (!CopyIn(&priority, ArgAs<void*>(f, 2))) return -EFAULT;
  if (const long r = Refusal(ArgInt(f, 1), priority)) return r;
  return SetTaskPolicy(t, ArgInt(f, 1), priority);
}

long SysSchedGetscheduler(SyscallFrame& f) {
  long error;
  Task* t = TaskOf(f.rdi, &error);
  return t ? t->policy : error ? error : Raw(f);
}

long SysSchedSetparam(SyscallFrame& f) {
  long error;
  Task* t = TaskOf(f.rdi, &error);
  if (!t) return error ? error : Raw(f);
  int priority;
  if (!f.rsi) return -EINVAL;
  if (!CopyIn(&priority, ArgAs<void*>(f, 1))) return -EFAULT;
  if (const long r = Refusal(t->policy, priority)) return r;
  return SetTaskPolicy(t, t->policy, priority);
}

long SysSchedGetparam(SyscallFrame& f) {
  long error;
  Task* t = TaskOf(f.rdi, &error);
  if (!t) return error ? error : Raw(f);
  if (!f.rsi) return -EINVAL;
  return CopyOut(ArgAs<void*>(f, 1), t->priority) ? 0 : -EFAULT;
}

long SysSchedRrGetInterval(SyscallFrame& f) {
  long error;
  Task* t = TaskOf(f.rdi, &error);
  if (!t) return error ? error : Raw(f);
  return RawSyscall(SYS_sched_rr_get_interval, 0, f.rsi);
}

// Linux's nice value is per thread (getpriority(2), "C library/kernel differences").
long SysGetpriority(SyscallFrame& f) {
  if (ArgInt(f, 0) != PRIO_PROCESS) return Raw(f);
  long error;
  Task* t = TaskOf(f.rsi, &error);
  if (!t) return error ? error : Raw(f);
  return 20 - t->nice;
}

long SysSetpriority(SyscallFrame& f) {
  if (ArgInt(f, 0) != PRIO_PROCESS) return Raw(f);
  long error;
  Task* t = TaskOf(f.rsi, &error);
  if (!t) return error ? error : Raw(f);
  int nice = ArgInt(f, 2);
  if (nice < -20) nice = -20;
  if (nice > 19) nice = 19;
  if (nice < t->nice && RawSyscall(SYS_geteuid) != 0) {
    rlimit limit;
    RawSyscall(SYS_prlimit64, 0, RLIMIT_NICE, nullptr, &limit);
    if (static_cast<uint64_t>(20 - nice) > limit.rlim_cur) return -EACCES;
  }
  SetTaskNice(t, nice);
  return 0;
}

}  // namespace green
