// What the patcher knows of a loaded object: its code, its constants and its unwind index.
#pragma once

#include <cstdint>

#include "interpose/function_bounds.h"

namespace green {

struct CodeObject {
  static constexpr int kMaxSegments = 4;
  struct Segment {
    const uint8_t* begin;
    const uint8_t* end;
    bool Contains(const uint8_t* p) const { return p >= begin && p < end; }
  };
  Segment code[kMaxSegments];
  Segment constants[kMaxSegments];  // neither written nor executed
  int code_count = 0;
  int constants_count = 0;
  UnwindIndex index;
  bool is_libc = false;  // libc, libpthread or the loader

  // The segment that holds p, nullptr if none does.
  const Segment* CodeAt(const uint8_t* p) const { return At(code, code_count, p); }
  const Segment* ConstantsAt(const uint8_t* p) const { return At(constants, constants_count, p); }

 private:
  static const Segment* At(const Segment* segments, int count, const uint8_t* p) {
    for (int n = 0; n < count; ++n)
      if (segments[n].Contains(p)) return &segments[n];
    return nullptr;
  }
};

}  // namespace green
