#include "interpose/hop_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <initializer_list>

#include "base/raw_syscall.h"

namespace green {
namespace {

constexpr uintptr_t kReach = (uintptr_t{1} << 31) - (uintptr_t{16} << 20);
constexpr uintptr_t kLowest = 0x10000;  // vm.mmap_min_addr's default
constexpr uintptr_t kPage = 4096;
// Kept free below a mapping that may grow downwards, and above the heap.
constexpr uintptr_t kGrowth = uintptr_t{64} << 20;

uint8_t* MapAt(uintptr_t address) {
  const long got = RawSyscall(SYS_mmap, address, kPage, PROT_READ | PROT_EXEC,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (IsError(got)) return nullptr;
  if (static_cast<uintptr_t>(got) != address) {  // a kernel that takes the address for a hint
    RawSyscall(SYS_munmap, got, kPage);
    return nullptr;
  }
  return reinterpret_cast<uint8_t*>(got);
}

struct Range {
  uintptr_t begin, end;
};

// Reads /proc/self/maps mapping by mapping through a small window.
class MapsReader {
 public:
  MapsReader() : fd_(RawSyscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC)) {}
  ~MapsReader() {
    if (fd_ >= 0) RawSyscall(SYS_close, fd_);
  }
  bool Next(Range* range) {
    range->begin = Hex();
    range->end = Hex();
    int c;
    while ((c = Char()) >= 0 && c != '\n') {
    }
    return c >= 0;
  }

 private:
  int Char() {
    if (at_ == size_) {
      at_ = 0;
      size_ = fd_ >= 0 ? RawSyscall(SYS_read, fd_, buffer_, sizeof buffer_) : 0;
      if (size_ <= 0) return size_ = 0, -1;
    }
    return buffer_[at_++];
  }
  uintptr_t Hex() {
    uintptr_t v = 0;
    for (;;) {
      const int c = Char();
      if (c >= '0' && c <= '9')
        v = v * 16 + static_cast<uintptr_t>(c - '0');
      else if (c >= 'a' && c <= 'f')
        v = v * 16 + static_cast<uintptr_t>(c - 'a' + 10);
      else
        return v;
    }
  }
  long fd_;
  long at_ = 0, size_ = 0;
  unsigned char buffer_[4096];
};

}  // namespace

bool IsInJumpReach(const uint8_t* from, const uint8_t* to) {
  const int64_t distance = to - (from + 5);
  return distance == static_cast<int32_t>(distance);
}

// A gap below the site is better than one above: the heap grows upwards from the main program. In
// a gap, the page nearest to its upper end is taken if that lies below the site, yet not where a
// stack may grow to.
uint8_t* MapPageNear(const uint8_t* near) {
  const uintptr_t site = reinterpret_cast<uintptr_t>(near);
  const uintptr_t low = site > kReach + kLowest ? site - kReach : kLowest;
  const uintptr_t high = site + kReach;
  uintptr_t below = 0, above = 0;
  MapsReader maps;
  uintptr_t free_from = kLowest;
  for (Range next; maps.Next(&next); free_from = next.end) {
    const uintptr_t begin = free_from > low ? free_from : low;
    const uintptr_t end = next.begin < high ? next.begin : high;
    if (begin + 3 * kPage > end) continue;
    // A page is left free on both sides, so that neighbours' guard expectations hold.
    if (end <= site)
      below = end - begin > 2 * kGrowth ? end - kGrowth : end - 2 * kPage;
    else if (!above)
      above = end - begin > 2 * kGrowth ? begin + kGrowth : end - 2 * kPage;
  }
  for (const uintptr_t address : {below, above}) {
    if (!address) continue;
    if (uint8_t* page = MapAt(address & ~(kPage - 1))) return page;
  }
  return nullptr;
}

HopPages::Page* HopPages::PageNear(const uint8_t* from) {
  for (int n = 0; n < count_; ++n) {
    Page& page = pages_[n];
    if (page.used < kHopsPerPage && IsInJumpReach(from, page.address) &&
        IsInJumpReach(from, page.address + kPageSize))
      return &page;
  }
  if (count_ == kMaxPages) return nullptr;
  uint8_t* address = MapPageNear(from);
  if (!address) return nullptr;
  pages_[count_] = {address, 0};
  return &pages_[count_++];
}

const uint8_t* HopPages::HopTo(const uint8_t* from, const uint8_t* to, CodeWriter* writer) {
  Page* page = PageNear(from);
  if (!page) return nullptr;
  uint8_t hop[kHopSize] = {0xff, 0x25, 0, 0, 0, 0};  // jmp *0(%rip)
  __builtin_memcpy(hop + 6, &to, sizeof to);
  const uint8_t* at = page->address + page->used * kHopSize;
  if (!writer->Write(at, hop, sizeof hop)) return nullptr;
  ++page->used;
  return at;
}

}  // namespace green
