#include "interpose/sites.h"

#include <sys/syscall.h>

#include "interpose/branch_scan.h"
#include "interpose/byte_scan.h"
#include "interpose/insn_effects.h"
#include "interpose/slot.h"

namespace green {
namespace {

constexpr int kJmpLength = 5;
constexpr int kNumberSearch = 16;  // instructions before the syscall
constexpr int kMaxDisplaced = 20;
static_assert(kMaxDisplaced <= GREEN_SLOT_ENTER && kMaxDisplaced <= GREEN_SLOT_AFTER_MAX);

// Does the same at another address, and always goes on behind itself.
bool IsRelocatable(const Insn& i) {
  const bool endbr = i.map == Insn::k0F && i.opcode == 0x1e && i.repeat_prefix;
  return i.flow == Insn::kNext && !i.rip_relative && !WritesRsp(i) && !i.lock_prefix && !endbr;
}

// Decides about one syscall instruction of a decoded function.
class SiteAnalysis {
 public:
  SiteAnalysis(const FunctionCode& code, int index) : code_(code), index_(index) {}

  // Some straight path leads here from the function's start or from one of its branches.
  bool IsReached() const {
    for (int n = index_;; --n) {
      if (n == 0 || code_.IsBranchTarget(code_[n].at)) return true;
      if (!code_[n - 1].FallsThrough()) return false;
    }
  }

  // Sets site->nr, and widens the guard over the path on which it is known.
  void FindNumber(Site* site) const {
    site->nr = -1;
    for (int n = index_; n > 0 && n > index_ - kNumberSearch; --n) {
      // A way in at the syscall itself bypasses the jmp. One further up would have its own rax.
      const bool other_way_in = code_.IsBranchTarget(code_[n].at);
      if (n < index_ && (other_way_in || code_.has_computed_jump() || !code_.complete())) return;
      if (!code_[n - 1].FallsThrough()) return;
      int64_t value;
      if (LoadsConstantIntoRax(code_[n - 1].insn, &value)) {
        site->nr = static_cast<int32_t>(value);
        number_end_ = code_[n - 1].End();
        return;
      }
      if (MayWriteRax(code_[n - 1].insn)) return;
    }
  }

  // Only instructions before the syscall, which stays in place.
  bool DisplaceBefore(Site* site) const {
    return ExtendBefore(site, kJmpLength) && IsGuardKept(site);
  }

  // The syscall, what stands behind it, and as little as possible of what stands before.
  bool DisplaceAround(Site* site) const {
    for (int before = 0; before <= 3; ++before) {
      if (!ExtendBefore(site, before) || !ExtendAfter(site, kJmpLength - 2 - site->before))
        continue;
      if (IsGuardKept(site)) return true;
    }
    return false;
  }

  bool FlagsLive() const {
    for (int n = index_ + 1; n < code_.size() && n <= index_ + 8; ++n) {
      const FlagsUse use = FlagsUseOf(code_[n].insn);
      if (use == FlagsUse::kOverwrites) return false;
      if (use == FlagsUse::kOther) return true;
    }
    return true;
  }

 private:
  // Takes whole instructions before the syscall until they have at least `bytes` bytes.
  bool ExtendBefore(Site* site, int bytes) const {
    site->before = site->after = 0;
    site->replaced = false;
    first_ = index_;
    while (site->before < bytes) {
      if (first_ == 0 || !IsRelocatable(code_[first_ - 1].insn)) return false;
      site->before = static_cast<uint8_t>(site->before + code_[--first_].insn.length);
    }
    return site->before <= kMaxDisplaced;
  }

  bool ExtendAfter(Site* site, int bytes) const {
    site->replaced = true;
    for (int n = index_ + 1; site->after < bytes; ++n) {
      if (n == code_.size() || !IsRelocatable(code_[n].insn)) return false;
      site->after = static_cast<uint8_t>(site->after + code_[n].insn.length);
    }
    return site->after <= kMaxDisplaced;
  }

  // Guards what the jmp covers, behind its start, and the path from the number's mov on: an unseen
  // way into that would arrive with another number.
  bool IsGuardKept(Site* site) const {
    site->guard_begin = code_[first_].End();
    if (site->replaced && first_ == index_) site->guard_begin = site->syscall + 1;
    if (site->nr >= 0 && number_end_ < site->guard_begin) site->guard_begin = number_end_;
    site->guard_end = site->replaced ? site->Resume() : site->syscall;
    if (site->guard_begin >= site->guard_end) {
      site->guard_end = site->guard_begin;
      return true;
    }
    if (!code_.complete() || code_.has_computed_jump()) return false;
    if (MayLandIn(code_.bounds(), site->guard_begin, site->guard_end)) return false;
    for (const uint8_t* p = site->guard_begin; p < site->guard_end; ++p)
      if (code_.IsBranchTarget(p)) return false;
    return true;
  }

