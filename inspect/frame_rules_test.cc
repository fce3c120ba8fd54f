// A frame's caller by a rule that was learnt, where the unwind table says it in a roundabout way.
#include "inspect/frame_rules.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <random>

// Never run: code whose unwind table is what counts. By the forms that compilers write for frames
// with aligned stacks and hand-written code with a saved stack pointer.
asm(R"(
  .text
plain:
  .cfi_startproc
  nop
  .cfi_def_cfa %rbp, 16
  .cfi_offset %rip, -8
  .cfi_offset %rbp, -16
plain_at:
  nop
  nop
  .cfi_endproc
indirect:  # the caller's stack pointer is the word at rbp - 8
  .cfi_startproc
  nop
  .cfi_escape 0x0f, 3, 0x76, 0x78, 0x06
  .cfi_offset %rip, -8
  .cfi_escape 0x10, 6, 2, 0x76, 0
indirect_at:
  nop
  nop
  .cfi_endproc
added:  # the same and 8
  .cfi_startproc
  nop
  .cfi_escape 0x0f, 5, 0x76, 0x78, 0x06, 0x23, 8
  .cfi_offset %rip, -8
added_at:
  nop
  nop
  .cfi_endproc
aligned:  # rsp, aligned to 64, and 16
  .cfi_startproc
  nop
  .cfi_escape 0x0f, 7, 0x77, 0, 0x09, 0xc0, 0x1a, 0x23, 16
  .cfi_offset %rip, -8
aligned_at:
  nop
  nop
  .cfi_endproc
outermost:
  .cfi_startproc
  .cfi_undefined %rip
  nop
outermost_at:
  nop
  nop
  .cfi_endproc
  .globl plain_at, indirect_at, added_at, aligned_at, outermost_at
)");
extern "C" const char plain_at[], indirect_at[], added_at[], aligned_at[], outermost_at[];

namespace green::inspect {
namespace {

class FrameRulesTest : public testing::Test {
 protected:
  ProcessMemory memory_{getpid()};
  Modules modules_{getpid(), memory_, ReadMaps(getpid())};
  Pages pages_{memory_};
  FrameRules rules_{pages_, modules_};
  alignas(64) uint64_t stack_[64] = {};

  uint64_t At(size_t i) const { return reinterpret_cast<uint64_t>(&stack_[i]); }
  static Registers In(const char* code) {
    Registers r;
    r.rip = reinterpret_cast<uint64_t>(code) + 1;
    return r;
  }
  bool Up(Registers* r) {
    pages_.ForgetStacks();
    return rules_.Up(r, true);
  }
};

// By the rule as it is learnt and then as it is known, on different stacks.
TEST_F(FrameRulesTest, Plain) {
  for (size_t i = 4; i < 40; i += 9) {
    Registers r = In(plain_at);
    r.rbp = At(i);
    r.rbx = 77;
    stack_[i] = At(i + 5);
    stack_[i + 1] = 0x1234567 + i;
    ASSERT_TRUE(Up(&r));
    EXPECT_EQ(r.rip, 0x1234567 + i);
    EXPECT_EQ(r.rsp, At(i + 2));
    EXPECT_EQ(r.rbp, At(i + 5));
    EXPECT_EQ(r.rbx, 77u);
  }
}

TEST_F(FrameRulesTest, StackPointerIsReadFromTheStack) {
  for (size_t i = 4; i < 40; i += 9) {
    Registers r = In(indirect_at);
    r.rbp = At(i);
    stack_[i] = 99;
    stack_[i - 1] = At(i + 10);
    stack_[i + 9] = 0x1234567 + i;
    ASSERT_TRUE(Up(&r));
    EXPECT_EQ(r.rip, 0x1234567 + i);
    EXPECT_EQ(r.rsp, At(i + 10));
    EXPECT_EQ(r.rbp, 99u);
  }
}

TEST_F(FrameRulesTest, AndAddedTo) {
  for (size_t i = 4; i < 40; i += 9) {
    Registers r = In(added_at);
    r.rbp = At(i);
    stack_[i - 1] = At(i + 10);
    stack_[i + 10] = 0x1234567 + i;
    ASSERT_TRUE(Up(&r));
    EXPECT_EQ(r.rip, 0x1234567 + i);
    EXPECT_EQ(r.rsp, At(i + 11));
  }
}

TEST_F(FrameRulesTest, AlignedStackPointer) {
  for (size_t i = 8; i < 40; ++i) {
    Registers r = In(aligned_at);
    r.rsp = At(i);
    const size_t to = i / 8 * 8 + 2;
    stack_[to - 1] = 0x1234567 + i;
    ASSERT_TRUE(Up(&r));
    EXPECT_EQ(r.rip, 0x1234567 + i);
    EXPECT_EQ(r.rsp, At(to));
  }
}

TEST_F(FrameRulesTest, OutermostFrame) {
  for (int i = 0; i < 3; ++i) {
    Registers r = In(outermost_at);
    r.rsp = At(8);
    stack_[8] = 0x1234567;
    EXPECT_FALSE(Up(&r));
  }
}

// Registers and stacks of garbage end somewhere.
TEST_F(FrameRulesTest, Garbage) {
  std::mt19937_64 random(1);
  for (int n = 0; n < 2000; ++n) {
    const char* places[] = {plain_at, indirect_at, added_at, aligned_at, outermost_at};
    Registers r = In(places[random() % 5]);
    const auto garbage = [&] {
      switch (random() % 4) {
        case 0: return At(random() % 64);
        case 1: return reinterpret_cast<uint64_t>(plain_at) + random() % 4096;
        case 2: return random() % 300;
        default: return random();
      }
    };
    for (uint64_t& word : stack_) word = garbage();
    r.rsp = garbage();
    r.rbp = garbage();
    for (int depth = 0; depth < 96 && Up(&r); ++depth) {
    }
  }
}

}  // namespace
}  // namespace green::inspect
