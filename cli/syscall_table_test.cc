#include "cli/syscall_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "cli/coverage_cases.h"

namespace green::cli {
namespace {

// The newest call of Linux 6.18 (arch/x86/entry/syscalls/syscall_64.tbl): file_setattr.
constexpr int kNewest = 469;
// The kernel keeps 337-423 free on x86-64, so that numbers agree among CPUs from 424 on.
constexpr int kGapBegin = 337, kGapEnd = 424;

TEST(SyscallTable, EveryNumberHasOneRowInOrder) {
  int expected = 0;
  for (const SyscallRow& row : SyscallRows()) {
    EXPECT_EQ(row.number, expected) << row.name;
    expected = row.number + 1;
    if (expected == kGapBegin) expected = kGapEnd;
  }
  EXPECT_EQ(expected, kNewest + 1);
}

TEST(SyscallTable, NamesAreTheKernels) {
  // What the installed headers know; the table may know more.
  std::ifstream header("/usr/include/x86_64-linux-gnu/asm/unistd_64.h");
  ASSERT_TRUE(header) << "linux-libc-dev is not installed";
  std::string line;
  int checked = 0;
  while (std::getline(header, line)) {
    std::istringstream words(line);
    std::string define, macro;
    int number;
    if (!(words >> define >> macro >> number) || define != "#define") continue;
    if (!macro.starts_with("__NR_")) continue;
    bool found = false;
    for (const SyscallRow& row : SyscallRows()) {
      if (row.number == number) found = row.name == macro.substr(5);
    }
    EXPECT_TRUE(found) << macro << " " << number;
    ++checked;
  }
  EXPECT_GT(checked, 350);
}

TEST(SyscallTable, AHandlerWhereverTheKernelIsNotAlone) {
  for (const SyscallRow& row : SyscallRows()) {
    EXPECT_EQ(row.handler.empty(), row.treatment == "passes") << row.name;
  }
}

TEST(SyscallTable, EveryCallThatCanBlockIsBlockedIn) {
  std::set<std::string_view> covered;
  for (const CoverageCase& one : CoverageCases()) covered.insert(one.system_call);
  for (const SyscallRow& row : SyscallRows()) {
    if (row.name == "sched_yield") continue;  // waits for nothing
    if (row.treatment == "parks" || row.treatment == "hands off") {
      EXPECT_TRUE(covered.contains(row.name)) << row.name << " has no case in tests/coverage";
    }
    covered.erase(row.name);
  }
  for (std::string_view unknown : covered) ADD_FAILURE() << "no system call: " << unknown;
  EXPECT_GT(CoverageCases().size(), 350u);
}

TEST(SyscallTable, FindsByNameAndNumber) {
  EXPECT_EQ(PrintSyscalls("read", Format::kText), PrintSyscalls("0", Format::kText));
  EXPECT_NE(PrintSyscalls("read", Format::kText), "");
  EXPECT_EQ(PrintSyscalls("no_such_call", Format::kText), "");
  EXPECT_EQ(PrintSyscalls("no_such_call", Format::kJson), "");
}

TEST(SyscallTable, JsonIsJson) {
  const auto parsed = nlohmann::json::parse(PrintSyscalls("", Format::kJson));
  EXPECT_EQ(parsed.size(), SyscallRows().size());
  EXPECT_EQ(parsed[0]["name"], "read");
}

TEST(SyscallTable, CoveragePageIsCurrent) {
  std::ifstream page("docs/coverage.md");
  ASSERT_TRUE(page);
  std::stringstream text;
  text << page.rdbuf();
  EXPECT_EQ(text.str(), PrintSyscalls("", Format::kMarkdown))
      << "renew it: bazel-bin/green syscalls --markdown > docs/coverage.md";
}

}  // namespace
}  // namespace green::cli
