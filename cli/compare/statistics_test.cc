#include "cli/compare/statistics.h"

#include <gtest/gtest.h>

namespace green::cli {
namespace {

TEST(Statistics, MedianOfOddAndEven) {
  EXPECT_FALSE(Summarize({}));
  EXPECT_EQ(Summarize({7})->median, 7);
  EXPECT_EQ(Summarize({9, 1, 2})->median, 2);
  EXPECT_EQ(Summarize({4, 1, 2, 9})->median, 3);
}

TEST(Statistics, SpreadIsHalfTheRange) {
  const auto summary = Summarize({90, 110, 100});
  EXPECT_EQ(summary->least, 90);
  EXPECT_EQ(summary->most, 110);
  EXPECT_DOUBLE_EQ(summary->Spread(), 0.1);
  EXPECT_EQ(Summarize({0, 0})->Spread(), 0);
}

Difference Between(std::vector<double> base, std::vector<double> other) {
  return Compare(*Summarize(base), *Summarize(other));
}

TEST(Statistics, DifferenceIsClearOnlyApart) {
  EXPECT_EQ(Between({100, 101, 102}, {110, 111, 112}), Difference::kMore);
  EXPECT_EQ(Between({100, 101, 102}, {90, 91, 92}), Difference::kLess);
  EXPECT_EQ(Between({100, 101, 120}, {110, 111, 112}), Difference::kUnclear);
  EXPECT_EQ(Between({80, 101, 102}, {90, 91, 92}), Difference::kUnclear);
}

TEST(Statistics, DifferenceIsUnclearWhenTinyOrSingle) {
  EXPECT_EQ(Between({1000, 1001}, {1002, 1003}), Difference::kUnclear);
  EXPECT_EQ(Between({100}, {200, 201}), Difference::kUnclear);
  EXPECT_EQ(Between({100, 101}, {200}), Difference::kUnclear);
}

TEST(Statistics, RatioOfMedians) {
  EXPECT_DOUBLE_EQ(*Ratio(*Summarize({4}), *Summarize({6})), 1.5);
  EXPECT_FALSE(Ratio(*Summarize({0}), *Summarize({6})));
}

}  // namespace
}  // namespace green::cli
