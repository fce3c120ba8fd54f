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

}  // namespace
}  // namespace green
