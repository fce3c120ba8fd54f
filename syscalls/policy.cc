// Scheduling policy, priority and nice value of tasks: a bound task's are the kernel's, a green
// one's are kept and reported as set.
#include <sched.h>
#include <sys/resource.h>

#include "base/kernel_types.h"
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

// The same for a nice value.
long NiceRefusal(const Task* t, int nice) {
  if (nice >= t->nice || RawSyscall(SYS_geteuid) == 0) return 0;
  rlimit limit;
  RawSyscall(SYS_prlimit64, 0, RLIMIT_NICE, nullptr, &limit);
  return static_cast<uint64_t>(20 - nice) > limit.rlim_cur ? -EACCES : 0;
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

namespace {
constexpr uint64_t kResetOnForkFlag = 1;
}  // namespace

long SysSchedSetattr(SyscallFrame& f) {
  long error;
  Task* t = TaskOf(f.rdi, &error);
  if (!t) return error ? error : Raw(f);
  KernelSchedAttr attr;
  if (!f.rsi || f.rdx) return -EINVAL;
  if (!CopyIn(&attr, ArgAs<void*>(f, 1))) return -EFAULT;
  // Deadlines, clamps and what is to be kept: the kernel's business, for the caller itself.
  if (attr.policy == kDeadline || (attr.flags & ~kResetOnForkFlag) || attr.size < sizeof attr) {
    if (t != CurrentTask()) return -EPERM;
    if (!BindForGood()) return -EAGAIN;
    return RawSyscall(SYS_sched_setattr, 0, f.rsi, f.rdx);
  }
  const int reset = attr.flags & kResetOnForkFlag ? SCHED_RESET_ON_FORK : 0;
  const int policy = static_cast<int>(attr.policy) | reset;
  const int priority = static_cast<int>(attr.priority);
  if (const long r = Refusal(policy, priority)) return r;
  if (!IsRealTime(policy)) {
    if (attr.nice < -20 || attr.nice > 19) return -EINVAL;
    if (NiceRefusal(t, attr.nice)) return -EPERM;
    SetTaskNice(t, attr.nice);
  }
  return SetTaskPolicy(t, policy, priority);
}

long SysSchedGetattr(SyscallFrame& f) {
  long error;
  Task* t = TaskOf(f.rdi, &error);
  if (!t) return error ? error : Raw(f);
  if (!f.rsi || f.rdx < sizeof(KernelSchedAttr) || f.rdx > 4096 || f.r10) return -EINVAL;
  if (t == CurrentTask() && t->own_thread) return RawSyscall(SYS_sched_getattr, 0, f.rsi, f.rdx, 0);
  KernelSchedAttr attr = {};
  attr.size = sizeof attr;
  attr.policy = static_cast<uint32_t>(t->policy & ~SCHED_RESET_ON_FORK);
  attr.flags = t->policy & SCHED_RESET_ON_FORK ? kResetOnForkFlag : 0;
  attr.nice = IsRealTime(t->policy) ? 0 : t->nice;
  attr.priority = static_cast<uint32_t>(t->priority);
  return CopyOut(ArgAs<void*>(f, 1), attr) ? 0 : -EFAULT;
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
  if (const long r = NiceRefusal(t, nice)) return r;
  SetTaskNice(t, nice);
  return 0;
}

}  // namespace green
