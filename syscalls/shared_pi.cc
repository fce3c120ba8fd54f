#include "syscalls/shared_pi.h"

#include <limits.h>
#include <linux/futex.h>

#include "sched/first_thread.h"
#include "sched/futex_table.h"
#include "sched/state.h"

namespace green {
namespace {

constexpr uint32_t kAny = FUTEX_BITSET_MATCH_ANY;
constexpr int64_t kShortestPollNs = 1'000'000, kLongestPollNs = 16'000'000;
// A kernel's answer that another moment's state of the word explains is asked for again.
constexpr int kMostTries = 10'000;
constexpr int kSameLooks = 8;

// A green task has waited for an owner that the kernel knows: from then on all of this process wait
// as it does, or those in the kernel would hand the mutex to each other past it.
std::atomic<bool> g_green_waits{false};

bool IsKernels(uint32_t v) { return (v & FUTEX_TID_MASK) < kFirstTid; }
bool IsOwn(uint32_t v) { return (v & FUTEX_TID_MASK) == CurrentTask()->tid; }

// A bound task's number is its thread's, so that natively running processes can wait for it.
bool HasKernelNumber() {
  return CurrentTask()->bound && CurrentTask()->tid == CurrentCarrier()->tid;
}

long WakeKernel(uint32_t* word, int count) {
  return RawSyscall(SYS_futex, word, FUTEX_WAKE, count);
}

// The kernel refuses (EINVAL) where one sleeps on the word's value. They sleep on a green owner's
// only, and look again when they find another's. True: some have been woken.
bool WakeSleepers(uint32_t* word) { return WakeKernel(word, INT_MAX) != 0; }

// 0 with an owner: held by another; then *held is the word, with FUTEX_WAITERS. 1: taken. -EAGAIN:
// the kernel is about to give it to one of its waiters. Or -EDEADLK or -EFAULT.
long Take(uint32_t* word, uint32_t flags, uint32_t* held) {
  uint32_t v;
  if (!green_load32(word, &v)) return -EFAULT;
  for (bool done = false;;) {
    *held = v;
    if (IsOwn(v)) return -EDEADLK;
    uint32_t wanted = v | FUTEX_WAITERS;
    const bool is_free = !(v & FUTEX_TID_MASK);
    if (is_free) {
      if ((v & FUTEX_WAITERS) && WakeKernel(word, INT_MAX) == -EINVAL) return -EAGAIN;
      wanted = v | CurrentTask()->tid | flags;
    } else if (IsKernels(v) && !(v & FUTEX_WAITERS)) {
      // Those that sleep from before it came would be in the way of its unlock.
      WakeSleepers(word);
    }
    *held = wanted;
    if (v == wanted) return 0;
    if (!green_cas32(word, &v, wanted, &done)) return -EFAULT;
    if (!done) continue;
    // Some may have come with a green owner that it had in between.
    if (!is_free && IsKernels(v)) WakeSleepers(word);
    return is_free;
  }
}

// FUTEX_LOCK_PI counts on the real-time clock, its successor on the flag's.
bool OnRealTime(const SyscallFrame& f) {
  return (ArgInt(f, 1) & FUTEX_CMD_MASK) == FUTEX_LOCK_PI || (f.rsi & FUTEX_CLOCK_REALTIME);
}

// The caller's, in ns of CLOCK_MONOTONIC.
long Deadline(const SyscallFrame& f, int64_t* deadline) {
  *deadline = kNever;
  if (!f.r10) return 0;
  KernelTimespec ts;
  if (const long wrong = ReadTimespec(ArgAs<void*>(f, 3), &ts)) return wrong;
  *deadline = ToMonotonic(OnRealTime(f) ? CLOCK_REALTIME : CLOCK_MONOTONIC, ToNs(ts));
  return 0;
}

// Until the owner, a green task of this process or another, wakes one.
long SleepOnValue(const SyscallFrame& f, uint32_t* word, uint32_t held) {
  const long wait = FUTEX_WAIT_BITSET | (OnRealTime(f) ? FUTEX_CLOCK_REALTIME : 0);
  return BlockingCall(SYS_futex, reinterpret_cast<long>(word), wait, held, static_cast<long>(f.r10),
                      0, kAny, true);
}

// Not in the kernel, which would refuse the owner's unlock. An owner of this process wakes one.
long Poll(const SyscallFrame& f, uint32_t* word, uint32_t held, int64_t poll_ns) {
  int64_t deadline;
  if (const long r = Deadline(f, &deadline)) return r;
  const int64_t next = NowNs() + poll_ns;
  const long r = FutexWait(word, held, kAny, deadline < next ? deadline : next);
  return r == -ETIMEDOUT && deadline > next ? 0 : r;
}

long LockByHand(const SyscallFrame& f, uint32_t* word) {
  uint32_t flags = 0, held;
  for (int64_t poll_ns = kShortestPollNs;; flags = FUTEX_WAITERS) {
    long r = Take(word, flags, &held);
    if (r == 1) return 0;
    if (r != 0 && r != -EAGAIN) return r;
    if (IsKernels(held)) {
      if (!CurrentTask()->bound) g_green_waits.store(true, std::memory_order_relaxed);
      r = Poll(f, word, held, poll_ns);
      if (poll_ns < kLongestPollNs) poll_ns *= 2;
    } else {
      r = SleepOnValue(f, word, held);
    }
    if (r == -EINTR || r == kRestart) return kRestartAlways;
    if (r != 0 && r != -EAGAIN) return r;
  }
}

enum class Answer { kFinal, kAskAgain, kOwnerIsGreen };

// What the kernel's refusals of one call have shown, and since when the same.
class Refusals {
 public:
  // The word is read once, as it moves on: its owner is no longer the one that the kernel saw.
  Answer After(uint32_t* word, long result) {
    uint32_t v;
    if (result == -EINVAL) {
      // Without sleepers it may be about one that others have woken since.
      return Look(kNobody, WakeSleepers(word));
    }
    if (result != -ESRCH || !green_load32(word, &v)) return Answer::kFinal;
    const uint32_t owner = v & FUTEX_TID_MASK;
    if (!IsKernels(v)) {
      looks_ = 0;
      return Answer::kOwnerIsGreen;
    }
    // An owner that the kernel does not know, time and again, has ended.
    return Look(owner, !owner);
  }

