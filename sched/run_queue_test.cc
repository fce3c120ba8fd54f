// Every task that is pushed comes out exactly once, whoever takes it.
#include "sched/run_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace green {
namespace {

class Tasks {
 public:
  explicit Tasks(uint32_t n) : tasks_(new Task[n]), seen_(n) {
    for (uint32_t i = 0; i < n; ++i) tasks_[i].index = i;
  }
  Task* operator[](uint32_t i) { return &tasks_[i]; }
  void See(Task* t) { seen_[t->index].fetch_add(1); }
  void ExpectEachOnce() {
    for (size_t i = 0; i < seen_.size(); ++i) EXPECT_EQ(seen_[i], 1) << "task " << i;
  }

 private:
  std::unique_ptr<Task[]> tasks_;
  std::vector<std::atomic<int>> seen_;
};

TEST(GlobalQueueTest, FirstInFirstOut) {
  Tasks tasks(3);
  GlobalQueue queue;
  EXPECT_EQ(queue.Pop(), nullptr);
  for (uint32_t i = 0; i < 3; ++i) queue.Push(tasks[i]);
  EXPECT_EQ(queue.Size(), 3u);
  for (uint32_t i = 0; i < 3; ++i) EXPECT_EQ(queue.Pop(), tasks[i]);
  EXPECT_EQ(queue.Pop(), nullptr);
  EXPECT_FALSE(queue.MaybeAny());
}

TEST(GlobalQueueTest, SomeAreTheFirstInOrder) {
  Tasks tasks(7);
  GlobalQueue queue;
  Task* rest;
  EXPECT_EQ(queue.PopSome(3, &rest), nullptr);
  for (uint32_t i = 0; i < 7; ++i) queue.Push(tasks[i]);
  EXPECT_EQ(queue.PopSome(3, &rest), tasks[0]);
  EXPECT_EQ(rest, tasks[1]);
  EXPECT_EQ(rest->queue_next, tasks[2]);
  EXPECT_EQ(tasks[2]->queue_next, nullptr);
  EXPECT_EQ(queue.Size(), 4u);
  EXPECT_EQ(queue.PopSome(1, &rest), tasks[3]);
  EXPECT_EQ(rest, nullptr);
  EXPECT_EQ(queue.PopSome(100, &rest), tasks[4]);
  EXPECT_EQ(rest, tasks[5]);
  EXPECT_EQ(tasks[6]->queue_next, nullptr);
  EXPECT_EQ(queue.Size(), 0u);
  queue.Push(tasks[0]);
  EXPECT_EQ(queue.Pop(), tasks[0]);
}

TEST(RunQueueTest, FirstInFirstOut) {
  Tasks tasks(100);
  GlobalQueue overflow;
  RunQueue queue;
  EXPECT_EQ(queue.Pop(), nullptr);
  for (uint32_t round = 0; round < 10; ++round) {  // also around the ring's end
    for (uint32_t i = 0; i < 100; ++i) queue.Push(tasks[i], overflow);
    EXPECT_EQ(queue.Size(), 100u);
    EXPECT_EQ(queue.Peek(99), tasks[99]);
    EXPECT_EQ(queue.Peek(100), nullptr);
    for (uint32_t i = 0; i < 100; ++i) EXPECT_EQ(queue.Pop(), tasks[i]);
  }
  EXPECT_EQ(overflow.Size(), 0u);
}

TEST(RunQueueTest, WhatAFullRingHasNoRoomForGoesToOverflow) {
  constexpr uint32_t kAll = RunQueue::kCapacity + 2;
  Tasks tasks(kAll);
  GlobalQueue overflow;
  RunQueue queue;
  for (uint32_t i = 0; i < kAll; ++i) queue.Push(tasks[i], overflow);
  EXPECT_EQ(queue.Size(), RunQueue::kCapacity);
  for (uint32_t i = 0; i < RunQueue::kCapacity; ++i) EXPECT_EQ(queue.Pop(), tasks[i]);
  for (uint32_t i = RunQueue::kCapacity; i < kAll; ++i) EXPECT_EQ(overflow.Pop(), tasks[i]);
  EXPECT_EQ(overflow.Pop(), nullptr);
}

TEST(RunQueueTest, ThiefTakesHalf) {
  Tasks tasks(9);
  GlobalQueue overflow;
  RunQueue victim, mine;
  for (uint32_t i = 0; i < 9; ++i) victim.Push(tasks[i], overflow);
  EXPECT_EQ(victim.StealInto(mine, overflow), nullptr);  // not shared
  victim.Share();
  EXPECT_EQ(victim.StealInto(mine, overflow), tasks[0]);
  EXPECT_EQ(mine.Size(), 4u);
  EXPECT_EQ(victim.Size(), 4u);
  EXPECT_EQ(mine.Pop(), tasks[1]);
  EXPECT_EQ(victim.Pop(), tasks[5]);
  RunQueue empty;
  empty.Share();
  EXPECT_EQ(empty.StealInto(mine, overflow), nullptr);
}

class RunQueueThreadsTest : public testing::TestWithParam<int> {};

TEST_P(RunQueueThreadsTest, EachTaskOnce) {
  constexpr uint32_t kTasks = 60'000;
  Tasks tasks(kTasks);
  GlobalQueue overflow;
  RunQueue owners;
  std::atomic<bool> done{false};
  std::vector<std::thread> thieves;
  for (int i = 0; i < GetParam(); ++i)
    thieves.emplace_back([&] {
      RunQueue mine;
      for (;;) {
        const bool last = done.load();
        if (Task* t = owners.StealInto(mine, overflow)) tasks.See(t);
        while (Task* t = mine.Pop()) tasks.See(t);
        if (last) return;
      }
    });
  for (uint32_t i = 0; i < kTasks; ++i) {
    owners.Push(tasks[i], overflow);
    if (i == kTasks / 4) owners.Share();  // amid its pushes and pops
    // Bursts, so that the ring is now empty, now full.
    if (i % 1000 < 500)
      if (Task* t = owners.Pop()) tasks.See(t);
  }
  while (Task* t = owners.Pop()) tasks.See(t);
  done.store(true);
  for (auto& thief : thieves) thief.join();
  while (Task* t = overflow.Pop()) tasks.See(t);
  tasks.ExpectEachOnce();
}

INSTANTIATE_TEST_SUITE_P(Thieves, RunQueueThreadsTest, testing::Values(0, 1, 2, 4, 8));

}  // namespace
}  // namespace green