  const FunctionCode& code_;
  const int index_;
  mutable int first_ = 0;  // the first displaced instruction, or the syscall
  mutable const uint8_t* number_end_ = nullptr;
};

class SiteFinder {
 public:
  SiteFinder(const CodeObject& object, IsTreatedFn is_treated, SiteScan* scan)
      : object_(object), is_treated_(is_treated), scan_(*scan) {}

  void Consider(const uint8_t* syscall) {
    Site site{};
    site.syscall = syscall;
    site.nr = -1;
    site.verdict = Site::kUnpatchable;
    if (!LoadFunction(syscall)) {
      site.reason = Site::kNoUnwindInfo;
    } else {
      const int index = scan_.code.Find(syscall);
      if (index < 0) {
        const FunctionCode& code = scan_.code;
        const bool seen = code.size() && syscall < code[code.size() - 1].End();
        if (seen) {
          ++scan_.not_instructions;
          return;
        }
        site.reason = Site::kNotDecoded;
      } else {
        Decide(index, &site);
      }
    }
    Record(site);
  }

 private:
  bool LoadFunction(const uint8_t* pc) {
    if (loaded_ && scan_.code.bounds().Contains(pc)) return true;
    FunctionBounds bounds;
    loaded_ = FindFunction(object_.index, pc, &bounds);
    if (!loaded_) return false;
    const CodeObject::Segment* segment = object_.CodeAt(pc);
    if (bounds.end > segment->end) bounds.end = segment->end;
    scan_.code.Load(object_, bounds);
    return true;
  }

  void Decide(int index, Site* site) {
    FunctionCode& code = scan_.code;
    const SiteAnalysis analysis(code, index);
    if (!analysis.IsReached()) {
      site->reason = Site::kNotReached;
      return;
    }
    analysis.FindNumber(site);
    if (site->nr == SYS_rt_sigreturn || code.bounds().signal_frame) {
      site->verdict = Site::kNotTreated;
      site->reason = Site::kSignalReturn;
      return;
    }
    if (site->nr >= 0 && !is_treated_(site->nr)) {
      site->verdict = Site::kNotTreated;
      return;
    }
    code.FollowSplitParts();
    bool found = Displace(analysis, site);
    if (!found && site->nr >= 0) {  // perhaps only the path from its mov is in doubt
      site->nr = -1;
      found = Displace(analysis, site);
    }
    if (!found) {
      site->reason = Site::kNoRoom;
      return;
    }
    site->verdict = Site::kPatch;
    if (analysis.FlagsLive()) site->flags |= kSlotFlagsLive;
    // gcc's -fipa-ra lets callers in the same file keep vector registers across a call of a
    // function that uses none. glibc was looked through for that, other objects were not.
    if (code.uses_vector() || !object_.is_libc) site->flags |= kSlotVectorLive;
    if (!object_.is_libc) site->flags |= kSlotNotLibc;
    last_patched_end_ = site->PatchStart() + site->PatchLength();
  }

  bool Displace(const SiteAnalysis& analysis, Site* site) const {
    return (analysis.DisplaceBefore(site) && IsApart(*site)) ||
           (analysis.DisplaceAround(site) && IsApart(*site));
  }

  // Its bytes are not also displaced on behalf of the site before it.
  bool IsApart(const Site& site) const { return site.PatchStart() >= last_patched_end_; }

  void Record(const Site& site) {
    if (scan_.count == SiteScan::kMaxSites)
      ++scan_.dropped;
    else
      scan_.sites[scan_.count++] = site;
  }

  const CodeObject& object_;
  const IsTreatedFn is_treated_;
  SiteScan& scan_;
  bool loaded_ = false;
  const uint8_t* last_patched_end_ = nullptr;
};

}  // namespace

void FindSites(const CodeObject& object, IsTreatedFn is_treated, SiteScan* scan) {
  scan->count = scan->not_instructions = scan->dropped = 0;
  SiteFinder finder(object, is_treated, scan);
  for (int n = 0; n < object.code_count; ++n)
    ForEachPair(object.code[n].begin, object.code[n].end, 0x0f, 0x05,
                [&](const uint8_t* p) { finder.Consider(p); });
  RejectEnteredFromOutside(object, scan);
}

const char* ReasonName(Site::Reason reason) {
  switch (reason) {
    case Site::kNone: return "none";
    case Site::kNoUnwindInfo: return "no unwind information, perhaps data";
    case Site::kNotDecoded: return "not decoded";
    case Site::kNotReached: return "no path to it was seen";
    case Site::kSignalReturn: return "signal return";
    case Site::kNoRoom: return "no room for a jump";
    case Site::kEnteredFromOutside: return "entered from outside";
    case Site::kNoSlot: return "no slot in reach";
    case Site::kOtherThreads: return "threads may be inside";
    case Site::kWriteRefused: return "write refused";
  }
  return "unknown";
}

}  // namespace green
