#include "interpose/patcher.h"

#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"
#include "interpose/loaded_object.h"
#include "interpose/slot_image.h"

namespace green {

namespace {

constexpr uintptr_t kPage = 4096;
constexpr int kJumpsAtOnce = 64;

uintptr_t PageOf(const uint8_t* p) { return reinterpret_cast<uintptr_t>(p) / kPage; }

}  // namespace

struct Patcher::Scratch {
  SiteScan scan;
  Slot images[GREEN_SLOT_COUNT];
  int16_t site_slot[SiteScan::kMaxSites];  // -1: none
  bool filled[GREEN_SLOT_COUNT];           // images to be written
  PlainSlot plain_images[kMaxPlainSlots];
  int16_t site_plain[SiteScan::kMaxSites];  // -1: none
  bool plain_filled[kMaxPlainSlots];
  uint8_t page[kPage];  // what is to stand in a page
};

struct Patcher::Pass {
  Pass(Patcher* p, IsTreatedFn treated, const KnownSites* k)
      : patcher(p), is_treated(treated), known(k) {}
  ~Pass() {
    if (scratch) RawSyscall(SYS_munmap, scratch, sizeof(Scratch));
  }
  Scratch* MapScratch() {
    const long got = scratch ? 0
                             : RawSyscall(SYS_mmap, 0, sizeof(Scratch), PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!scratch && !IsError(got)) scratch = reinterpret_cast<Scratch*>(got);
    return scratch;
  }

  Patcher* const patcher;
  const IsTreatedFn is_treated;
  const KnownSites* const known;
  CodeWriter writer;
  Scratch* scratch = nullptr;
  int number = 0;  // 0: has not begun
  bool some_unloaded = false;
  bool failed = false;
  int found = 0;
  int looked = 0;
};

bool Patcher::PatchAllLoaded(IsTreatedFn is_treated, int* found, const KnownSites* known,
                             int* looked) {
  if (found) *found = 0;
  if (looked) *looked = 0;
  // Most calls find nothing new: see that before anything is opened.
  const auto nothing_new = [](dl_phdr_info* info, size_t, void* arg) {
    auto* p = static_cast<Patcher*>(arg);
    return p->pass_count_ && info->dlpi_adds == p->adds_ && info->dlpi_subs == p->subs_ ? 2 : 1;
  };
  if (dl_iterate_phdr(nothing_new, this) == 2) return true;
  // The loader's own lock, held around each callback, keeps passes and dlopen apart; ours is for
  // those who read the results, and never waited for by a task (its holder may be preempted).
  Pass pass(this, is_treated, known);
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* arg) {
        auto* p = static_cast<Pass*>(arg);
        LockGuard guard(p->patcher->lock_);
        return p->patcher->Visit(*info, p);
      },
      &pass);
  if (pass.some_unloaded && !pass.failed)
    dl_iterate_phdr(
        [](dl_phdr_info*, size_t, void* arg) {
          auto* p = static_cast<Pass*>(arg);
          LockGuard guard(p->patcher->lock_);
          p->patcher->ForgetUnloaded(p->number);
          return 1;
        },
        &pass);
  if (found) *found = pass.found;
  if (looked) *looked = pass.looked;
  return !pass.failed;
}

// Nonzero ends the walk.
int Patcher::Visit(const dl_phdr_info& info, Pass* pass) {
  if (!pass->number) {
    pass->some_unloaded = info.dlpi_subs != subs_;
    pass->number = ++pass_count_;
    adds_ = info.dlpi_adds;
    subs_ = info.dlpi_subs;
  }
  CodeObject code;
  if (!DescribeObject(info, &code) || !IsNew(info, code, pass)) return 0;
  int object = 0;
  while (object < object_count_ && objects_[object].pass) ++object;
  if (object == kMaxObjects) return 0;
  if (!pass->MapScratch()) {
    adds_ = 0;  // so that the next call tries again
    pass->failed = true;
    return 1;
  }
  if (object == object_count_) ++object_count_;
  objects_[object] = {info.dlpi_addr, info.dlpi_phdr, pass->number, {}};
  ++pass->found;
  PatchObject(object, code, pass);
  return 0;
}

bool Patcher::IsNew(const dl_phdr_info& info, const CodeObject& code, Pass* pass) {
  for (int n = 0; n < object_count_; ++n) {
    Object& o = objects_[n];
    if (!o.pass || o.base != info.dlpi_addr || o.headers != info.dlpi_phdr) continue;
    if (!pass->some_unloaded || IsStillPatched(n, code)) {
      o.pass = pass->number;
      return false;
    }
    Forget(n);  // another object at the same address
  }
  return true;
}

bool Patcher::IsStillPatched(int object, const CodeObject& code) const {
  for (int n = 0; n < GREEN_SLOT_COUNT; ++n) {
    if (slot_owner_[n] != object + 1) continue;
    const uint8_t* patch = green_slots[n].patch;
    return code.CodeAt(patch) && *patch == 0xe9;
  }
  return false;  // nothing to tell it by: look again
}

