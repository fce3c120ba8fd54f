#include "cli/compare/modes.h"

#include <gtest/gtest.h>

namespace green::cli {
namespace {

std::optional<std::string> Get(const Environment& environment, const std::string& name) {
  for (const auto& [key, value] : environment) {
    if (key == name) return value;
  }
  return "not mentioned";
}

TEST(Modes, NativeKeepsTheUsersOtherPreloads) {
  EXPECT_EQ(Get(EnvironmentOf(Modes()[0], "/l/libgreen.so", "a.so:/x/libgreen.so"), "LD_PRELOAD"),
            "a.so");
  EXPECT_EQ(Get(EnvironmentOf(Modes()[0], "/l/libgreen.so", ""), "LD_PRELOAD"), std::nullopt);
}

TEST(Modes, TheOthersHaveTheLibraryAndTheirMode) {
  for (size_t i : {1u, 2u}) {
    const Environment environment = EnvironmentOf(Modes()[i], "/l/libgreen.so", "a.so");
    EXPECT_EQ(Get(environment, "LD_PRELOAD"), "a.so:/l/libgreen.so");
    EXPECT_EQ(Get(environment, "GREEN_MODE"), i == 1 ? "1:1" : "mn");
  }
}

TEST(LibraryLog, TellsStartFromRefusal) {
  const LibraryLog log = ReadLibraryLog(
      "hello\nlibgreen: started, 2 workers, 290 system calls patched\n"
      "libgreen: GREEN_MAX_CARRIERS=4 reached\nlibgreen: GREEN_MAX_CARRIERS=4 reached\n");
  EXPECT_TRUE(log.started);
  EXPECT_FALSE(log.refusal);
  EXPECT_EQ(log.warnings, std::vector<std::string>{"GREEN_MAX_CARRIERS=4 reached"});
  const LibraryLog refused = ReadLibraryLog("x\nlibgreen: GREEN_MODE=1:1: no; running natively\n");
  EXPECT_FALSE(refused.started);
  EXPECT_EQ(refused.refusal, "GREEN_MODE=1:1: no; running natively");
}

}  // namespace
}  // namespace green::cli
