#include "interpose/known_sites.h"

#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"
#include "interpose/loaded_object.h"

namespace green {
namespace {

void* Map(size_t size, int kind, const void* over = nullptr) {
  const long got = RawSyscall(SYS_mmap, over, size, PROT_READ | PROT_WRITE,
                              kind | MAP_ANONYMOUS | (over ? MAP_FIXED : 0), -1, 0);
  return IsError(got) ? nullptr : reinterpret_cast<void*>(got);
}

constexpr size_t kPageSize = 4096;

}  // namespace

struct KnownSites::Looking {
  KnownSites* known;
  SiteScan* scan;
  int objects, sites;
};

void KnownSites::BeforeFork(const Choices& choices) {
  if (!page_is_ours_) {
    // In the parent's place, at once: a handler may fork here, too.
    page_ = static_cast<std::atomic<int>*>(Map(kPageSize, MAP_SHARED, page_));
    page_is_ours_ = true;
  }
  const int word = page_ ? page_->load(std::memory_order_relaxed) : 0;
  if ((word == 1 || word == 2) && !has_looked_.exchange(true)) Look(choices[word - 1]);
}

void KnownSites::TellParent(int choice) {
  if (page_ && !page_is_ours_) page_->store(1 + choice, std::memory_order_relaxed);
}

void KnownSites::Look(IsTreatedFn is_treated) {
  looked_for_ = is_treated;
  sites_ = static_cast<Site*>(Map(kMaxSites * sizeof(Site), MAP_PRIVATE | MAP_NORESERVE));
  Looking looking{this, static_cast<SiteScan*>(Map(sizeof(SiteScan), MAP_PRIVATE)), 0, 0};
  if (sites_ && looking.scan)
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* arg) {
          auto* l = static_cast<Looking*>(arg);
          return l->known->Visit(*info, l);
        },
        &looking);
  if (looking.scan) RawSyscall(SYS_munmap, looking.scan, sizeof(SiteScan));
  object_count_.store(looking.objects, std::memory_order_release);
}

// Nonzero ends the walk.
int KnownSites::Visit(const dl_phdr_info& info, Looking* looking) {
  unloads_ = info.dlpi_subs;
  CodeObject code;
  if (!DescribeObject(info, &code)) return 0;
  if (looking->objects == kMaxObjects) return 1;
  SiteScan& scan = *looking->scan;
  FindSites(code, looked_for_, &scan);
  if (scan.count > kMaxSites - looking->sites) return 0;
  for (int n = 0; n < scan.count; ++n) sites_[looking->sites + n] = scan.sites[n];
  objects_[looking->objects++] = {
      info.dlpi_addr, info.dlpi_phdr, Fingerprint(scan.sites, scan.count),
      looking->sites, scan.count,     scan.not_instructions,
      scan.dropped};
  looking->sites += scan.count;
  return 0;
}

bool KnownSites::Recall(uintptr_t base, const void* headers, unsigned long long unloads,
                        const CodeObject& object, IsTreatedFn is_treated, SiteScan* scan) const {
  const int objects = object_count_.load(std::memory_order_acquire);
  if (!objects || is_treated != looked_for_ || unloads != unloads_) return false;
  for (int n = 0; n < objects; ++n) {
    const Object& o = objects_[n];
    if (o.base != base || o.headers != headers) continue;
    const Site* const sites = sites_ + o.first;
    for (int i = 0; i < o.count; ++i)
      if (!object.CodeAt(sites[i].syscall)) return false;
    if (Fingerprint(sites, o.count) != o.fingerprint) return false;
    for (int i = 0; i < o.count; ++i) scan->sites[i] = sites[i];
    scan->count = o.count;
    scan->not_instructions = o.not_instructions;
    scan->dropped = o.dropped;
    return true;
  }
  return false;
}

// Of what stands where something will be written, and on the guarded path to it.
uint64_t KnownSites::Fingerprint(const Site* sites, int count) {
  uint64_t sum = 0;
  for (int n = 0; n < count; ++n) {
    const Site& s = sites[n];
    const uint8_t* begin = s.syscall;
    const uint8_t* end = s.syscall + 2;
    if (s.verdict == Site::kPatch) {
      begin = s.PatchStart();
      if (s.guard_begin < s.guard_end && s.guard_begin < begin) begin = s.guard_begin;
      end = s.Resume();
    }
    for (const uint8_t* p = begin; p < end; ++p) sum = (sum ^ *p) * 0x100000001b3;
  }
  return sum;
}

}  // namespace green
