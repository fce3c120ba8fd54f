// futex(2).
#include <linux/futex.h>

#include "sched/futex_table.h"
#include "syscalls/handlers.h"
#include "syscalls/shared_memory.h"
#include "syscalls/shared_pi.h"

namespace green {
namespace {

constexpr uint32_t kAny = FUTEX_BITSET_MATCH_ANY;

// The deadline of a wait; false with *error set. Absolute timeouts are on `clock`.
bool Deadline(const SyscallFrame& f, bool absolute, int clock, int64_t* deadline, long* error) {
  *deadline = kNever;
  if (!f.r10) return true;
  KernelTimespec ts;
  *error = ReadTimespec(ArgAs<void*>(f, 3), &ts);
  if (*error) return false;
  if (!absolute) {
    *deadline = DeadlineAfter(ToNs(ts));
    return true;
  }
  // An absolute time on the settable clock is looked at anew on every restart.
  *deadline = ToMonotonic(clock, ToNs(ts));
  return true;
}

__attribute__((always_inline)) inline long Wait(SyscallFrame& f, uint32_t* word, uint32_t bitset,
                                                bool absolute, int clock) {
  int64_t deadline;
  long error;
  if (!Deadline(f, absolute, clock, &deadline, &error)) return error;
  const long r = FutexWait(word, static_cast<uint32_t>(f.rdx), bitset, deadline);
  if (r != -EINTR) return r;
  return f.r10 ? kRestartNoHandler : kRestart;
}

// The kernel's, while every task is bound. Priority inheritance is not: the word holds the number
// of a task.
bool IsInTableAlways(int op) {
  switch (op) {
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_TRYLOCK_PI:
    case FUTEX_UNLOCK_PI:
    case FUTEX_WAIT_REQUEUE_PI:
    case FUTEX_CMP_REQUEUE_PI: return true;
    default: return false;
  }
}

long DoNatively(SyscallFrame& f) {
  const int op = ArgInt(f, 1) & FUTEX_CMD_MASK;
  if (op != FUTEX_WAIT && op != FUTEX_WAIT_BITSET) return Raw(f);
  if (op == FUTEX_WAIT_BITSET || !f.r10) return BlockingRaw(f, false);
  // What is left of the time, if the call is restarted on another task's behalf.
  KernelTimespec ts;
  if (const long wrong = ReadTimespec(ArgAs<void*>(f, 3), &ts)) return wrong;
  TimeLeft(ToNs(ts), &ts);
  return BlockingCall(SYS_futex, static_cast<long>(f.rdi), static_cast<long>(f.rsi),
                      static_cast<long>(f.rdx), reinterpret_cast<long>(&ts), 0, 0, false);
}

bool Blocks(int op) {
  return op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET || op == FUTEX_WAIT_REQUEUE_PI;
}

// Tasks wait in the table and in the kernel. Waking some that need not be is a spurious wake-up.
long WakeInBoth(SyscallFrame& f, uint32_t* word, int op) {
  const int count = static_cast<int>(f.rdx);
  const long woken = FutexWake(word, count, op == FUTEX_WAKE ? kAny : static_cast<uint32_t>(f.r9));
  if (woken < 0 || (woken && woken >= count)) return woken;
  const long more = RawSyscall(SYS_futex, word, f.rsi, count - woken, 0, 0, f.r9);
  return IsError(more) ? more : woken + more;
}

long RequeueInBoth(SyscallFrame& f, uint32_t* word, uint32_t* word2, int op) {
  const auto value = static_cast<uint32_t>(f.r9);
  const int wake = static_cast<int>(f.rdx), requeue = static_cast<int>(f.r10);
  const long done =
      FutexRequeue(word, word2, wake, requeue, op == FUTEX_REQUEUE ? nullptr : &value);
  if (done < 0) return done;
  const long left = wake > done ? wake - done : 0;
  const long more = RawSyscall(SYS_futex, word, f.rsi, left, f.r10, word2, f.r9);
  return IsError(more) ? done : done + more;
}

long WakeOpInBoth(SyscallFrame& f, uint32_t* word, uint32_t* word2) {
  const int wake = static_cast<int>(f.rdx), wake2 = static_cast<int>(f.r10);
  const long woken = FutexWakeOp(word, word2, wake, wake2, static_cast<uint32_t>(f.r9));
  if (woken < 0) return woken;
  const long flags = static_cast<long>(f.rsi) & FUTEX_PRIVATE_FLAG;
  const long more = RawSyscall(SYS_futex, word, FUTEX_WAKE | flags, wake);
  const long more2 = RawSyscall(SYS_futex, word2, FUTEX_WAKE | flags, wake2);
  return woken + (IsError(more) ? 0 : more) + (IsError(more2) ? 0 : more2);
}

// False: what follows is for the table alone.
bool DoElsewhere(SyscallFrame& f, uint8_t places, long* result) {
  auto word = ArgAs<uint32_t*>(f, 0), word2 = ArgAs<uint32_t*>(f, 4);
  const int op = ArgInt(f, 1) & FUTEX_CMD_MASK;
  if (IsInTableAlways(op)) return false;
  if (places & kNative) {
    *result = DoNatively(f);
    return true;
  }
  switch (op) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
      if (!(places & kVmShared)) return false;
      *result = BlockingRaw(f, true);
      return true;
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: *result = WakeInBoth(f, word, op); return true;
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE: *result = RequeueInBoth(f, word, word2, op); return true;
    case FUTEX_WAKE_OP: *result = WakeOpInBoth(f, word, word2); return true;
    default: return false;
  }
}

}  // namespace

