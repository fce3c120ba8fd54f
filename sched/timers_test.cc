#include "sched/timers.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace green {
namespace {

TEST(TimerHeapTest, EmptyHeapHasNothingDue) {
  TimerHeap heap;
  EXPECT_EQ(heap.Earliest(), kNever);
  EXPECT_EQ(heap.PopDue(kNever - 1), nullptr);
  TimerNode n;
  EXPECT_FALSE(TimerHeap::Cancel(&n));
}

TEST(TimerHeapTest, DueNotBefore) {
  TimerHeap heap;
  TimerNode n;
  heap.Add(&n, 100);
  EXPECT_EQ(heap.Earliest(), 100);
  EXPECT_EQ(heap.PopDue(99), nullptr);
  EXPECT_EQ(heap.PopDue(100), &n);
  EXPECT_EQ(n.heap, nullptr);
  EXPECT_EQ(heap.Earliest(), kNever);
  EXPECT_FALSE(TimerHeap::Cancel(&n));
}

TEST(TimerHeapTest, AgreesWithAnOrderedMap) {
  constexpr int kNodes = 300;
  std::mt19937 random(1);
  TimerHeap heap;
  std::vector<TimerNode> nodes(kNodes);
  std::multimap<int64_t, TimerNode*> model;
  for (int step = 0; step < 20'000; ++step) {
    TimerNode* n = &nodes[random() % kNodes];
    if (!n->heap.load()) {
      const int64_t deadline = static_cast<int64_t>(random() % 1000);
      heap.Add(n, deadline);
      model.emplace(deadline, n);
    } else if (random() % 2) {
      auto range = model.equal_range(n->deadline);
      for (auto i = range.first; i != range.second; ++i)
        if (i->second == n) {
          model.erase(i);
          break;
        }
      ASSERT_TRUE(TimerHeap::Cancel(n));
    } else if (TimerNode* due = heap.PopDue(500)) {
      ASSERT_EQ(due->deadline, model.begin()->first);
      auto range = model.equal_range(due->deadline);
      while (range.first->second != due) {
        ++range.first;
        ASSERT_NE(range.first, range.second);
      }
      model.erase(range.first);
    } else {
      ASSERT_TRUE(model.empty() || model.begin()->first > 500);
    }
    ASSERT_EQ(heap.Earliest(), model.empty() ? kNever : model.begin()->first);
  }
}

class TimerHeapThreadsTest : public testing::TestWithParam<int> {};

// The sleeper cancels while others fire: exactly one of them gets the node.
TEST_P(TimerHeapThreadsTest, CancelledOrFiredNeverBoth) {
  constexpr int kRounds = 5'000;
  TimerHeap heaps[2];
  std::atomic<bool> done{false};
  std::atomic<long> fired{0};
  std::thread clock([&] {
    while (!done.load())
      for (auto& heap : heaps)
        while (heap.PopDue(1000)) fired.fetch_add(1);
  });
  std::atomic<long> cancelled{0};
  std::vector<std::thread> sleepers;
  for (int i = 0; i < GetParam(); ++i)
    sleepers.emplace_back([&, i] {
      std::mt19937 random(static_cast<unsigned>(i));
      TimerNode n;
      for (int round = 0; round < kRounds; ++round) {
        heaps[random() % 2].Add(&n, static_cast<int64_t>(random() % 2000));
        for (unsigned spin = random() % 200; spin; --spin) asm volatile("pause");
        if (TimerHeap::Cancel(&n)) cancelled.fetch_add(1);
        ASSERT_EQ(n.heap.load(), nullptr);
      }
    });
  for (auto& sleeper : sleepers) sleeper.join();
  done.store(true);
  clock.join();
  EXPECT_EQ(fired + cancelled, long{GetParam()} * kRounds);
  for (auto& heap : heaps) EXPECT_EQ(heap.Earliest(), kNever);
}

INSTANTIATE_TEST_SUITE_P(Sleepers, TimerHeapThreadsTest, testing::Values(1, 2, 4, 8));

}  // namespace
}  // namespace green
