// Bridges to slots that a 5-byte jmp cannot reach: pages near the site that hold absolute jumps.
// Needed for main programs (far below the libraries) and where a huge reservation separates
// libraries. A hop has no unwind information of its own; it is a single instruction.
#pragma once

#include <cstddef>
#include <cstdint>

#include "interpose/code_writer.h"

namespace green {

// True if a jmp of five bytes at `from` can go to `to`.
bool IsInJumpReach(const uint8_t* from, const uint8_t* to);

class HopPages {
 public:
  // A place in reach of `from` that jumps on to `to`; nullptr if no memory can be had there.
  const uint8_t* HopTo(const uint8_t* from, const uint8_t* to, CodeWriter* writer);

 private:
  static constexpr int kMaxPages = 64;
  static constexpr size_t kPageSize = 4096;
  static constexpr int kHopSize = 16;
  static constexpr int kHopsPerPage = kPageSize / kHopSize;

  struct Page {
    uint8_t* address;
    int used;
  };
  Page* PageNear(const uint8_t* from);

  Page pages_[kMaxPages];
  int count_;
};

// Maps one page, readable and executable, within jump reach of `near`. nullptr if there is no gap.
uint8_t* MapPageNear(const uint8_t* near);

}  // namespace green