long SysFutex(SyscallFrame& f) {
  auto word = ArgAs<uint32_t*>(f, 0);
  const uint8_t elsewhere = FutexesElsewhere();
  if (long result; __builtin_expect(elsewhere != 0, 0) && DoElsewhere(f, elsewhere, &result))
    return result;
  // What nearly all of libc's calls are.
  const auto operation = static_cast<uint32_t>(f.rsi);
  if (operation == (FUTEX_WAKE | FUTEX_PRIVATE_FLAG))
    return FutexWake(word, static_cast<int>(f.rdx), kAny);
  if ((operation & ~uint32_t{FUTEX_CLOCK_REALTIME}) == (FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG) &&
      !f.r10) {
    const long r =
        FutexWait(word, static_cast<uint32_t>(f.rdx), static_cast<uint32_t>(f.r9), kNever);
    return __builtin_expect(r == -EINTR, 0) ? kRestart : r;
  }
  auto word2 = ArgAs<uint32_t*>(f, 4);
  const int op = ArgInt(f, 1) & FUTEX_CMD_MASK;
  const bool is_private = f.rsi & FUTEX_PRIVATE_FLAG;
  const int clock = f.rsi & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  if (!is_private && IsSharedMemory(word)) {
    if (IsSharedPi(op)) return SharedPi(f, word);
    return Blocks(op) ? BlockingRaw(f, true) : Raw(f);
  }
  switch (op) {
    case FUTEX_WAIT: return Wait(f, word, kAny, false, clock);
    case FUTEX_WAIT_BITSET: return Wait(f, word, static_cast<uint32_t>(f.r9), true, clock);
    case FUTEX_WAKE: return FutexWake(word, static_cast<int>(f.rdx), kAny);
    case FUTEX_WAKE_BITSET:
      return FutexWake(word, static_cast<int>(f.rdx), static_cast<uint32_t>(f.r9));
    case FUTEX_REQUEUE:
      return FutexRequeue(word, word2, static_cast<int>(f.rdx), static_cast<int>(f.r10), nullptr);
    case FUTEX_CMP_REQUEUE: {
      const auto value = static_cast<uint32_t>(f.r9);
      return FutexRequeue(word, word2, static_cast<int>(f.rdx), static_cast<int>(f.r10), &value);
    }
    case FUTEX_WAKE_OP:
      return FutexWakeOp(word, word2, static_cast<int>(f.rdx), static_cast<int>(f.r10),
                         static_cast<uint32_t>(f.r9));
    case FUTEX_TRYLOCK_PI: return FutexLockPi(word, kNever, true);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2: {
      int64_t deadline;
      long error;
      // FUTEX_LOCK_PI counts on the real-time clock, its successor on the flag's.
      if (!Deadline(f, true, op == FUTEX_LOCK_PI ? CLOCK_REALTIME : clock, &deadline, &error))
        return error;
      const long r = FutexLockPi(word, deadline, false);
      return r == -EINTR ? kRestartAlways : r;
    }
    case FUTEX_UNLOCK_PI:
      // Read before anything else is looked at.
      if (uint32_t value; !CopyIn(&value, word)) return -EFAULT;
      return FutexUnlockPi(word);
    case FUTEX_WAIT_REQUEUE_PI: {
      int64_t deadline;
      long error;
      if (!Deadline(f, true, clock, &deadline, &error)) return error;
      const long r = FutexWaitRequeuePi(word, static_cast<uint32_t>(f.rdx), deadline, word2);
      return r == -EINTR ? kRestart : r;
    }
    case FUTEX_CMP_REQUEUE_PI:
      return FutexCmpRequeuePi(word, word2, static_cast<int>(f.r10), static_cast<uint32_t>(f.r9));
    default: return Raw(f);
  }
}

}  // namespace green
