#include "syscalls/shared_pi.h"

#include <linux/futex.h>

#include "sched/state.h"

namespace green {
namespace {

// 1: taken; 0: held by another, whose word, with FUTEX_WAITERS, is *held; or -EDEADLK or -EFAULT.
long Take(uint32_t* word, uint32_t flags, uint32_t* held) {
  const uint32_t self = CurrentTask()->tid;
  uint32_t v;
  if (!green_load32(word, &v)) return -EFAULT;
  for (;;) {
    const bool is_free = !(v & FUTEX_TID_MASK);
    if ((v & FUTEX_TID_MASK) == self) return -EDEADLK;
    const uint32_t wanted = is_free ? v | self | flags : v | FUTEX_WAITERS;
    bool done = v == wanted;
    if (!done && !green_cas32(word, &v, wanted, &done)) return -EFAULT;
    if (!done) continue;
    *held = wanted;
    return is_free;
  }
}

// FUTEX_LOCK_PI counts on the real-time clock, its successor on the flag's.
long Lock(const SyscallFrame& f, uint32_t* word) {
  const bool real_time =
      (ArgInt(f, 1) & FUTEX_CMD_MASK) == FUTEX_LOCK_PI || (f.rsi & FUTEX_CLOCK_REALTIME);
  const long wait = FUTEX_WAIT_BITSET | (real_time ? FUTEX_CLOCK_REALTIME : 0);
  uint32_t flags = 0, held;
  for (;;) {
    if (const long r = Take(word, flags, &held)) return r == 1 ? 0 : r;
    const long r = BlockingCall(SYS_futex, reinterpret_cast<long>(word), wait, held,
                                static_cast<long>(f.r10), 0, FUTEX_BITSET_MATCH_ANY, true);
    if (r == -EINTR) return kRestartAlways;
    if (r != 0 && r != -EAGAIN) return r;
    flags = FUTEX_WAITERS;
  }
}

long TryLock(uint32_t* word) {
  uint32_t v;
  if (!green_load32(word, &v)) return -EFAULT;
  for (bool done = false; !done;) {
    if ((v & FUTEX_TID_MASK) == CurrentTask()->tid) return -EDEADLK;
    if (v & FUTEX_TID_MASK) return -EAGAIN;
    if (!green_cas32(word, &v, v | CurrentTask()->tid, &done)) return -EFAULT;
  }
  return 0;
}

long Unlock(uint32_t* word) {
  uint32_t v;
  if (!green_load32(word, &v)) return -EFAULT;
  for (bool done = false; !done;) {
    if ((v & FUTEX_TID_MASK) != CurrentTask()->tid) return -EPERM;
    if (!green_cas32(word, &v, 0, &done)) return -EFAULT;
  }
  if (v & FUTEX_WAITERS) RawSyscall(SYS_futex, word, FUTEX_WAKE, 1);
  return 0;
}

// A bound task's number is its thread's, so that natively running processes can wait for it.
bool HasKernelNumber() { return CurrentTask()->tid == CurrentCarrier()->tid; }

// The main task's number is a kernel thread's, too, which the kernel would take for the owner; a
// green one unlocks on any.
bool IsGreenMains(const uint32_t* word) {
  uint32_t held;
  if (!green_load32(word, &held) || (held & FUTEX_TID_MASK) != g_sched.pid) return false;
  const Task* main = FindTask(g_sched.pid);
  return main && !main->bound && main != CurrentTask();
}

// True if the kernel's answer is final. It knows no green task as owner (ESRCH), and refuses where
// one waits (EINVAL).
bool DoInKernel(const SyscallFrame& f, const uint32_t* word, long* result) {
  *result = BlockingRaw(f, true);
  if (*result == -EINTR) *result = kRestartAlways;
  uint32_t held;
  if (*result == -ESRCH && green_load32(word, &held)) return (held & FUTEX_TID_MASK) < kFirstTid;
  return *result != -EINVAL;
}

}  // namespace

bool IsSharedPi(int op) {
  return op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2 || op == FUTEX_TRYLOCK_PI ||
         op == FUTEX_UNLOCK_PI;
}

long SharedPi(SyscallFrame& f, uint32_t* word) {
  if (reinterpret_cast<uintptr_t>(word) % sizeof *word) return -EINVAL;
  if (long result; HasKernelNumber() && !IsGreenMains(word) && DoInKernel(f, word, &result))
    return result;
  switch (ArgInt(f, 1) & FUTEX_CMD_MASK) {
    case FUTEX_TRYLOCK_PI: return TryLock(word);
    case FUTEX_UNLOCK_PI: return Unlock(word);
    default: return Lock(f, word);
  }
}

}  // namespace green
