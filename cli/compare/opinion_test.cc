#include "cli/compare/opinion.h"

#include <gtest/gtest.h>

namespace green::cli {
namespace {

ModeRuns Runs(const std::string& mode, std::vector<double> rates, double cpu, double p99) {
  ModeRuns runs{mode, {}};
  for (double rate : rates) runs.runs.push_back({{"rate", rate}, {"cpu_us", cpu}, {"p99_ms", p99}});
  return runs;
}

Comparison Of(std::vector<ModeRuns> modes) {
  Comparison comparison;
  comparison.metrics = {
      {"rate", "requests/s", true}, {"p99_ms", "p99 ms"}, {"cpu_us", "CPU us/request"}};
  comparison.modes = std::move(modes);
  return comparison;
}

TEST(Opinion, NamesTheBestAndWhatElseItBrings) {
  EXPECT_EQ(Opinion(Of({Runs("native", {100, 101}, 10, 50), Runs("1:1", {99, 101}, 10, 50),
                        Runs("M:N", {160, 163}, 6, 20)})),
            "M:N is better for this program: 1.61x the requests/s of native, at 0.60x the CPU "
            "us/request and 0.40x the p99 ms.");
}

TEST(Opinion, SaysWhenNativeIsBetter) {
  EXPECT_EQ(Opinion(Of({Runs("native", {100, 101}, 10, 50), Runs("M:N", {80, 81}, 12, 100)})),
            "native is better for this program: M:N has 0.80x the requests/s, at 1.20x the CPU "
            "us/request and 2.00x the p99 ms.");
}

TEST(Opinion, OfTwoThatAreBetterNamesTheBetterMedian) {
  EXPECT_EQ(Opinion(Of({Runs("native", {100, 101}, 1, 1), Runs("1:1", {150, 190}, 1, 1),
                        Runs("M:N", {160, 200}, 1, 1)}))
                .find("M:N is better for this program: 1.79x"),
            0u);
  EXPECT_EQ(Opinion(Of({Runs("native", {100, 101}, 1, 1), Runs("1:1", {160, 200}, 1, 1),
                        Runs("M:N", {150, 190}, 1, 1)}))
                .find("1:1 is better"),
            0u);
}

TEST(Opinion, DoesNotGuess) {
  EXPECT_EQ(Opinion(Of({Runs("native", {100, 120}, 10, 50), Runs("M:N", {110, 130}, 6, 20)})),
            "No mode is clearly better: the runs of one overlap with those of the others in "
            "requests/s.");
  EXPECT_NE(Opinion(Of({Runs("native", {100}, 1, 1), Runs("M:N", {200}, 1, 1)})).find("One run"),
            std::string::npos);
  EXPECT_NE(Opinion(Of({Runs("native", {100}, 1, 1)})).find("nothing to compare"),
            std::string::npos);
}

TEST(Opinion, KnowsWhereLessIsBetter) {
  Comparison comparison = Of({Runs("native", {100, 101}, 1, 1), Runs("M:N", {50, 51}, 1, 1)});
  comparison.metrics[0].more_is_better = false;
  EXPECT_EQ(Opinion(comparison).find("M:N is better"), 0u);
}

}  // namespace
}  // namespace green::cli
