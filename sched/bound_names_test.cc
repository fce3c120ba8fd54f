#include "sched/bound_names.h"

#include <gtest/gtest.h>

namespace green {
namespace {

TEST(BoundNamesTest, NamesAreWhole) {
  EXPECT_TRUE(MatchesName("io", "io"));
  EXPECT_TRUE(MatchesName("a,io,b", "io"));
  EXPECT_FALSE(MatchesName("io", "iot"));
  EXPECT_FALSE(MatchesName("io", "i"));
  EXPECT_FALSE(MatchesName("io,b", "o"));
}

TEST(BoundNamesTest, StarsAreBeginnings) {
  EXPECT_TRUE(MatchesName("worker-*", "worker-12"));
  EXPECT_TRUE(MatchesName("x,worker-*,y", "worker-"));
  EXPECT_FALSE(MatchesName("worker-*", "worker"));
  EXPECT_TRUE(MatchesName("*", "anything"));
}

TEST(BoundNamesTest, NothingMatchesNothing) {
  EXPECT_FALSE(MatchesName("", "a"));
  EXPECT_FALSE(MatchesName("", ""));
  EXPECT_FALSE(MatchesName("a", ""));
}

}  // namespace
}  // namespace green
