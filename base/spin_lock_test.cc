#include "base/spin_lock.h"

#include <gtest/gtest.h>
#include <time.h>

#include <thread>

namespace green {
namespace {

int64_t CpuNs() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

TEST(SpinLockTest, ExcludesOthers) {
  SpinLock lock;
  long count = 0;
  const auto add = [&] {
    for (int i = 0; i < 100'000; ++i) {
      LockGuard guard(lock);
      ++count;
    }
  };
  std::thread other(add);
  add();
  other.join();
  EXPECT_EQ(count, 200'000);
}

// A real-time thread that spun on would keep the holder off its CPU for ever.
TEST(SpinLockTest, SleepsWhileTheHolderIsOffItsCpu) {
  SpinLock lock;
  lock.Lock();
  std::thread holder([&] {
    const timespec t = {0, 300'000'000};
    nanosleep(&t, nullptr);
    lock.Unlock();
  });
  const int64_t before = CpuNs();
  lock.Lock();
  EXPECT_LT(CpuNs() - before, 150'000'000);
  holder.join();
}

}  // namespace
}  // namespace green
