// Where functions begin and end, by the unwind tables that every x86-64 object carries at run time
// (.eh_frame_hdr's search table and .eh_frame; no section headers, no symbols needed).
#pragma once

#include <cstddef>
#include <cstdint>

namespace green {

struct UnwindIndex {
  struct Entry {  // both relative to header
    int32_t function;
    int32_t fde;
  };
  const uint8_t* header = nullptr;  // nullptr: the object has no usable index
  const Entry* table = nullptr;
  size_t count = 0;
};

// What one FDE covers: a function, or one of the parts that the compiler split it into.
struct FunctionBounds {
  const uint8_t* start = nullptr;
  const uint8_t* end = nullptr;
  const uint8_t* lsda = nullptr;  // the exception table, nullptr if there is none
  bool signal_frame = false;
  bool Contains(const uint8_t* p) const { return p >= start && p < end; }
};

// eh_frame_hdr is the object's PT_GNU_EH_FRAME segment in memory.
UnwindIndex OpenUnwindIndex(const uint8_t* eh_frame_hdr, size_t size);

// False if no FDE covers pc or its encoding is unknown. Some assembly functions (clone) end their
// FDE right before the syscall, because what follows runs on two stacks: code up to the next FDE
// counts as the function's if pc is within a few bytes of the end.
bool FindFunction(const UnwindIndex& index, const uint8_t* pc, FunctionBounds* out);

// True if the unwinder may resume in [begin, end) of the function, or if that cannot be told.
bool MayLandIn(const FunctionBounds& function, const uint8_t* begin, const uint8_t* end);

}  // namespace green
