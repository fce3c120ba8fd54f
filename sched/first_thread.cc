#include "sched/first_thread.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "arch/x86_64/user_memory.h"
#include "base/raw_syscall.h"
#include "sched/carriers.h"
#include "sched/credentials.h"
#include "sched/state.h"

namespace green {
namespace {

constexpr int64_t kLookNs = 1'000'000;
// Mostly it answers within microseconds. Where it cannot, as in a page fault that a slow disk
// serves, other tasks run meanwhile.
constexpr int64_t kInPlaceNs = 5'000'000;
// A signal may fail for want of kernel memory.
constexpr int64_t kSignalAgainNs = 20'000'000;

std::atomic<uint32_t*> g_word{nullptr};
// Published by g_word:
bool g_owner_died;
long g_result;
std::atomic<uint32_t> g_answers{0};

constexpr int kMostTries = 10'000;

bool IsMains(uint32_t v) { return (v & FUTEX_TID_MASK) == g_sched.pid; }

// On the thread whose number the word has. The flag is the next owner's to see.
long UnlockPi(uint32_t* word, bool owner_died) {
  const long r = RawSyscall(SYS_futex, word, FUTEX_UNLOCK_PI);
  uint32_t v;
  if (r != 0 || !owner_died || !green_load32(word, &v)) return r;
  for (bool done = false; !done;)
    if (!green_cas32(word, &v, v | FUTEX_OWNER_DIED, &done)) break;
  return r;
}

long Ask(uint32_t* word, bool owner_died) {
  Carrier* first = FindCarrier(g_sched.pid);
  if (!first) return -EPERM;
  g_owner_died = owner_died;
  g_word.store(word, std::memory_order_release);
  const int64_t start = NowNs();
  for (int64_t signal_at = start;;) {
    const uint32_t answers = g_answers.load(std::memory_order_acquire);
    if (!g_word.load(std::memory_order_acquire)) return g_result;
    const int64_t now = NowNs();
    if (now >= signal_at) {
      AskForAnswer(first);
      signal_at = now + kSignalAgainNs;
    }
    if (now - start < kInPlaceNs) {
      const KernelTimespec ts = {0, kLookNs};
      RawSyscall(SYS_futex, &g_answers, FUTEX_WAIT_PRIVATE, answers, &ts);
    } else {
      ParkUntil(WaitReason::kBlocked, now + kLookNs);
    }
  }
}

// 1: nobody waits in the kernel, and the main task's word has become this. Else 0, or -EFAULT.
long WriteUnlessAwaited(uint32_t* word, uint32_t wanted) {
  uint32_t v;
  if (!green_load32(word, &v)) return -EFAULT;
  // Who begins to wait sets the flag again, and the word is not written.
  for (bool done = false; !done;)
    if (!green_cas32(word, &v, v & ~FUTEX_WAITERS, &done)) return -EFAULT;
  v &= ~FUTEX_WAITERS;
  if (RawSyscall(SYS_futex, word, FUTEX_WAKE, INT_MAX) == -EINVAL) return 0;
  bool done;
  if (!green_cas32(word, &v, wanted, &done)) return -EFAULT;
  return done;
}

}  // namespace

long UnlockPiOnThread(uint32_t* word) {
  const uint32_t tid = CurrentTask()->tid;
  if (tid != g_sched.pid || tid == CurrentCarrier()->tid) return UnlockPi(word, false);
  // Mostly nobody waits there.
  const long r = WriteUnlessAwaited(word, 0);
  if (r < 0) return r;
  return r ? 0 : Ask(word, false);
}

void MainOwnerDied(uint32_t* word) {
  uint32_t v;
  // Waiters come and give up meanwhile.
  for (int i = 0; i < kMostTries && green_load32(word, &v) && IsMains(v); ++i) {
    if (WriteUnlessAwaited(word, FUTEX_OWNER_DIED | FUTEX_WAITERS)) return;
    if (CurrentCarrier()->tid == g_sched.pid)
      UnlockPi(word, true);
    else
      Ask(word, true);
  }
}

void AnswerAsFirst() {
  uint32_t* word = g_word.load(std::memory_order_acquire);
  if (!word) return;
  g_result = UnlockPi(word, g_owner_died);
  g_word.store(nullptr, std::memory_order_release);
  g_answers.fetch_add(1, std::memory_order_release);
  RawSyscall(SYS_futex, &g_answers, FUTEX_WAKE_PRIVATE, 1);
}

void ResetFirstThreadAfterFork() { g_word.store(nullptr, std::memory_order_relaxed); }

}  // namespace green
