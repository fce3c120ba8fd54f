#include "cli/compare/command_line.h"

#include <gtest/gtest.h>

namespace green::cli {
namespace {

TEST(CommandLine, PlainWordsStayAsTheyAre) {
  EXPECT_EQ(CommandLine({"./server", "--port=80", "-t4", "user@host:1,2", "größe"}),
            "./server --port=80 -t4 user@host:1,2 größe");
}

TEST(CommandLine, QuotesWhatAShellWouldChange) {
  EXPECT_EQ(CommandLine({"a", "", "b"}), "a '' b");
  EXPECT_EQ(CommandLine({"", "x"}), "'' x");
  EXPECT_EQ(CommandLine({"a b", "$x", "*", "it's", "<tag>"}),
            R"('a b' '$x' '*' 'it'\''s' '<tag>')");
}

}  // namespace
}  // namespace green::cli
