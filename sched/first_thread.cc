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
// A signal may fail for want of kernel memory.
constexpr int64_t kSignalAgainNs = 20'000'000;

std::atomic<uint32_t*> g_word{nullptr};
long g_result;  // published by g_word
std::atomic<uint32_t> g_answers{0};

long UnlockPi(uint32_t* word) { return RawSyscall(SYS_futex, word, FUTEX_UNLOCK_PI); }

Carrier* First() {
  Carrier* c = FirstCarrier();
  while (c && c->tid != g_sched.pid) c = c->next_all;
  return c;
}

long Ask(uint32_t* word) {
  Carrier* first = First();
  if (!first) return -EPERM;
  g_word.store(word, std::memory_order_release);
  for (int64_t signal_at = 0;;) {
    const uint32_t answers = g_answers.load(std::memory_order_acquire);
    if (!g_word.load(std::memory_order_acquire)) return g_result;
    const int64_t now = NowNs();
    if (now >= signal_at) {
      AskForAnswer(first);
      signal_at = now + kSignalAgainNs;
    }
    const KernelTimespec ts = {0, kLookNs};
    RawSyscall(SYS_futex, &g_answers, FUTEX_WAIT_PRIVATE, answers, &ts);
  }
}

}  // namespace

long UnlockPiOnFirstThread(uint32_t* word) {
  if (CurrentCarrier()->tid == g_sched.pid) return UnlockPi(word);
  uint32_t v;
  if (!green_load32(word, &v)) return -EFAULT;
  // Mostly nobody waits in the kernel. Who begins to sets the flag again, and the free word is not
  // written.
  for (bool done = false; !done;)
    if (!green_cas32(word, &v, v & ~FUTEX_WAITERS, &done)) return -EFAULT;
  v &= ~FUTEX_WAITERS;
  if (RawSyscall(SYS_futex, word, FUTEX_WAKE, INT_MAX) == -EINVAL) return Ask(word);
  bool done;
  if (!green_cas32(word, &v, 0, &done)) return -EFAULT;
  return done ? 0 : Ask(word);
}

long UnlockPiOnThread(uint32_t* word) {
  return CurrentTask()->tid == g_sched.pid ? UnlockPiOnFirstThread(word) : UnlockPi(word);
}

void AnswerAsFirst() {
  uint32_t* word = g_word.load(std::memory_order_acquire);
  if (!word) return;
  g_result = UnlockPi(word);
  g_word.store(nullptr, std::memory_order_release);
  g_answers.fetch_add(1, std::memory_order_release);
  RawSyscall(SYS_futex, &g_answers, FUTEX_WAKE_PRIVATE, 1);
}

void ResetFirstThreadAfterFork() { g_word.store(nullptr, std::memory_order_relaxed); }

}  // namespace green
