// Decodes the whole text of large programs next to Zydis and compares every answer.
#include "interpose/insn.h"

#include <Zydis/Zydis.h>
#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "interpose/insn_effects.h"

namespace green {
namespace {

bool IsVector(ZydisRegister reg) {
  switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_X87:
    case ZYDIS_REGCLASS_MMX:
    case ZYDIS_REGCLASS_XMM:
    case ZYDIS_REGCLASS_YMM:
    case ZYDIS_REGCLASS_ZMM:
    case ZYDIS_REGCLASS_MASK: return true;
    default: return false;
  }
}

bool Is64BitRegister(ZydisRegister reg, ZydisRegister wide) {
  return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg) == wide;
}

struct Expected {
  bool rsp = false, vector = false, rip_relative = false, writes_rax = false;
  const uint8_t* target = nullptr;
};

Expected Describe(const uint8_t* p, const ZydisDecodedInstruction& insn,
                  const ZydisDecodedOperand* operands) {
  Expected e;
  for (int n = 0; n < insn.operand_count; ++n) {
    const ZydisDecodedOperand& o = operands[n];
    if (o.type == ZYDIS_OPERAND_TYPE_REGISTER) {
      if (o.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
        e.rsp |= Is64BitRegister(o.reg.value, ZYDIS_REGISTER_RSP);
      e.vector |= IsVector(o.reg.value);
      if (o.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
        e.writes_rax |= Is64BitRegister(o.reg.value, ZYDIS_REGISTER_RAX);
    } else if (o.type == ZYDIS_OPERAND_TYPE_MEMORY) {
      if (o.mem.base == ZYDIS_REGISTER_RIP || o.mem.base == ZYDIS_REGISTER_EIP) {
        e.rip_relative = true;
        e.target = p + insn.length + o.mem.disp.value;
      }
    } else if (o.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && o.imm.is_relative) {
      e.target = p + insn.length + o.imm.value.s;
    }
  }
  return e;
}

struct Counts {
  long compared = 0, undecoded = 0, too_cautious_rsp = 0;
};

void CompareText(const uint8_t* p, const uint8_t* end, Counts* counts) {
  ZydisDecoder decoder;
  ASSERT_TRUE(
      ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)));
  ZydisDecodedInstruction insn;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  while (p < end) {
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, p, end - p, &insn, operands))) {
      ++p;  // data between functions
      continue;
    }
    const Insn mine = Decode(p, end);
    const Expected e = Describe(p, insn, operands);
    const auto where = [&] {
      std::string text = ZydisMnemonicGetString(insn.mnemonic);
      for (int n = 0; n < insn.length; ++n) text += " " + testing::PrintToString(int{p[n]});
      return text;
    };
    ++counts->compared;
    if (mine.length == 0) {
      ++counts->undecoded;
      p += insn.length;
      continue;
    }
    ASSERT_EQ(mine.length, insn.length) << where();
    ASSERT_EQ(mine.target, e.target) << where();  // of branches and of rip-relative operands
    ASSERT_EQ(mine.rip_relative, e.rip_relative) << where();
    ASSERT_GE(WritesRsp(mine), e.rsp) << where();
    ASSERT_GE(mine.uses_vector, e.vector) << where();
    ASSERT_GE(MayWriteRax(mine), e.writes_rax) << where();
    counts->too_cautious_rsp += WritesRsp(mine) && !e.rsp && !mine.uses_vector;

    const auto category = insn.meta.category;
    ASSERT_EQ(mine.flow == Insn::kSyscall, insn.mnemonic == ZYDIS_MNEMONIC_SYSCALL) << where();
    ASSERT_EQ(mine.flow == Insn::kReturn, category == ZYDIS_CATEGORY_RET ||
                                              insn.mnemonic == ZYDIS_MNEMONIC_SYSRET ||
                                              insn.mnemonic == ZYDIS_MNEMONIC_SYSEXIT)
        << where();
    ASSERT_EQ(mine.flow == Insn::kCall || mine.flow == Insn::kIndirectCall,
              category == ZYDIS_CATEGORY_CALL)
        << where();
    ASSERT_EQ(mine.flow == Insn::kJump || mine.flow == Insn::kIndirectJump,
              category == ZYDIS_CATEGORY_UNCOND_BR && insn.mnemonic != ZYDIS_MNEMONIC_XABORT)
        << where();
    // Flags: "overwrites" must mean that no arithmetic flag is read and none survives.
    if (category != ZYDIS_CATEGORY_RET && category != ZYDIS_CATEGORY_CALL) {
      const uint32_t arithmetic = ZYDIS_CPUFLAG_CF | ZYDIS_CPUFLAG_PF | ZYDIS_CPUFLAG_AF |
                                  ZYDIS_CPUFLAG_ZF | ZYDIS_CPUFLAG_SF | ZYDIS_CPUFLAG_OF;
      const auto* f = insn.cpu_flags;
      const uint32_t written = f->modified | f->set_0 | f->set_1 | f->undefined;
      const FlagsUse use = FlagsUseOf(mine);
      if (use != FlagsUse::kOther) {
        ASSERT_EQ(f->tested & arithmetic, 0u) << where();
      }
      if (use == FlagsUse::kOverwrites) {
        ASSERT_EQ(written & arithmetic, arithmetic) << where();
      }
      if (use == FlagsUse::kNone) {
        ASSERT_EQ(written & arithmetic, 0u) << where();
      }
    }
    p += insn.length;
  }
}

