// What is recalled is what would be found; and who looks when.
#include "interpose/known_sites.h"

#include <gtest/gtest.h>
#include <link.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "interpose/code_writer.h"
#include "interpose/loaded_object.h"

namespace green {
namespace {

bool All(int) { return true; }
bool Even(int nr) { return nr % 2 == 0; }

constexpr KnownSites::Choices kChoices = {Even, All};

constinit KnownSites known{};
auto found = std::make_unique<SiteScan>(), recalled = std::make_unique<SiteScan>();

bool Same(const Site& a, const Site& b) {
  return a.syscall == b.syscall && a.guard_begin == b.guard_begin && a.guard_end == b.guard_end &&
         a.nr == b.nr && a.before == b.before && a.after == b.after && a.replaced == b.replaced &&
         a.flags == b.flags && a.verdict == b.verdict && a.reason == b.reason;
}

// Calls visit(info, object) for each loaded object that has code.
template <typename Visitor>
void ForEachObject(Visitor visit) {
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* arg) {
        CodeObject object;
        if (DescribeObject(*info, &object)) (*static_cast<Visitor*>(arg))(*info, object);
        return 0;
      },
      &visit);
}

bool Recall(const dl_phdr_info& info, const CodeObject& object, IsTreatedFn is_treated,
            unsigned long long more_unloads = 0) {
  return known.Recall(info.dlpi_addr, info.dlpi_phdr, info.dlpi_subs + more_unloads, object,
                      is_treated, recalled.get());
}

int Known() {
  int count = 0;
  ForEachObject([&](const dl_phdr_info& info, const CodeObject& object) {
    count += Recall(info, object, All);
  });
  return count;
}

void Fork(bool tells) {
  known.BeforeFork(kChoices);
  const pid_t pid = fork();
  if (pid == 0) {
    known.InForkedChild();
    if (tells) known.TellParent(1);
    _exit(0);
  }
  ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
}

TEST(KnownSites, LooksOnlyOnceAChildHasLeftWord) {
  EXPECT_EQ(Known(), 0);
  Fork(false);
  known.TellParent(1);  // its own word does not count
  Fork(true);
  EXPECT_EQ(Known(), 0);
  Fork(false);
  EXPECT_GT(Known(), 2);
}

TEST(KnownSites, RecallsWhatWouldBeFound) {
  int sites = 0;
  ForEachObject([&](const dl_phdr_info& info, const CodeObject& object) {
    ASSERT_TRUE(Recall(info, object, All));
    FindSites(object, All, found.get());
    ASSERT_EQ(recalled->count, found->count);
    EXPECT_EQ(recalled->not_instructions, found->not_instructions);
    for (int n = 0; n < found->count; ++n) EXPECT_TRUE(Same(recalled->sites[n], found->sites[n]));
    sites += found->count;
  });
  EXPECT_GT(sites, 300);
}

TEST(KnownSites, ForgetsWhatMayHaveChanged) {
  ForEachObject([&](const dl_phdr_info& info, const CodeObject& object) {
    EXPECT_FALSE(Recall(info, object, Even));
    EXPECT_FALSE(Recall(info, object, All, 1));
  });
}

// In a child: what it changes there is its own.
TEST(KnownSites, NoticesChangedCode) {
  const pid_t pid = fork();
  if (pid == 0) {
    int changed = 0, recalled_changed = 0;
    ForEachObject([&](const dl_phdr_info& info, const CodeObject& object) {
      if (!Recall(info, object, All)) return;
      for (int n = 0; n < recalled->count; ++n) {
        const Site& site = recalled->sites[n];
        if (site.verdict != Site::kPatch || site.nr != SYS_swapon) continue;  // not called here
        CodeWriter writer;
        const uint8_t byte = static_cast<uint8_t>(*site.PatchStart() ^ 1);
        changed += writer.Write(site.PatchStart(), &byte, 1);
        recalled_changed += Recall(info, object, All);
        return;
      }
    });
    _exit(changed > 0 && recalled_changed == 0 ? 7 : 1);
  }
  int status;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 7 << 8);
}

// A child has its own page, and knows what its parent did.
TEST(KnownSites, ChildrenKnowAndTellTheirOwnParent) {
  known.BeforeFork(kChoices);
  const pid_t pid = fork();
  if (pid == 0) {
    known.InForkedChild();
    const void* const parents = known.page();
    known.BeforeFork(kChoices);
    _exit(Known() > 2 && known.page() ? (parents ? 7 : 1) : 2);
  }
  int status;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 7 << 8);
}

}  // namespace
}  // namespace green
