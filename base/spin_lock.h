// A lock for the few instructions that libgreen's own tables need. Holders never park, never
// call out, and are never preempted by another task (they run inside libgreen), so waiting is
// short; the operating system may still deschedule a holder, hence the yield, and, as a real-time
// thread yields to its like only (sched_yield(2)), the sleep.
#pragma once

#include <sys/syscall.h>

#include <atomic>

#include "base/kernel_types.h"
#include "base/raw_syscall.h"

namespace green {

// One turn of a loop that waits for what another thread is about to do.
class SpinWait {
 public:
  void Once() {
    __builtin_ia32_pause();
    if (++turns_ > kPauses) OnceSlow();
  }

 private:
  static constexpr int kPauses = 200, kYields = 200;
  static constexpr int64_t kSleepNs = 50'000;
  __attribute__((noinline)) void OnceSlow() {
    const KernelTimespec ts = {0, kSleepNs};
    if (turns_ > kPauses + kYields)
      RawSyscall(SYS_nanosleep, &ts, nullptr);
    else
      RawSyscall(SYS_sched_yield);
  }
  int turns_ = 0;
};

class SpinLock {
 public:
  void Lock() {
    if (__builtin_expect(held_.exchange(1, std::memory_order_acquire), 0)) LockSlow();
  }
  bool TryLock() { return !held_.exchange(1, std::memory_order_acquire); }
  void Unlock() { held_.store(0, std::memory_order_release); }
  // Only in a forked child, whose other threads are gone.
  void Reset() { held_.store(0, std::memory_order_relaxed); }

 private:
  __attribute__((noinline)) void LockSlow() {
    SpinWait wait;
    do {
      while (held_.load(std::memory_order_relaxed)) wait.Once();
    } while (held_.exchange(1, std::memory_order_acquire));
  }
  std::atomic<uint8_t> held_{0};
};

class LockGuard {
 public:
  explicit LockGuard(SpinLock& lock) : lock_(lock) { lock_.Lock(); }
  ~LockGuard() { lock_.Unlock(); }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

 private:
  SpinLock& lock_;
};

}  // namespace green
