#include "sched/blocked_time.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>

#include "sched/call_sites.h"
#include "sched/task.h"
#include "sched/worker.h"

namespace green {
namespace {

struct Counted {
  uint64_t ms = 0, samples = 0;
};
std::map<const Task*, Counted> g_counted;

class BlockedTimeTest : public testing::Test {
 protected:
  void SetUp() override { g_counted.clear(); }
  void Meter(const Task& t, uint32_t ms) { MeterBlocked(worker_.get(), &t, ms, now_); }
  // n waits in each of `span` ms: three in four of 10 ms by `often`, the others of 90 ms by `long`.
  void Burst(uint32_t span, uint32_t n) {
    for (const uint32_t end = now_ + span; now_ != end; ++now_)
      for (uint32_t i = 0; i < n; ++i) random_() % 4 ? Meter(often_, 10) : Meter(long_, 90);
  }

  std::unique_ptr<Worker> worker_ = std::make_unique<Worker>();
  Task often_, long_;
  uint32_t now_ = 1000;
  std::mt19937 random_{1};
};

TEST_F(BlockedTimeTest, FewWaitsAreCountedExactly) {
  for (uint32_t i = 0; i < 1000; ++i, now_ += 3) Meter(i % 2 ? often_ : long_, 1 + i % 7);
  EXPECT_EQ(g_counted[&often_].ms + g_counted[&long_].ms, 3997u);
  EXPECT_EQ(g_counted[&often_].samples, 500u);
}

TEST_F(BlockedTimeTest, ManyAreSampledByTime) {
  Burst(2000, 500);
  const Counted often = g_counted[&often_], rare = g_counted[&long_];
  const double all = 2000.0 * 500 * 30;
  EXPECT_NEAR(static_cast<double>(often.ms + rare.ms), all, all * 0.01);
  EXPECT_NEAR(static_cast<double>(rare.ms), all * 0.75, all * 0.05);
  EXPECT_LT(often.samples + rare.samples, 2000u * 6);
  EXPECT_GT(often.samples + rare.samples, 2000u / 8);
}

TEST_F(BlockedTimeTest, IsExactAgainSoonAfterMany) {
  Burst(100, 10000);
  now_ += 100;
  for (uint32_t i = 0; i < 2000; ++i, now_ += 10) Meter(often_, 10);
  g_counted.clear();
  for (uint32_t i = 0; i < 100; ++i, now_ += 10) Meter(long_, 10);
  EXPECT_EQ(g_counted[&long_].ms, 1000u);
}

}  // namespace

// The test's own: the archive's stays out.
void AddBlockedTime(const Task* t, uint64_t ms) {
  g_counted[t].ms += ms;
  ++g_counted[t].samples;
}

}  // namespace green
