// What handlers have in common. A handler reads like the man page: decode, try, wait, retry. It
// returns what the kernel would (-errno on failure) or one of the codes below, and holds nothing
// when it returns: signal handlers may run, longjmp or unwind right after.
#pragma once

#include <errno.h>
#include <sys/syscall.h>

#include "arch/x86_64/frame.h"
#include "arch/x86_64/user_memory.h"
#include "base/raw_syscall.h"
#include "sched/scheduler.h"

namespace green {

using Handler = long (*)(SyscallFrame&);

// Interrupted by a signal: restarted if every handler that ran has SA_RESTART, else EINTR.
inline constexpr long kRestart = -512;
// Restarted whatever ran: the signal came before the call had begun. Where the call had begun
// before, and only others' signals have ended it, this is kRestart.
inline constexpr long kRestartAlways = -513;
// Restarted only when no handler ran; else EINTR whatever its flags (signal(7)).
inline constexpr long kRestartNoHandler = -514;
// The system call is to be executed in the slot's raw tail.
inline constexpr long kInSlot = -1000000;

template <typename T>
inline T ArgAs(const SyscallFrame& f, int i) {
  return (T)(f.Arg(i));
}
inline int ArgInt(const SyscallFrame& f, int i) { return static_cast<int>(f.Arg(i)); }

// The call as the program made it.
inline long Raw(const SyscallFrame& f) {
  return RawSyscall(static_cast<long>(f.rax), f.rdi, f.rsi, f.rdx, f.r10, f.r8, f.r9);
}

// The same for calls that may take long, such as a close that flushes: outside, so that the worker
// can be taken away meanwhile. Handlers may run; nothing may be held.
inline long RawOutside(const SyscallFrame& f) {
  LeaveGreen();
  const long r = Raw(f);
  EnterGreen();
  return r;
}

// A look that does not wait, but may be long in coming from a file system that does not answer.
template <typename... Args>
inline long LookOutside(long nr, Args... args) {
  LeaveGreen();
  const long r = RawSyscall(nr, args...);
  EnterGreen();
  return r;
}

// The current task's call in the kernel said EINTR: because of signals for others only, so that the
// program is not to know. Inside libgreen.
bool IsForOthersOnly(const Task* t);

// The same of a call that has done something: a signal has cut it short, perhaps, and none was for
// the task.
bool IsCutShort(const Task* t);

// The call as the program made it, on a carrier of its own if it blocks: at once (hand_off) or
// when the monitor finds it blocked. -EINTR as the kernel returned it; kRestart when it did so on
// others' behalf; kRestartAlways when a signal came before the call. kRestart for that, too, where
// handlers are to wait (HeldByCall).
// The kernel is to see `blocked` as blocked by the calling thread (tty_signals.h).
long BlockingCall(long nr, long a, long b, long c, long d, long e, long g, bool hand_off,
                  SigSet blocked = 0);
long BlockingRaw(const SyscallFrame& f, bool hand_off);

// The same for a bound task, and for calls that every handler ends with EINTR, whatever its flags
// (signal(7)): no signal slips in between a temporary mask and the wait. -EINTR when a handler ran,
// kRestartNoHandler when the call was interrupted, or not begun, for a signal still to be looked
// at.
long InterruptibleCall(long nr, long a, long b, long c, long d, long e, long g);

// A part of a call that has done something before: as InterruptibleCall.
long BlockingPart(long nr, const long* args, SigSet blocked);

// While one of these lives the current task's signals wait for the end of its call, also outside
// libgreen: what the call holds would be left behind by a handler that jumps, or ends the thread.
class HeldByCall {
 public:
  HeldByCall() { ++CurrentTask()->held_by_call; }
  ~HeldByCall() { --CurrentTask()->held_by_call; }
  HeldByCall(const HeldByCall&) = delete;
  HeldByCall& operator=(const HeldByCall&) = delete;
};

// The deadline of the call being executed: computed once, kept when it is restarted.
// relative_ns < 0 or kNever: none.
inline int64_t DeadlineAfter(int64_t relative_ns) {
  Task* t = CurrentTask();
  if (!(t->frame & 1)) {
    t->frame |= 1;
    const int64_t now = NowNs();
    t->op_deadline = relative_ns == kNever || relative_ns < 0 || relative_ns > kNever - now
                         ? kNever
                         : now + relative_ns;
  }
  return t->op_deadline;
}

// What is left of such a time-out, for the kernel; null for kNever.
inline KernelTimespec* TimeLeft(int64_t timeout, KernelTimespec* ts) {
  if (timeout == kNever) return nullptr;
  int64_t left = timeout;
  if (timeout) {
    const bool restarted = CurrentTask()->frame & 1;
    const int64_t deadline = DeadlineAfter(timeout);
    if (restarted) left = deadline - NowNs();
  }
  if (left < 0) left = 0;
  *ts = {left / 1000000000, left % 1000000000};
  return ts;
}

// The same for calls that take milliseconds: rounded up, -1 for kNever.
inline long MsLeft(const KernelTimespec* left) {
  return left ? left->sec * 1000 + (left->nsec + 999999) / 1000000 : -1;
}

inline bool ValidTimespec(const KernelTimespec& ts) {
  return ts.sec >= 0 && ts.nsec >= 0 && ts.nsec < 1000000000;
}
inline int64_t ToNs(const KernelTimespec& ts) {
  if (ts.sec >= kNever / 1000000000) return kNever;
  return ts.sec * 1000000000 + ts.nsec;
}

// A time of the program's: 0, -EFAULT or -EINVAL.
inline long ReadTimespec(const void* user, KernelTimespec* ts) {
  if (!CopyIn(ts, user)) return -EFAULT;
  return ValidTimespec(*ts) ? 0 : -EINVAL;
}

// The relative time-out of a call that waits in the kernel: as the program gave it, right or wrong
// (*right: which); of one that is made once more what is left.
inline const void* TimeLeftOf(const void* user, KernelTimespec* ts, bool* right = nullptr) {
  KernelTimespec given;
  const bool is_time = user && !ReadTimespec(user, &given);
  if (right) *right = is_time || !user;
  if (!is_time) return user;
  const bool again = CurrentTask()->frame & 1;
  TimeLeft(ToNs(given), ts);
  return again ? ts : user;
}

// ns of `clock` to ns of CLOCK_MONOTONIC.
inline int64_t ToMonotonic(int clock, int64_t deadline) {
  if (clock == CLOCK_MONOTONIC || deadline == kNever) return deadline;
  const int64_t left = deadline - ClockNs(clock);
  const int64_t now = NowNs();
  if (left <= 0) return now;
  return left > kNever - now ? kNever : now + left;
}

// The end of every call: out of libgreen, after which the task's signals are looked at. Handlers
// may run, so it may never return.
void EndCall(Task* t, SyscallFrame& f);

// openat(2) of what the kernel does not know, or -ENOENT (open.cc).
long OpenOfTask(const SyscallFrame& f);

// getdents64(2) has listed r bytes of entries: the same, or libgreen's of /proc/self/task in their
// place (task_directory.cc).
long ListTasksInstead(const SyscallFrame& f, long r);

// The handler of a system call number, or null when it goes straight to the kernel.
Handler HandlerOf(long nr);
inline bool IsTreated(int nr) { return HandlerOf(nr) != nullptr; }

}  // namespace green
