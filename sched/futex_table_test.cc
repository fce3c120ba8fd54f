// The futex table with threads in place of tasks (thread_as_task.h).
#include "sched/futex_table.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <time.h>

#include <functional>
#include <thread>
#include <vector>

#include "sched/monitor.h"
#include "sched/thread_as_task.h"

namespace green {

namespace {

constexpr uint32_t kAny = FUTEX_BITSET_MATCH_ANY;

using Threads = std::vector<std::unique_ptr<TaskThread>>;

Threads Start(int n, std::function<void()> body) {
  Threads threads;
  for (int i = 0; i < n; ++i) threads.push_back(std::make_unique<TaskThread>(body));
  return threads;
}

void Join(Threads& threads) {
  for (auto& t : threads) t->Join();
}

// Drepper's three-state mutex ("Futexes Are Tricky").
struct Mutex {
  std::atomic<uint32_t> word{0};
  uint32_t* Word() { return reinterpret_cast<uint32_t*>(&word); }
  void Lock() {
    uint32_t c = 0;
    if (word.compare_exchange_strong(c, 1)) return;
    if (c != 2) c = word.exchange(2);
    while (c != 0) {
      FutexWait(Word(), 2, kAny, kNever);
      c = word.exchange(2);
    }
  }
  void Unlock() {
    if (word.fetch_sub(1) == 1) return;
    word.store(0);
    FutexWake(Word(), 1, kAny);
  }
};

template <typename Condition>
void Await(Condition condition) {
  for (int i = 0; i < 20'000; ++i) {
    if (condition()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FAIL() << "never";
}

TEST(FutexTableTest, Errors) {
  TaskThread([] {
    alignas(8) uint32_t words[2] = {5, 0};
    auto odd = reinterpret_cast<uint32_t*>(reinterpret_cast<char*>(words) + 1);
    EXPECT_EQ(FutexWait(words, 4, kAny, kNever), -EAGAIN);
    EXPECT_EQ(FutexWait(words, 5, 0, kNever), -EINVAL);
    EXPECT_EQ(FutexWait(odd, 5, kAny, kNever), -EINVAL);
    EXPECT_EQ(FutexWake(odd, 1, kAny), -EINVAL);
    EXPECT_EQ(FutexWake(words, 1, 0), -EINVAL);
    EXPECT_EQ(FutexRequeue(words, words + 1, -1, 1, nullptr), -EINVAL);
    const uint32_t other = 6;
    EXPECT_EQ(FutexRequeue(words, words + 1, 1, 1, &other), -EAGAIN);
    EXPECT_EQ(FutexWaitRequeuePi(words, 5, kNever, words), -EINVAL);
    EXPECT_EQ(FutexUnlockPi(words), -EPERM);
    EXPECT_EQ(FutexWakeOp(words, words + 1, 1, 1, 7u << 28), -ENOSYS);
  });
}

TEST(FutexTableTest, TimesOutAndLeavesNobodyBehind) {
  TaskThread([] {
    uint32_t word = 1;
    const int64_t begin = NowNs();
    EXPECT_EQ(FutexWait(&word, 1, kAny, begin + 5'000'000), -ETIMEDOUT);
    EXPECT_GE(NowNs(), begin + 5'000'000);
    EXPECT_EQ(FutexWake(&word, 1, kAny), 0);
  });
}

TEST(FutexTableTest, AttentionInterrupts) {
  uint32_t word = 1;
  TaskThread waiter([&] { EXPECT_EQ(FutexWait(&word, 1, kAny, kNever), -EINTR); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  waiter.task()->attention.store(true);
  Unpark(waiter.task());
  waiter.Join();
  TaskThread([&] { EXPECT_EQ(FutexWake(&word, 1, kAny), 0); });
}

TEST(FutexTableTest, SpuriousUnparkDoesNotEndAWait) {
  uint32_t word = 1;
  std::atomic<bool> woken{false};
  TaskThread waiter([&] {
    EXPECT_EQ(FutexWait(&word, 1, kAny, kNever), 0);
    woken.store(true);
  });
  for (int i = 0; i < 20; ++i) {
    Unpark(waiter.task());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_FALSE(woken);
  TaskThread([&] { Await([&] { return FutexWake(&word, 1, kAny) == 1; }); });
}

TEST(FutexTableTest, WakerGivesWayToOneThatWaitedLong) {
  for (uint32_t waited_ms : {0u, 1u, 50u}) {
    uint32_t word = 1;
    g_monitor.coarse_ms.store(1000);
    TaskThread waiter([&] { EXPECT_EQ(FutexWait(&word, 1, kAny, kNever), 0); });
    waiter.task()->since_ms = 1000 - waited_ms;
    times_asked = 0;
    TaskThread([&] { Await([&] { return FutexWake(&word, 1, kAny) == 1; }); });
    EXPECT_EQ(times_asked, waited_ms == 50);
  }
}

TEST(FutexTableTest, BitsetChoosesWhomToWake) {
  uint32_t word = 1;
  std::atomic<int> first{0}, second{0};
  TaskThread a([&] { first = 1 + static_cast<int>(FutexWait(&word, 1, 1, kNever)); });
  TaskThread b([&] { second = 1 + static_cast<int>(FutexWait(&word, 1, 2, kNever)); });
  TaskThread([&] {
    EXPECT_EQ(FutexWake(&word, 9, 4), 0);
    Await([&] { return FutexWake(&word, 9, 2) == 1; });
    Await([&] { return second == 1; });
    EXPECT_EQ(first, 0);
    Await([&] { return FutexWake(&word, 9, kAny) == 1; });
  });
}

TEST(FutexTableTest, WakeOpChangesOneWordAndWakesBoth) {
  uint32_t words[2] = {1, 7};
  std::atomic<int> ended{0};
  TaskThread a([&] { FutexWait(&words[0], 1, kAny, kNever), ++ended; });
  TaskThread b([&] { FutexWait(&words[1], 7, kAny, kNever), ++ended; });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  TaskThread([&] {
    const uint32_t op = FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 7);
    long woken = FutexWakeOp(&words[0], &words[1], 1, 1, op);
    EXPECT_EQ(words[1], 10u);
    while (woken < 2) woken += FutexWake(&words[0], 1, kAny) + FutexWake(&words[1], 1, kAny);
    Await([&] { return ended == 2; });
    EXPECT_EQ(woken, 2);
  });
}

class FutexThreadsTest : public testing::TestWithParam<int> {};

TEST_P(FutexThreadsTest, MutexExcludes) {
  constexpr int kRounds = 5'000;
  Mutex mutex;
  long counter = 0;
  Threads threads = Start(GetParam(), [&] {
    for (int i = 0; i < kRounds; ++i) {
      mutex.Lock();
      ++counter;
      if (i % 64 == 0) std::this_thread::yield();
      mutex.Unlock();
    }
  });
  Join(threads);
  EXPECT_EQ(counter, long{GetParam()} * kRounds);
}

// A semaphore whose every post must reach somebody: a lost wake-up hangs.
TEST_P(FutexThreadsTest, EveryPostIsTaken) {
  constexpr int kRounds = 3'000;
  std::atomic<uint32_t> value{0};
  auto word = reinterpret_cast<uint32_t*>(&value);
  Threads takers = Start(GetParam(), [&] {
    for (int i = 0; i < kRounds;) {
      uint32_t v = value.load();
      if (v == 0)
        FutexWait(word, 0, kAny, i % 3 ? kNever : NowNs() + 100'000);
      else if (value.compare_exchange_weak(v, v - 1))
        ++i;
    }
  });
  Threads posters = Start(GetParam(), [&] {
    for (int i = 0; i < kRounds; ++i) {
      value.fetch_add(1);
      FutexWake(word, 1, kAny);
    }
  });
  Join(posters);
  Join(takers);
  EXPECT_EQ(value, 0u);
}

// As a condition variable's broadcast: one wakes, the others move to the mutex's word.
TEST_P(FutexThreadsTest, RequeuedWaitersWakeOneByOne) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<uint32_t> sequence{0}, inside{0};
    Mutex mutex;
    std::atomic<int> ended{0};
    auto word = reinterpret_cast<uint32_t*>(&sequence);
    Threads waiters = Start(GetParam(), [&] {
      inside.fetch_add(1);
      while (sequence.load() == 0) FutexWait(word, 0, kAny, round % 2 ? kNever : NowNs() + 200'000);
      uint32_t c = mutex.word.exchange(2);
      while (c) {
        FutexWait(mutex.Word(), 2, kAny, kNever);
        c = mutex.word.exchange(2);
      }
      ++ended;
      mutex.Unlock();
    });
    TaskThread([&] {
      while (inside != static_cast<uint32_t>(GetParam())) std::this_thread::yield();
      mutex.Lock();
      mutex.word.store(2);
      sequence.store(1);
      const uint32_t now = 1;
      EXPECT_GE(FutexRequeue(word, mutex.Word(), 1, INT32_MAX, &now), 0);
      mutex.Unlock();
    });
    Join(waiters);
    EXPECT_EQ(ended, GetParam());
    TaskThread([&] {
      EXPECT_EQ(FutexWake(word, INT32_MAX, kAny), 0);
      EXPECT_EQ(FutexWake(mutex.Word(), INT32_MAX, kAny), 0);
    });
  }
}

TEST_P(FutexThreadsTest, PiLockExcludesAndHandsOver) {
  constexpr int kRounds = 2'000;
  uint32_t word = 0;
  long counter = 0;
  Threads threads = Start(GetParam(), [&] {
    const uint32_t tid = CurrentTask()->tid;
    for (int i = 0; i < kRounds; ++i) {
      EXPECT_EQ(FutexLockPi(&word, kNever, false), 0);
      EXPECT_EQ(__atomic_load_n(&word, __ATOMIC_SEQ_CST) & FUTEX_TID_MASK, tid);
      if (i == 0) {
        EXPECT_EQ(FutexLockPi(&word, kNever, false), -EDEADLK);
      }
      ++counter;
      EXPECT_EQ(FutexUnlockPi(&word), 0);
    }
  });
  Join(threads);
  EXPECT_EQ(counter, long{GetParam()} * kRounds);
  EXPECT_EQ(word & FUTEX_TID_MASK, 0u);
}

TEST_P(FutexThreadsTest, WaitersOfADeadOwnerGoOnOneByOne) {
  uint32_t word = 0;
  std::atomic<int> died{0};
  TaskThread owner([&] { EXPECT_EQ(FutexLockPi(&word, kNever, false), 0); });
  Await([&] { return __atomic_load_n(&word, __ATOMIC_SEQ_CST) != 0; });
  Threads waiters = Start(GetParam(), [&] {
    EXPECT_EQ(FutexLockPi(&word, kNever, false), 0);
    if (__atomic_load_n(&word, __ATOMIC_SEQ_CST) & FUTEX_OWNER_DIED) ++died;
    FutexOwnerDied(&word, CurrentTask()->tid, true);
  });
  Await([&] { return __atomic_load_n(&word, __ATOMIC_SEQ_CST) & FUTEX_WAITERS; });
  TaskThread([&] { FutexOwnerDied(&word, owner.task()->tid, true); });
  Join(waiters);
  EXPECT_EQ(died, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Threads, FutexThreadsTest, testing::Values(1, 2, 4, 8, 40));

}  // namespace
}  // namespace green
