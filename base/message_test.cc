#include "base/message.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <climits>
#include <string>

#include "base/check.h"

namespace green {
namespace {

template <typename Fn>
std::string Stderr(Fn fn) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const int saved = dup(2);
  dup2(ends[1], 2);
  fn();
  dup2(saved, 2);
  close(saved);
  close(ends[1]);
  std::string text;
  char buffer[1024];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<size_t>(n));
  close(ends[0]);
  return text;
}

TEST(MessageTest, OneLineWithItsPrefix) {
  EXPECT_EQ(Stderr([] { (Message() << "hello " << 7).Write(); }), "libgreen: hello 7\n");
}

TEST(MessageTest, NumbersOfAllKinds) {
  EXPECT_EQ(
      Stderr([] {
        (Message() << 0 << " " << -12 << " " << 34u << " " << LONG_MIN << " " << ULONG_MAX).Write();
      }),
      "libgreen: 0 -12 34 -9223372036854775808 18446744073709551615\n");
}

TEST(MessageTest, Hexadecimal) {
  EXPECT_EQ(Stderr([] { Message().Hex(0).Write(); }), "libgreen: 0x0\n");
  EXPECT_EQ(Stderr([] { Message().Hex(0xdeadbeef).Write(); }), "libgreen: 0xdeadbeef\n");
  EXPECT_EQ(Stderr([] { Message().Hex(UINTPTR_MAX).Write(); }), "libgreen: 0xffffffffffffffff\n");
}

TEST(MessageTest, NullTextIsNothing) {
  const char* none = nullptr;
  EXPECT_EQ(Stderr([&] { (Message() << none << "!").Write(); }), "libgreen: !\n");
}

TEST(MessageTest, TooLongIsCutButStaysALine) {
  const std::string line = Stderr([] { (Message() << std::string(1000, 'x').c_str()).Write(); });
  EXPECT_EQ(line.size(), 400u);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(CheckDeathTest, SaysWhatAndWhereAndAborts) {
  GREEN_CHECK(1 + 1 == 2);
  EXPECT_EXIT(GREEN_CHECK(1 + 1 == 3), testing::KilledBySignal(SIGABRT),
              "libgreen: check failed: 1 \\+ 1 == 3 at base/message_test.cc:");
}

}  // namespace
}  // namespace green