class InsnAgainstZydis : public testing::TestWithParam<const char*> {};

TEST_P(InsnAgainstZydis, WholeText) {
  const int fd = open(GetParam(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) GTEST_SKIP() << GetParam() << " is not installed";
  struct stat st;
  ASSERT_EQ(fstat(fd, &st), 0);
  const size_t size = static_cast<size_t>(st.st_size);
  void* map = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  ASSERT_NE(map, MAP_FAILED);
  const auto* file = static_cast<const uint8_t*>(map);
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(file);
  const auto* sections = reinterpret_cast<const Elf64_Shdr*>(file + header->e_shoff);
  Counts counts;
  for (int n = 0; n < header->e_shnum; ++n) {
    const Elf64_Shdr& s = sections[n];
    if (s.sh_type != SHT_PROGBITS || !(s.sh_flags & SHF_EXECINSTR)) continue;
    CompareText(file + s.sh_offset, file + s.sh_offset + s.sh_size, &counts);
    if (HasFatalFailure()) break;
  }
  printf("%s: %ld instructions, %ld undecoded, %ld wrongly thought to write rsp\n", GetParam(),
         counts.compared, counts.undecoded, counts.too_cautious_rsp);
  EXPECT_LT(counts.undecoded * 1000, counts.compared);
  EXPECT_LT(counts.too_cautious_rsp * 100, counts.compared);
  munmap(map, size);
}

INSTANTIATE_TEST_SUITE_P(Programs, InsnAgainstZydis,
                         testing::Values("/lib/x86_64-linux-gnu/libc.so.6",
                                         "/lib64/ld-linux-x86-64.so.2",
                                         "/lib/x86_64-linux-gnu/libm.so.6",
                                         "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
                                         "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
                                         "/usr/lib/x86_64-linux-gnu/libisal.so.2",
                                         "/usr/bin/python3.11", "/usr/sbin/mariadbd"));

TEST(Insn, StopsAtTheEnd) {
  const uint8_t mov[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0};
  for (size_t n = 0; n < sizeof mov; ++n) EXPECT_EQ(Decode(mov, mov + n).length, 0);
  const Insn i = Decode(mov, mov + sizeof mov);
  EXPECT_EQ(i.length, 7);
  int64_t value = 0;
  EXPECT_TRUE(LoadsConstantIntoRax(i, &value));
  EXPECT_EQ(value, 15);
}

TEST(Insn, RefusesWhatCpusDisagreeAbout) {
  const uint8_t short_jump[] = {0x66, 0xe9, 0, 0, 0, 0};
  EXPECT_EQ(Decode(short_jump, short_jump + 6).length, 0);
  const uint8_t tls_call[] = {0x66, 0x66, 0x48, 0xe8, 0, 0, 0, 0};
  EXPECT_EQ(Decode(tls_call, tls_call + 8).length, 8);
}

}  // namespace
}  // namespace green
