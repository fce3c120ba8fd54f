// Sleeping, and the CPU clocks of tasks.
#include <sys/resource.h>
#include <time.h>

#include "sched/identity.h"
#include "syscalls/handlers.h"

namespace green {
namespace {

// Others that were back sooner have looked for something themselves.
constexpr int64_t kWorthwhileNs = 10'000;
// For the way to where a worker sleeps. There the kernel adds the timer's slack (PR_SET_TIMERSLACK
// of prctl(2)), 50 us, as natively.
constexpr int64_t kShortestNs = 5'000;

// One that is over at once lets others run too, as natively: loops wait so for other threads. For
// those of this worker it was long enough when they have done something. For others it really
// sleeps: the kernel takes sched_yield(2) for a share of the CPU given up, and beside other
// programs that compute it returns after milliseconds only.
int64_t LongEnough(int64_t deadline) {
  const int64_t now = NowNs();
  if (now < deadline || (LetOthersRun() && NowNs() - now >= kWorthwhileNs)) return deadline;
  return NowNs() + kShortestNs;
}

long SleepUntil(int64_t deadline) {
  Task* cur = CurrentTask();
  Count(CurrentWorker()->parked_sleep);
  deadline = LongEnough(deadline);
  while (NowNs() < deadline) {
    if (cur->attention.load(std::memory_order_acquire)) return kRestartNoHandler;
    ParkUntil(WaitReason::kSleep, deadline);
  }
  return 0;
}

}  // namespace

long SysNanosleep(SyscallFrame& f) {
  KernelTimespec ts;
  if (const long wrong = ReadTimespec(ArgAs<void*>(f, 0), &ts)) return wrong;
  const int64_t deadline = DeadlineAfter(ToNs(ts));
  const long r = SleepUntil(deadline);
  if (r && f.rsi) {
    const int64_t left = deadline - NowNs();
    const KernelTimespec out = {left > 0 ? left / 1000000000 : 0, left > 0 ? left % 1000000000 : 0};
    if (!CopyOut(ArgAs<void*>(f, 1), out)) return -EFAULT;
  }
  return r;
}

long SysClockNanosleep(SyscallFrame& f) {
  const int clock = ArgInt(f, 0);
  KernelTimespec ts;
  // Clocks that stop, jump ahead or count CPU time: the kernel knows when they are due.
  if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME &&
      clock != CLOCK_TAI)
    return BlockingRaw(f, true);
  if (const long wrong = ReadTimespec(ArgAs<void*>(f, 2), &ts)) return wrong;
  if (f.rsi & TIMER_ABSTIME) {
    // The clock may be set meanwhile: look at it again at least once a second.
    const int64_t due = ToNs(ts);
    for (;;) {
      const int64_t now = ClockNs(clock);
      if (now >= due) return 0;
      const int64_t piece =
          clock != CLOCK_MONOTONIC && due - now > 1000000000 ? 1000000000 : due - now;
      const int64_t start = NowNs();
      const long r = SleepUntil(piece > kNever - start ? kNever - 1 : start + piece);
      if (r) return r;
    }
  }
  const int64_t deadline = DeadlineAfter(ToNs(ts));
  const long r = SleepUntil(deadline);
  if (r && f.r10) {
    const int64_t left = deadline - NowNs();
    const KernelTimespec out = {left > 0 ? left / 1000000000 : 0, left > 0 ? left % 1000000000 : 0};
    if (!CopyOut(ArgAs<void*>(f, 3), out)) return -EFAULT;
  }
  return r;
}

long SysGetrusage(SyscallFrame& f) {
  constexpr int kThread = 1;  // RUSAGE_THREAD
  const long r = Raw(f);
  int64_t ns;
  if (r || ArgInt(f, 0) != kThread || CurrentTask()->bound ||
      !TaskClock(CLOCK_THREAD_CPUTIME_ID, &ns))
    return r;
  // The carrier's counts would be of many tasks. Of a task only its CPU time is known, not in whose
  // code it was used up.
  rusage usage = {};
  usage.ru_utime = {ns / 1000000000, ns % 1000000000 / 1000};
  return CopyOut(ArgAs<void*>(f, 1), usage) ? 0 : -EFAULT;
}

long SysClockGetres(SyscallFrame& f) {
  int64_t ns;
  if (!TaskClock(ArgInt(f, 0), &ns)) return Raw(f);
  if (ns < 0) return -EINVAL;
  const KernelTimespec ts = {0, 1};
  return !f.rsi || CopyOut(ArgAs<void*>(f, 1), ts) ? 0 : -EFAULT;
}

// clock_gettime(2) as a system call; libc mostly uses the vDSO (interpose/clock.cc).
long SysClockGettime(SyscallFrame& f) {
  int64_t ns;
  if (!TaskClock(ArgInt(f, 0), &ns)) return Raw(f);
  if (ns < 0) return -EINVAL;
  const KernelTimespec ts = {ns / 1000000000, ns % 1000000000};
  return CopyOut(ArgAs<void*>(f, 1), ts) ? 0 : -EFAULT;
}

}  // namespace green
