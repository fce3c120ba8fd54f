// A lock for the few instructions that libgreen's own tables need. Holders never park, never
// call out, and are never preempted by another task (they run inside libgreen), so waiting is
// short; the operating system may still deschedule a holder, hence the yield.
#pragma once

#include <sys/syscall.h>

#include <atomic>

#include "base/raw_syscall.h"

namespace green {

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
    for (int spins = 0;; ++spins) {
      while (held_.load(std::memory_order_relaxed)) {
        if (++spins > 200) RawSyscall(SYS_sched_yield);
        __builtin_ia32_pause();
      }
      if (!held_.exchange(1, std::memory_order_acquire)) return;
    }
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
