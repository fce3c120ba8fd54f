// The site finder on the process's own libraries, and on small functions made for each rule.
#include "interpose/sites.h"

#include <gtest/gtest.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "interpose/slot.h"

// Functions that are never called. Each `site_x` is the address of a syscall instruction.
#define FUNCTION(name, body) ".p2align 6\n" name ":\n.cfi_startproc\n" body "\n.cfi_endproc\n"
#define SITE(name) ".globl site_" name "\nsite_" name ": syscall\n"
asm(".text\n"
    FUNCTION("f1", "test %edi,%edi\n jz 1f\n mov $39,%eax\n 1:" SITE("branch_to_itself") "ret")
    FUNCTION("f2", "mov $39,%eax\n xor %edi,%edi\n" SITE("two_before") "ret")
    FUNCTION("f3", "jz 1f\n mov $39,%eax\n 1: xor %edi,%edi\n" SITE("after") "cmp $-4096,%rax\n ret")
    FUNCTION("f4", "jz 1f\n ja 2f\n mov $39,%eax\n 1: xor %edi,%edi\n" SITE("no_room")
             "2: cmp $-4096,%rax\n ret")
    FUNCTION("f5", "1: xor %edi,%edi\n mov %edx,%eax\n" SITE("around") "jmp 1b")
    FUNCTION("f6", "jz 1f\n jmp *%rcx\n 1: mov $39,%eax\n xor %edi,%edi\n" SITE("computed_jump") "ret")
    FUNCTION("f7", "lea f1(%rip),%rdi\n" SITE("rip_relative") "ret")
    FUNCTION("f8", "ret\n mov $39,%eax\n" SITE("not_reached") "ret")
    FUNCTION("f9", "mov $15,%rax\n" SITE("signal_return") "ret")
    FUNCTION("f10", "mov $39,%eax\n push %rdi\n" SITE("push_between") "pop %rdi\n ret")
    FUNCTION("f11", "mov $39,%eax\n f11_inside: xor %edi,%edi\n" SITE("entered") "ret")
    FUNCTION("f12", ".byte 0xe9\n .long f11_inside - . - 4")
    FUNCTION("f13", "mov $39,%eax\n 3: xor %edi,%edi\n" SITE("entered_short") "ret")
    ".cfi_startproc\n jmp 3b\n .cfi_endproc\n"
    FUNCTION("f14", "lea 9f(%rip),%rdx\n movslq (%rdx,%rdi,4),%rax\n add %rdx,%rax\n jmp *%rax\n"
             "1: mov $39,%eax\n xor %edi,%edi\n" SITE("switch") "ret\n"
             "2: mov $39,%eax\n 3: xor %edi,%edi\n" SITE("switch_inside") "ret\n"
             ".pushsection .rodata\n .p2align 2\n 9: .long 1b-9b, 2b-9b, 3b-9b, 0x7fffffff\n .popsection")
    FUNCTION("f15", "mov $39,%ecx\n mov %ecx,%eax\n mov %rsp,%rsi\n" SITE("unknown_number") "ret")
    FUNCTION("f16", "mov $39,%eax\n movq $8,(%rsp)\n" SITE("number_further_up") "ret")
    FUNCTION("f17", "movups %xmm0,(%rdi)\n mov $39,%eax\n" SITE("vector") "jc f17\n ret")
    FUNCTION("f18", ".globl site_immediate\n mov $0x50f1234,%eax\n .set site_immediate, . - 2\n ret")
    ".p2align 6\n .fill 64,1,0x90\n mov $39,%eax\n" SITE("no_fde") "ret\n .p2align 6\n");

extern "C" const uint8_t site_branch_to_itself[], site_two_before[], site_after[], site_no_room[],
    site_around[], site_computed_jump[], site_rip_relative[], site_not_reached[],
    site_signal_return[], site_push_between[], site_entered[], site_entered_short[], site_switch[],
    site_switch_inside[], site_unknown_number[], site_number_further_up[], site_vector[],
    site_no_fde[], site_immediate[];

namespace green {
namespace {

bool All(int) { return true; }

struct Loaded {
  std::string name;
  CodeObject code;
};

std::vector<Loaded> LoadedObjects() {
  std::vector<Loaded> all;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* arg) {
        Loaded l;
        l.name = info->dlpi_name;
        for (int n = 0; n < info->dlpi_phnum; ++n) {
          const ElfW(Phdr)& p = info->dlpi_phdr[n];
          const auto* at = reinterpret_cast<const uint8_t*>(info->dlpi_addr + p.p_vaddr);
          if (p.p_type == PT_LOAD && (p.p_flags & PF_X))
            l.code.code[l.code.code_count++] = {at, at + p.p_filesz};
          if (p.p_type == PT_LOAD && !(p.p_flags & (PF_X | PF_W)))
            l.code.constants[l.code.constants_count++] = {at, at + p.p_filesz};
          if (p.p_type == PT_GNU_EH_FRAME) l.code.index = OpenUnwindIndex(at, p.p_memsz);
        }
        static_cast<std::vector<Loaded>*>(arg)->push_back(l);
        return 0;
      },
      &all);
  return all;
}

class SitesTest : public testing::Test {
 protected:
  SitesTest() : scan_(std::make_unique<SiteScan>()) {}
  std::unique_ptr<SiteScan> scan_;
};

