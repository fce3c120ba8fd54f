#include "interpose/branch_scan.h"

#include "interpose/sites.h"

namespace green {
namespace {

constexpr int kShortReach = 130;  // how far before and behind itself a 2-byte branch can reach

constexpr int kGuardReach = 256;  // how far a guard can be from its syscall

struct alignas(16) Pattern {
  uint8_t bytes[16];
};
#define X16(b)                                         \
  {                                                    \
    { b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b } \
  }
constexpr Pattern kPatterns[] = {X16(0xfe), X16(0xe8), X16(0x0f), X16(0xf0),
                                 X16(0x80), X16(0xc7), X16(0xf8)};
#undef X16

// Bit n is set if an opcode of such a branch stands at p[n]. Reads 17 bytes. With vector registers,
// as in byte_scan.h.
uint32_t BranchMask(const uint8_t* p) {
  uint32_t mask;
  asm("movdqu (%[p]), %%xmm0\n"
      "movdqu 1(%[p]), %%xmm1\n"
      "movdqa %%xmm0, %%xmm2\n"
      "movdqa %%xmm0, %%xmm3\n"
      "movdqa %%xmm1, %%xmm4\n"
      "pand (%[k]), %%xmm2\n"
      "pcmpeqb 16(%[k]), %%xmm2\n"  // e8, e9
      "pcmpeqb 32(%[k]), %%xmm0\n"
      "pand 48(%[k]), %%xmm1\n"
      "pcmpeqb 64(%[k]), %%xmm1\n"
      "pand %%xmm1, %%xmm0\n"  // 0f 80 to 0f 8f
      "pcmpeqb 80(%[k]), %%xmm3\n"
      "pcmpeqb 96(%[k]), %%xmm4\n"
      "pand %%xmm4, %%xmm3\n"  // c7 f8
      "por %%xmm2, %%xmm0\n"
      "por %%xmm3, %%xmm0\n"
      "pmovmskb %%xmm0, %[mask]"
      : [mask] "=r"(mask)
      : [p] "r"(p), [k] "r"(kPatterns), "m"(*reinterpret_cast<const uint8_t(*)[17]>(p)));
  return mask;
}

bool IsGuarded(const Site& site) {
  return site.verdict == Site::kPatch && site.guard_begin < site.guard_end;
}

class BranchScan {
 public:
  BranchScan(const CodeObject& object, SiteScan* scan) : object_(object), scan_(*scan) {}

  void Run() {
    if (!FillFilter()) return;
    for (int n = 0; n < object_.code_count; ++n) ScanLongBranches(object_.code[n]);
    for (int n = 0; n < scan_.count; ++n)
      if (IsGuarded(scan_.sites[n])) ScanShortBranches(scan_.sites[n]);
  }

 private:
  // One bit per value of an address's low 16 bits.
  bool FillFilter() {
    bool any = false;
    for (auto& word : scan_.guard_filter) word = 0;
    for (int n = 0; n < scan_.count; ++n) {
      const Site& site = scan_.sites[n];
      if (!IsGuarded(site)) continue;
      any = true;
      for (const uint8_t* p = site.guard_begin; p < site.guard_end; ++p) {
        const uint16_t low = static_cast<uint16_t>(reinterpret_cast<uintptr_t>(p));
        scan_.guard_filter[low / 64] |= uint64_t{1} << (low % 64);
      }
    }
    return any;
  }

  // call, jmp, jcc and xbegin with a 32-bit displacement.
  void ScanLongBranches(const CodeObject::Segment& segment) {
    const uint8_t* p = segment.begin;
    // 64 positions at a time, because how many hits there are is what the CPU mispredicts.
    for (; segment.end - p >= 72; p += 64) {
      uint64_t hits = uint64_t{BranchMask(p)} | uint64_t{BranchMask(p + 16)} << 16 |
                      uint64_t{BranchMask(p + 32)} << 32 | uint64_t{BranchMask(p + 48)} << 48;
      for (; hits; hits &= hits - 1) LongBranchFound(p + __builtin_ctzll(hits));
    }
    for (; segment.end - p >= 6; ++p)
      if (IsLongBranch(p)) LongBranchFound(p);
  }

  static bool IsLongBranch(const uint8_t* p) {
    return (p[0] & 0xfe) == 0xe8 || (p[0] == 0x0f && (p[1] & 0xf0) == 0x80) ||
           (p[0] == 0xc7 && p[1] == 0xf8);
  }

  void LongBranchFound(const uint8_t* p) {
    const uint8_t* displacement = p + 1 + ((p[0] & 0xfe) != 0xe8);
    int32_t distance;
    __builtin_memcpy(&distance, displacement, sizeof distance);
    BranchFound(p, displacement + 4 + distance);
  }

  void BranchFound(const uint8_t* from, const uint8_t* to) {
    const uint16_t low = static_cast<uint16_t>(reinterpret_cast<uintptr_t>(to));
    if (__builtin_expect(scan_.guard_filter[low / 64] >> (low % 64) & 1, 0)) Match(from, to);
  }

  __attribute__((noinline)) void Match(const uint8_t* from, const uint8_t* to) {
    int first = 0;  // whose guard may lie behind `to`: sites are in order of address
    for (int last = scan_.count; first < last;) {
      const int middle = first + (last - first) / 2;
      if (scan_.sites[middle].syscall + kGuardReach <= to)
        first = middle + 1;
      else
        last = middle;
    }
    for (int n = first; n < scan_.count && scan_.sites[n].syscall - kGuardReach <= to; ++n) {
      Site& site = scan_.sites[n];
      if (IsGuarded(site) && to >= site.guard_begin && to < site.guard_end) Reject(from, &site);
    }
  }

  // Branches of the site's own function were decoded exactly. In another one, only where an
  // instruction starts can a branch be.
  void Reject(const uint8_t* from, Site* site) {
    FunctionBounds own, other;
    if (FindFunction(object_.index, site->syscall, &own) && own.Contains(from)) return;
    if (FindFunction(object_.index, from, &other)) {
      const uint8_t* p = other.start;
      while (p < from) {
        const Insn insn = Decode(p, other.end);
        if (!insn.length) break;
        p += insn.length;
      }
      if (p > from) return;
    }
    site->verdict = Site::kUnpatchable;
    site->reason = Site::kEnteredFromOutside;
  }

  void ScanShortBranches(const Site& site) {
    const CodeObject::Segment& segment = *object_.CodeAt(site.syscall);
    FunctionBounds bounds;
    if (!FindFunction(object_.index, site.syscall, &bounds)) return;
    const uint8_t* p = site.guard_begin - segment.begin > kShortReach
                           ? site.guard_begin - kShortReach
                           : segment.begin;
    const uint8_t* end =
        segment.end - site.guard_end > kShortReach ? site.guard_end + kShortReach : segment.end - 1;
    for (; p < end; ++p) {
      if (bounds.Contains(p)) continue;
      const bool branch = (*p & 0xf0) == 0x70 || (*p >= 0xe0 && *p <= 0xe3) || *p == 0xeb;
      if (branch) BranchFound(p, p + 2 + static_cast<int8_t>(p[1]));
    }
  }

  const CodeObject& object_;
  SiteScan& scan_;
};

}  // namespace

void RejectEnteredFromOutside(const CodeObject& object, SiteScan* scan) {
  BranchScan(object, scan).Run();
}

}  // namespace green