// Whoever was inside a call of an unloaded object has nowhere to return to, with or without us, so
// its slots are free.
void Patcher::Forget(int object) {
  objects_[object].pass = 0;
  for (uint16_t& owner : slot_owner_)
    if (owner == object + 1) owner = 0;
  int kept = 0;
  for (int n = 0; n < unpatchable_count_; ++n)
    if (unpatchable_[n].object != object) unpatchable_[kept++] = unpatchable_[n];
  unpatchable_count_ = kept;
}

void Patcher::ForgetUnloaded(int pass) {
  for (int n = 0; n < object_count_; ++n)
    if (objects_[n].pass && objects_[n].pass < pass) Forget(n);
}

int Patcher::AllocateSlot(int object) {
  for (int n = 0; n < kUserDispatchSlot; ++n) {
    if (slot_owner_[n]) continue;
    slot_owner_[n] = static_cast<uint16_t>(object + 1);
    for (uint16_t& owner : plain_owner_)
      if (owner == n + 1) owner = 0;  // was the last object's
    return n;
  }
  return -1;
}

int Patcher::AllocatePlainSlot(int nr, int slot) {
  const long count = green_plain_slots_end - green_plain_slots;
  for (long n = 0; n < count && n < kMaxPlainSlots; ++n) {
    const uint16_t owner = plain_owner_[n];
    if (green_plain_slots[n].nr != nr || (owner && slot_owner_[owner - 1])) continue;
    plain_owner_[n] = static_cast<uint16_t>(slot + 1);
    return static_cast<int>(n);
  }
  return -1;
}

void Patcher::PatchObject(int object, const CodeObject& code, Pass* pass) {
  Scratch& s = *pass->scratch;
  Object& o = objects_[object];
  if (!pass->known ||
      !pass->known->Recall(o.base, o.headers, subs_, code, pass->is_treated, &s.scan)) {
    FindSites(code, pass->is_treated, &s.scan);
    ++pass->looked;
  }
  PatchStats& counts = o.counts;
  counts.objects = 1;
  counts.sites = s.scan.count + s.scan.dropped;
  counts.unpatchable = s.scan.dropped;
  for (int n = 0; n < s.scan.count; ++n) {
    const Site& site = s.scan.sites[n];
    s.site_slot[n] = -1;
    if (site.verdict == Site::kNotTreated) {
      ++counts.not_treated;
    } else if (site.verdict == Site::kUnpatchable) {
      Report(object, site, site.reason);
    } else if (site.replaced && pass->number > 1) {
      Report(object, site, Site::kOtherThreads);
    } else {
      const int slot = AllocateSlot(object);
      if (slot < 0) {
        Report(object, site, Site::kNoSlot);
        continue;
      }
      BuildSlot(site, &green_slots[slot], &s.images[slot]);
      s.filled[slot] = true;
      s.site_slot[n] = static_cast<int16_t>(slot);
    }
  }
  WriteSlots(pass);
  WritePlainSlots(code, pass);
  for (int n = 0; n < s.scan.count;) n = WriteJumps(n, pass);
}

// Neighbouring slots in one go.
void Patcher::WriteSlots(Pass* pass) {
  Scratch& s = *pass->scratch;
  for (int n = 0; n < GREEN_SLOT_COUNT; ++n) {
    if (!s.filled[n]) continue;
    int end = n;
    for (; end < GREEN_SLOT_COUNT && s.filled[end]; ++end) s.filled[end] = false;
    const bool written =
        pass->writer.Write(&green_slots[n], &s.images[n], (end - n) * sizeof(Slot));
    if (!written)
      for (int site = 0; site < s.scan.count; ++site) {
        const int slot = s.site_slot[site];
        if (slot < n || slot >= end) continue;
        Report(slot_owner_[slot] - 1, s.scan.sites[site], Site::kWriteRefused);
        slot_owner_[slot] = 0;
        s.site_slot[site] = -1;
      }
    n = end;
  }
}

void Patcher::WritePlainSlots(const CodeObject& code, Pass* pass) {
  Scratch& s = *pass->scratch;
  for (int n = 0; n < s.scan.count; ++n) {
    const Site& site = s.scan.sites[n];
    s.site_plain[n] = -1;
    if (s.site_slot[n] < 0 || (site.flags & kSlotFlagsLive)) continue;
    const CodeObject::Segment* segment = code.CodeAt(site.syscall);
    const int plain = segment ? AllocatePlainSlot(site.nr, s.site_slot[n]) : -1;
    if (plain < 0) continue;
    BuildPlainSlot(site, segment->end, &green_slots[s.site_slot[n]], &green_plain_slots[plain],
                   &s.plain_images[plain]);
    s.plain_filled[plain] = true;
    s.site_plain[n] = static_cast<int16_t>(plain);
  }
  for (int n = 0; n < kMaxPlainSlots; ++n) {
    int end = n;
    for (; end < kMaxPlainSlots && s.plain_filled[end]; ++end) s.plain_filled[end] = false;
    if (end == n) continue;
    if (!pass->writer.Write(&green_plain_slots[n], &s.plain_images[n],
                            static_cast<size_t>(end - n) * sizeof(PlainSlot)))
      for (int site = 0; site < s.scan.count; ++site)
        if (s.site_plain[site] >= n && s.site_plain[site] < end) s.site_plain[site] = -1;
    n = end;
  }
}

