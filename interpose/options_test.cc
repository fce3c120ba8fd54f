#include "interpose/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace green {
namespace {

struct Result {
  bool ok;
  Settings settings;
  std::string complaint;
};

Result Read(std::vector<std::string> entries) {
  std::vector<char*> environment;
  for (auto& e : entries) environment.push_back(e.data());
  environment.push_back(nullptr);
  Result r;
  testing::internal::CaptureStderr();
  r.ok = ReadSettings(environment.data(), &r.settings);
  r.complaint = testing::internal::GetCapturedStderr();
  EXPECT_EQ(r.ok, r.complaint.empty()) << r.complaint;
  return r;
}

TEST(OptionsTest, DefaultsWithoutEnvironment) {
  Settings settings;
  EXPECT_TRUE(ReadSettings(nullptr, &settings));
  const Result r = Read({"PATH=/bin", "GREENER=no", "XGREEN_WORKERS=9"});
  EXPECT_TRUE(r.ok);
  EXPECT_EQ(r.settings.scheduler.workers, 0u);
  EXPECT_EQ(r.settings.scheduler.slice_ns, 10'000'000);
  EXPECT_EQ(r.settings.stack, 0u);
  EXPECT_FALSE(r.settings.log_start);
}

TEST(OptionsTest, Values) {
  const Result r = Read({"GREEN_WORKERS=3", "GREEN_STACK=64K", "GREEN_SLICE=25",
                         "GREEN_MAX_CARRIERS=77", "GREEN_LOG=start", "GREEN_MODE=mn",
                         "GREEN_DOOR=patch", "GREEN_LIBRARY=/x", "GREEN_FOLLOW=1"});
  EXPECT_TRUE(r.ok);
  EXPECT_EQ(r.settings.scheduler.workers, 3u);
  EXPECT_EQ(r.settings.stack, size_t{64} << 10);
  EXPECT_EQ(r.settings.scheduler.slice_ns, 25'000'000);
  EXPECT_EQ(r.settings.scheduler.max_carriers, 77u);
  EXPECT_TRUE(r.settings.log_start);
}

TEST(OptionsTest, ComplaintsAreOneHarmlessLine) {
  EXPECT_EQ(Read({"GREEN_WORKERS=\n\x1b[31m\xff"}).complaint,
            "libgreen: GREEN_WORKERS=??[31m?: must be a whole number from 1 to 256; running "
            "natively\n");
  const std::string text = Read({"GREEN_BOUND=," + std::string(5000, 'a')}).complaint;
  EXPECT_TRUE(
      text.ends_with("a...: must be names with commas between them, a * only at an end; "
                     "running natively\n"))
      << text;
}

TEST(OptionsTest, ModeAndBoundNames) {
  const Result r = Read({"GREEN_MODE=1:1", "GREEN_BOUND=io,worker-*"});
  EXPECT_TRUE(r.ok);
  EXPECT_TRUE(r.settings.scheduler.one_to_one);
  EXPECT_STREQ(r.settings.bound, "io,worker-*");
  EXPECT_FALSE(Read({"GREEN_MODE=mn"}).settings.scheduler.one_to_one);
  EXPECT_TRUE(Read({"GREEN_BOUND="}).ok);
}

TEST(OptionsTest, SizesTakeUnits) {
  EXPECT_EQ(Read({"GREEN_STACK=16384"}).settings.stack, 16384u);
  EXPECT_EQ(Read({"GREEN_STACK=1M"}).settings.stack, size_t{1} << 20);
  EXPECT_EQ(Read({"GREEN_STACK=1g"}).settings.stack, size_t{1} << 30);
}

class BadOptionTest : public testing::TestWithParam<const char*> {};

TEST_P(BadOptionTest, IsNamedInOneLine) {
  const Result r = Read({"A=1", GetParam()});
  EXPECT_FALSE(r.ok);
  EXPECT_NE(r.complaint.find(GetParam()), std::string::npos) << r.complaint;
  EXPECT_EQ(r.complaint.find('\n'), r.complaint.size() - 1);
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadOptionTest,
    testing::Values("GREEN_WORKERS=0", "GREEN_WORKERS=257", "GREEN_WORKERS=", "GREEN_WORKERS=2x",
                    "GREEN_WORKERS=-1", "GREEN_WORKERS= 2", "GREEN_STACK=1K", "GREEN_STACK=2G",
                    "GREEN_STACK=64Q", "GREEN_STACK=64KB", "GREEN_STACK=99999999999999999999",
                    "GREEN_SLICE=0", "GREEN_SLICE=1.5", "GREEN_MAX_CARRIERS=0", "GREEN_MODE=n:m",
                    "GREEN_BOUND=a,,b", "GREEN_BOUND=a*b", "GREEN_BOUND=,", "GREEN_DOOR=window",
                    "GREEN_LOG=loud", "GREEN_FOLLOW=2", "GREEN_NONSENSE=1"));

}  // namespace
}  // namespace green
