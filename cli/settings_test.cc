#include "cli/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace green::cli {
namespace {

const Setting& Find(const std::string& variable) {
  auto all = Settings();
  auto found = std::find_if(all.begin(), all.end(),
                            [&](const Setting& setting) { return variable == setting.variable; });
  if (found == all.end()) throw std::out_of_range(variable);
  return *found;
}

bool Takes(const char* variable, const char* value) { return !Find(variable).complaint(value); }

TEST(SettingsTest, TableHasARowForEachVariable) {
  std::string table = SettingsTable();
  for (const Setting& setting : Settings()) {
    EXPECT_NE(table.find(std::string("\n") + setting.variable + " "), table.npos)
        << setting.variable;
  }
  EXPECT_NE(table.find("\nGREEN_LIBRARY "), table.npos);
}

TEST(SettingsTest, ModeIsOneOfTwo) {
  EXPECT_TRUE(Takes("GREEN_MODE", "mn"));
  EXPECT_TRUE(Takes("GREEN_MODE", "1:1"));
  EXPECT_FALSE(Takes("GREEN_MODE", "n:m"));
  EXPECT_FALSE(Takes("GREEN_MODE", ""));
}

TEST(SettingsTest, WorkersIsACountOfAtLeastOne) {
  EXPECT_TRUE(Takes("GREEN_WORKERS", "8"));
  EXPECT_TRUE(Takes("GREEN_WORKERS", "256"));
  for (const char* bad : {"", "0", "-1", "two", "8x", " 8", "257", "99999999999999999999"}) {
    EXPECT_FALSE(Takes("GREEN_WORKERS", bad)) << bad;
  }
}

TEST(SettingsTest, StackTakesUnits) {
  for (const char* good : {"16384", "16K", "65536", "64K", "8M", "1G"}) {
    EXPECT_TRUE(Takes("GREEN_STACK", good)) << good;
  }
  for (const char* bad : {"", "K", "64k b", "-64K", "0", "16383", "15K", "2G"}) {
    EXPECT_FALSE(Takes("GREEN_STACK", bad)) << bad;
  }
}

TEST(SettingsTest, SliceIsAtLeastAMillisecond) {
  EXPECT_TRUE(Takes("GREEN_SLICE", "1"));
  for (const char* bad : {"", "0", "1.5", "1000001"})
    EXPECT_FALSE(Takes("GREEN_SLICE", bad)) << bad;
}

TEST(SettingsTest, SwitchesAreZeroOrOne) {
  EXPECT_TRUE(Takes("GREEN_REPORT", "1"));
  EXPECT_TRUE(Takes("GREEN_FOLLOW", "0"));
  EXPECT_FALSE(Takes("GREEN_REPORT", "yes"));
}

}  // namespace
}  // namespace green::cli