// Where the site's jump goes; null: it cannot reach its slot.
const uint8_t* Patcher::TargetOf(int n, Pass* pass) {
  const Scratch& s = *pass->scratch;
  const Site& site = s.scan.sites[n];
  const int plain = s.site_plain[n];
  const uint8_t* target = plain >= 0 ? SlotEntry(site, &green_plain_slots[plain])
                                     : SlotEntry(site, &green_slots[s.site_slot[n]]);
  return IsInJumpReach(site.PatchStart(), target)
             ? target
             : hops_.HopTo(site.PatchStart(), target, &pass->writer);
}

// Of the first site with a slot from `first` on and, while there is one thread, those in the same
// page: a write costs more by itself than by its bytes. Returns the one to go on with.
int Patcher::WriteJumps(int first, Pass* pass) {
  Scratch& s = *pass->scratch;
  const auto& sites = s.scan.sites;
  while (first < s.scan.count && s.site_slot[first] < 0) ++first;
  if (first == s.scan.count) return first;
  uint8_t* const begin = const_cast<uint8_t*>(sites[first].PatchStart());
  const uint8_t* end = begin;
  const uint8_t* targets[kJumpsAtOnce];
  int n = first, count = 0;
  for (; n < s.scan.count && count < kJumpsAtOnce; ++n) {
    const Site& site = sites[n];
    if (s.site_slot[n] < 0) continue;
    const uint8_t* const site_end = site.PatchStart() + site.PatchLength();
    if (count && (pass->number > 1 || PageOf(site_end - 1) != PageOf(begin))) break;
    const uint8_t* target = TargetOf(n, pass);
    targets[count++] = target;
    if (!target) continue;
    __builtin_memcpy(s.page + (end - begin), end, static_cast<size_t>(site.PatchStart() - end));
    BuildJump(site, target, s.page + (site.PatchStart() - begin));
    end = site_end;
  }
  const bool written =
      end > begin && pass->writer.Write(begin, s.page, static_cast<size_t>(end - begin));
  for (int k = first, t = 0; k < n; ++k) {
    if (s.site_slot[k] < 0) continue;
    const uint8_t* target = targets[t++];
    if (!target)
      Refuse(k, Site::kNoSlot, pass);
    else if (!written && !WriteJump(k, target, pass))
      Refuse(k, Site::kWriteRefused, pass);
    else
      ++objects_[slot_owner_[s.site_slot[k]] - 1].counts.patched;
  }
  return n;
}

bool Patcher::WriteJump(int n, const uint8_t* target, Pass* pass) {
  const Site& site = pass->scratch->scan.sites[n];
  uint8_t bytes[64];
  BuildJump(site, target, bytes);
  return pass->writer.Write(site.PatchStart(), bytes, static_cast<size_t>(site.PatchLength()));
}

void Patcher::Refuse(int n, Site::Reason reason, Pass* pass) {
  const Scratch& s = *pass->scratch;
  const int object = slot_owner_[s.site_slot[n]] - 1;
  slot_owner_[s.site_slot[n]] = 0;
  Report(object, s.scan.sites[n], reason);
}

void Patcher::Report(int object, const Site& site, Site::Reason reason) {
  ++objects_[object].counts.unpatchable;
  if (unpatchable_count_ == kMaxUnpatchable) return;
  unpatchable_[unpatchable_count_++] = {{site.syscall, site.nr, reason}, object};
}

PatchStats Patcher::stats() {
  LockGuard guard(lock_);
  PatchStats sum{};
  for (int n = 0; n < object_count_; ++n) {
    if (!objects_[n].pass) continue;
    const PatchStats& c = objects_[n].counts;
    sum.objects += c.objects;
    sum.sites += c.sites;
    sum.patched += c.patched;
    sum.not_treated += c.not_treated;
    sum.unpatchable += c.unpatchable;
  }
  for (const uint16_t owner : slot_owner_) sum.slots_used += owner != 0;
  return sum;
}

int Patcher::Unpatchable(UnpatchableSite* out, int capacity) {
  LockGuard guard(lock_);
  for (int n = 0; n < unpatchable_count_ && n < capacity; ++n) out[n] = unpatchable_[n].site;
  return unpatchable_count_;
}

}  // namespace green
