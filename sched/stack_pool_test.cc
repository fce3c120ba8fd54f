#include "sched/stack_pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <thread>
#include <vector>

namespace green {
namespace {

constexpr size_t kSize = 64 << 10;
constexpr size_t kGuard = 4096;

void Finish(StackSlot* slot) {
  FinishStack(slot, StackSlot::kEnded);
  FinishStack(slot, StackSlot::kLetGo);
}

TEST(StackPoolTest, GivesWhatWasAskedForRoundedToPages) {
  const StackRange s = TakeStack(kSize - 100, 1);
  ASSERT_TRUE(s.slot);
  EXPECT_EQ(s.size, kSize);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(s.base) % 4096, 0u);
  EXPECT_EQ(StackGuardOf(s.slot), kGuard);
  memset(s.base, 1, s.size);
  Finish(s.slot);
  EXPECT_FALSE(TakeStack(0, 0).slot);
  EXPECT_FALSE(TakeStack(size_t{2} << 30, kGuard).slot);
  EXPECT_FALSE(TakeStack(SIZE_MAX - 4096, 4096).slot);
}

TEST(StackPoolTest, FindsASlotByAnyAddressInIt) {
  const StackRange s = TakeStack(kSize, kGuard);
  char* low = static_cast<char*>(s.base);
  EXPECT_EQ(StackSlotAt(low), s.slot);
  EXPECT_EQ(StackSlotAt(low + s.size - 1), s.slot);
  EXPECT_EQ(StackSlotAt(low - 1), s.slot);  // its guard
  EXPECT_NE(StackSlotAt(low + s.size), s.slot);
  int local;
  EXPECT_EQ(StackSlotAt(&local), nullptr);
  EXPECT_EQ(StackSlotAt(nullptr), nullptr);
  Finish(s.slot);
}

TEST(StackPoolTest, FreeAfterBothEventsInEitherOrder) {
  const StackRange a = TakeStack(kSize, kGuard);
  FinishStack(a.slot, StackSlot::kEnded);
  const StackRange b = TakeStack(kSize, kGuard);
  EXPECT_NE(b.slot, a.slot);
  FinishStack(a.slot, StackSlot::kLetGo);
  const StackRange c = TakeStack(kSize, kGuard);
  EXPECT_EQ(c.slot, a.slot);  // the hottest first
  FinishStack(b.slot, StackSlot::kLetGo);
  FinishStack(b.slot, StackSlot::kLetGo);  // twice is once
  const StackRange d = TakeStack(kSize, kGuard);
  EXPECT_NE(d.slot, b.slot);
  FinishStack(b.slot, StackSlot::kEnded);
  EXPECT_EQ(TakeStack(kSize, kGuard).slot, b.slot);
  Finish(b.slot);
  Finish(c.slot);
  Finish(d.slot);
}

TEST(StackPoolTest, SizesDoNotMix) {
  const StackRange small = TakeStack(kSize, kGuard);
  Finish(small.slot);
  const StackRange large = TakeStack(2 * kSize, kGuard);
  const StackRange bare = TakeStack(kSize, 0);
  EXPECT_NE(large.slot, small.slot);
  EXPECT_NE(bare.slot, small.slot);
  EXPECT_EQ(StackGuardOf(bare.slot), 0u);
  Finish(large.slot);
  Finish(bare.slot);
}

TEST(StackPoolDeathTest, GuardFaultsAlsoWhenReused) {
  for (int i = 0; i < 2; ++i) {
    const StackRange s = TakeStack(kSize, kGuard);
    EXPECT_DEATH(static_cast<volatile char*>(s.base)[-1] = 1, "");
    Finish(s.slot);
  }
}

TEST(StackPoolTest, ForkedChildKeepsTheStackItRunsOn) {
  const StackRange kept = TakeStack(kSize, kGuard);
  const StackRange other = TakeStack(kSize, kGuard);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ResetStacksAfterFork(kept.slot);
    bool again = false;
    for (int i = 0; i < 100; ++i) {
      const StackRange s = TakeStack(kSize, kGuard);
      if (!s.slot || s.slot == kept.slot) _exit(1);
      again |= s.slot == other.slot;
      memset(s.base, 1, s.size);
    }
    _exit(again ? 0 : 2);
  }
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  Finish(kept.slot);
  Finish(other.slot);
}

class StackPoolThreadsTest : public testing::TestWithParam<int> {};

TEST_P(StackPoolThreadsTest, NoStackHasTwoUsers) {
  std::vector<std::thread> threads;
  std::atomic<int> clashes{0};
  for (int i = 0; i < GetParam(); ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 2'000; ++round) {
        const StackRange s = TakeStack(kSize, kGuard);
        auto top = reinterpret_cast<std::atomic<int>*>(static_cast<char*>(s.base) + s.size - 64);
        top->store(i);
        if (round % 16 == 0) std::this_thread::yield();
        if (top->load() != i) clashes.fetch_add(1);
        // The two events come from different threads in life; here in either order.
        FinishStack(s.slot, round % 2 ? StackSlot::kEnded : StackSlot::kLetGo);
        if (top->load() != i) clashes.fetch_add(1);
        FinishStack(s.slot, round % 2 ? StackSlot::kLetGo : StackSlot::kEnded);
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(clashes, 0);
}

INSTANTIATE_TEST_SUITE_P(Threads, StackPoolThreadsTest, testing::Values(1, 2, 4, 8));

}  // namespace
}  // namespace green
