// Quotas of made-up hierarchies in a directory of the test's own.
#include "sched/cpu_quota.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace green {
namespace {

class CpuQuotaTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    const std::filesystem::path file = root_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  uint32_t Cpus() { return CpusOfQuota((root_ / "membership").c_str(), (root_ / "mount").c_str()); }

  const std::filesystem::path root_ = std::filesystem::path(testing::TempDir()) /
                                      testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(CpuQuotaTest, NothingToRead) { EXPECT_EQ(Cpus(), 0); }

TEST_F(CpuQuotaTest, NoLimit) {
  Write("membership", "0::/a\n");
  Write("mount/a/cpu.max", "max 100000\n");
  EXPECT_EQ(Cpus(), 0);
}

TEST_F(CpuQuotaTest, RoundsUp) {
  Write("membership", "0::/a\n");
  Write("mount/a/cpu.max", "150000 100000\n");
  EXPECT_EQ(Cpus(), 2);
  Write("mount/a/cpu.max", "1000 100000\n");
  EXPECT_EQ(Cpus(), 1);
}

TEST_F(CpuQuotaTest, TightestOfAncestors) {
  Write("membership", "0::/a/b/c\n");
  Write("mount/a/cpu.max", "300000 100000\n");
  Write("mount/a/b/cpu.max", "800000 100000\n");
  EXPECT_EQ(Cpus(), 3);
}

TEST_F(CpuQuotaTest, PathOfTheHostInAContainer) {
  Write("membership", "0::/docker/0123\n");
  Write("mount/cpu.max", "400000 100000\n");
  EXPECT_EQ(Cpus(), 4);
}

TEST_F(CpuQuotaTest, VersionOne) {
  Write("membership", "3:cpuset:/x\n2:cpu,cpuacct:/a\n1:memory:/a\n0::/\n");
  Write("mount/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
  Write("mount/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Cpus(), 0);
  Write("mount/cpu,cpuacct/a/cpu.cfs_quota_us", "250000\n");
  EXPECT_EQ(Cpus(), 3);
}

}  // namespace
}  // namespace green