TEST_F(SitesTest, FindsAllOfLibcAndTheLoader) {
  for (const Loaded& l : LoadedObjects()) {
    timespec t0, t1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    FindSites(l.code, All, scan_.get());
    clock_gettime(CLOCK_MONOTONIC, &t1);
    std::map<std::string, int> kinds;
    int unpatchable = 0, unknown = 0;
    for (int n = 0; n < scan_->count; ++n) {
      const Site& s = scan_->sites[n];
      if (s.verdict == Site::kPatch) {
        ++kinds[!s.replaced ? "before" : s.before ? "around" : "after"];
        if (s.guard_begin < s.guard_end) ++kinds["guarded"];
        if (s.nr < 0) ++unknown;
        if (s.flags & kSlotFlagsLive) ++kinds["flags live"];
        if (s.flags & kSlotVectorLive) ++kinds["vector live"];
        EXPECT_GE(s.PatchLength(), 5);
        EXPECT_LE(s.before, GREEN_SLOT_ENTER);
        EXPECT_LE(s.after, GREEN_SLOT_AFTER_MAX);
      } else if (s.verdict == Site::kUnpatchable) {
        ++unpatchable;
        printf("  unpatchable %#lx nr %d: %s\n", long(s.syscall), s.nr, ReasonName(s.reason));
      } else {
        ++kinds[ReasonName(s.reason)];
      }
    }
    printf("%s: %d sites, %d unpatchable, %d unknown numbers, %d not instructions, %.0f us;",
           l.name.c_str(), scan_->count, unpatchable, unknown, scan_->not_instructions,
           (t1.tv_sec - t0.tv_sec) * 1e6 + (t1.tv_nsec - t0.tv_nsec) / 1e3);
    for (auto& [kind, count] : kinds) printf(" %s %d", kind.c_str(), count);
    printf("\n");
    if (l.name.find("libc.so") != std::string::npos) {
      EXPECT_GT(scan_->count, 300);
      EXPECT_LT(unpatchable, 5);
    }
  }
}

class MadeUpSites : public SitesTest {
 protected:
  MadeUpSites() { FindSites(LoadedObjects()[0].code, All, scan_.get()); }
  const Site* At(const uint8_t* address) const {
    for (int n = 0; n < scan_->count; ++n)
      if (scan_->sites[n].syscall == address) return &scan_->sites[n];
    return nullptr;
  }
};

#define EXPECT_PATCH(name, before_bytes, after_bytes, covers_syscall, number)      \
  do {                                                                             \
    const Site* s = At(site_##name);                                               \
    ASSERT_NE(s, nullptr) << #name;                                                \
    EXPECT_EQ(s->verdict, Site::kPatch) << #name << ": " << ReasonName(s->reason); \
    EXPECT_EQ(int{s->before}, before_bytes) << #name;                              \
    EXPECT_EQ(int{s->after}, after_bytes) << #name;                                \
    EXPECT_EQ(s->replaced, covers_syscall) << #name;                               \
    EXPECT_EQ(s->nr, number) << #name;                                             \
  } while (0)

#define EXPECT_LEFT_ALONE(name, why)                                     \
  do {                                                                   \
    const Site* s = At(site_##name);                                     \
    ASSERT_NE(s, nullptr) << #name;                                      \
    EXPECT_NE(s->verdict, Site::kPatch) << #name;                        \
    EXPECT_STREQ(ReasonName(s->reason), ReasonName(Site::why)) << #name; \
  } while (0)

TEST_F(MadeUpSites, WhatCanBeProvenIsPatched) {
  EXPECT_PATCH(branch_to_itself, 5, 0, false, 39);
  EXPECT_PATCH(two_before, 7, 0, false, 39);
  EXPECT_PATCH(after, 0, 6, true, -1);
  EXPECT_PATCH(around, 4, 0, true, -1);
  EXPECT_PATCH(switch, 7, 0, false, 39);
  EXPECT_PATCH(unknown_number, 5, 0, false, -1);
  EXPECT_PATCH(number_further_up, 8, 0, false, 39);
  EXPECT_PATCH(vector, 5, 0, false, 39);
}

TEST_F(MadeUpSites, WhatCannotIsLeftAlone) {
  EXPECT_LEFT_ALONE(no_room, kNoRoom);
  EXPECT_LEFT_ALONE(computed_jump, kNoRoom);
  EXPECT_LEFT_ALONE(rip_relative, kNoRoom);
  EXPECT_LEFT_ALONE(push_between, kNoRoom);
  EXPECT_LEFT_ALONE(switch_inside, kNoRoom);
  EXPECT_LEFT_ALONE(not_reached, kNotReached);
  EXPECT_LEFT_ALONE(signal_return, kSignalReturn);
  EXPECT_LEFT_ALONE(entered, kEnteredFromOutside);
  EXPECT_LEFT_ALONE(entered_short, kEnteredFromOutside);
  EXPECT_LEFT_ALONE(no_fde, kNoUnwindInfo);
  EXPECT_EQ(site_immediate[0], 0x0f);
  EXPECT_EQ(At(site_immediate), nullptr);
}

TEST_F(MadeUpSites, LivenessIsSeen) {
  EXPECT_EQ(At(site_two_before)->flags, kSlotNotLibc | kSlotVectorLive);
  EXPECT_EQ(At(site_vector)->flags, kSlotNotLibc | kSlotVectorLive | kSlotFlagsLive);
  CodeObject as_if_libc = LoadedObjects()[0].code;
  as_if_libc.is_libc = true;
  FindSites(as_if_libc, All, scan_.get());
  EXPECT_EQ(At(site_two_before)->flags, 0);
  EXPECT_EQ(At(site_vector)->flags, kSlotVectorLive | kSlotFlagsLive);
}

TEST_F(MadeUpSites, NumbersThatNobodyTreatsAreLeftAlone) {
  FindSites(
      LoadedObjects()[0].code, [](int nr) { return nr != 39; }, scan_.get());
  EXPECT_EQ(At(site_two_before)->verdict, Site::kNotTreated);
  EXPECT_EQ(At(site_unknown_number)->verdict, Site::kPatch);
}

}  // namespace
}  // namespace green