 private:
  static constexpr uint32_t kNobody = 0;

  Answer Look(uint32_t owner, bool changed) {
    if (changed || owner != owner_) looks_ = 0;
    owner_ = owner;
    return changed || ++looks_ < kSameLooks ? Answer::kAskAgain : Answer::kFinal;
  }

  uint32_t owner_ = kNobody;
  int looks_ = 0;
};

// False: the owner is one that the kernel does not know, or this is not to be the kernel's.
bool LockInKernel(const SyscallFrame& f, uint32_t* word, long* result) {
  Refusals refusals;
  for (int i = 0; i < kMostTries && !g_green_waits.load(std::memory_order_relaxed); ++i) {
    *result = BlockingRaw(f, true);
    if (*result == -EINTR || *result == kRestart) *result = kRestartAlways;
    const Answer answer = refusals.After(word, *result);
    if (answer != Answer::kAskAgain) return answer == Answer::kFinal && *result != -EINVAL;
  }
  return false;
}

long TryLock(uint32_t* word) {
  uint32_t v;
  if (!green_load32(word, &v)) return -EFAULT;
  for (bool done = false; !done;) {
    if (IsOwn(v)) return -EDEADLK;
    if (v & FUTEX_TID_MASK) return -EAGAIN;
    if ((v & FUTEX_WAITERS) && WakeKernel(word, INT_MAX) == -EINVAL) return -EAGAIN;
    if (!green_cas32(word, &v, v | CurrentTask()->tid, &done)) return -EFAULT;
  }
  return 0;
}

// By a green task that is not the main one: nobody waits in the kernel for the like.
long UnlockByHand(uint32_t* word, uint32_t v) {
  for (bool done = false; !done;)
    if (!green_cas32(word, &v, 0, &done)) return -EFAULT;
  if ((v & FUTEX_WAITERS) && !WakeKernel(word, 1)) FutexWake(word, 1, kAny);
  return 0;
}

long UnlockInKernel(uint32_t* word) {
  long r = UnlockPiOnThread(word);
  // Others may have woken the sleepers before, or set FUTEX_WAITERS meanwhile (-EAGAIN).
  for (int i = 0; i < kMostTries && (r == -EINVAL || r == -EAGAIN); ++i) {
    if (r == -EINVAL) WakeSleepers(word);
    r = UnlockPiOnThread(word);
  }
  FutexWake(word, 1, kAny);
  return r;
}

long Unlock(uint32_t* word) {
  uint32_t v;
  if (!green_load32(word, &v)) return -EFAULT;
  if (!IsOwn(v)) return -EPERM;
  return IsKernels(v) ? UnlockInKernel(word) : UnlockByHand(word, v);
}

}  // namespace

bool IsSharedPi(int op) {
  return op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2 || op == FUTEX_TRYLOCK_PI ||
         op == FUTEX_UNLOCK_PI;
}

long SharedPi(SyscallFrame& f, uint32_t* word) {
  if (reinterpret_cast<uintptr_t>(word) % sizeof *word) return -EINVAL;
  switch (ArgInt(f, 1) & FUTEX_CMD_MASK) {
    case FUTEX_TRYLOCK_PI: return TryLock(word);
    case FUTEX_UNLOCK_PI: return Unlock(word);
    default: break;
  }
  if (long result; HasKernelNumber() && LockInKernel(f, word, &result)) return result;
  return LockByHand(f, word);
}

void SharedPiOwnerDied(uint32_t* word, uint32_t tid) {
  uint32_t v;
  if (!green_load32(word, &v) || (v & FUTEX_TID_MASK) != tid) return;
  const bool is_main = tid == g_sched.pid;
  // The first thread lives on; natively its end would give the mutex to who waits in the kernel.
  if (is_main) MainOwnerDied(word);
  // Here are those that wait for a mutex that is in shared memory only by its place.
  FutexOwnerDied(word, is_main ? 0 : tid, true);
  WakeKernel(word, 1);
  FutexWake(word, 1, kAny);
  // Waiters in the kernel wait for the thread.
  if (!is_main && tid == CurrentCarrier()->tid) EndThreadToo();
}

// Where a call has no runtime around it, as in a forked child before its first thread. The kernel
// has refused it: here is what it does not know.
extern "C" __attribute__((visibility("hidden"), used)) long green_end_native_futex(
    const SyscallFrame& f, long r) {
  const int op = ArgInt(f, 1) & FUTEX_CMD_MASK;
  auto word = ArgAs<uint32_t*>(f, 0);
  if (!IsSharedPi(op) || (f.rsi & FUTEX_PRIVATE_FLAG) || (f.rdi & 3)) return r;
  Refusals refusals;
  for (int i = 0; i < kMostTries && (r == -EINVAL || r == -ESRCH); ++i) {
    const Answer answer = refusals.After(word, r);
    if (answer == Answer::kFinal) return r;
    if (answer == Answer::kOwnerIsGreen) {
      i = 0;
      if (op == FUTEX_TRYLOCK_PI) return -EAGAIN;
      const long wait = FUTEX_WAIT_BITSET | (OnRealTime(f) ? FUTEX_CLOCK_REALTIME : 0);
      // The kernel has set FUTEX_WAITERS before it looked for the owner.
      uint32_t v;
      if (!green_load32(word, &v)) return -EFAULT;
      if ((v & FUTEX_WAITERS) && !IsKernels(v))
        r = RawSyscall(SYS_futex, word, wait, v, f.r10, 0, kAny);
      if (r == -ETIMEDOUT) return r;
    }
    r = Raw(f);
  }
  return r;
}

void ResetSharedPiAfterFork() { g_green_waits.store(false, std::memory_order_relaxed); }

}  // namespace green
