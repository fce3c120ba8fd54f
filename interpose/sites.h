// Finds every `syscall` instruction of an object and decides which bytes around it a 5-byte jmp may
// replace.
//
// The bytes are chosen so that no way into them is left but through the jmp:
//   - one instruction of at least 5 bytes before the syscall (mostly mov $nr,%eax): nothing can
//     enter in its middle, and a branch to the syscall itself still finds a syscall;
//   - several instructions before it, if nothing branches to the second or a later one;
//   - the syscall and instructions behind it, and before it too if need be, if nothing branches to
//     any of them but the first.
// "Nothing branches" means: no direct branch of the function or of any other code of the object, no
// switch table, no exception landing pad, and no other computed jump in the function. Whatever
// cannot be shown is reported as unpatchable; such a syscall stays as it is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "interpose/code_object.h"
#include "interpose/function_code.h"

namespace green {

using IsTreatedFn = bool (*)(int nr);

struct Site {
  enum Verdict : uint8_t { kPatch, kNotTreated, kUnpatchable };
  enum Reason : uint8_t {
    kNone,
    kNoUnwindInfo,  // no function is known to hold it
    kNotDecoded,    // something before it in the function cannot be decoded
    kNotReached,    // no path to it was seen: it may be data
    kSignalReturn,  // number 15, or in a function marked as a signal frame: never touched
    kNoRoom,        // too few relocatable bytes around it, or the surroundings branch into them
    kEnteredFromOutside,
    kNoSlot,        // all slots taken, or none can be reached from here
    kOtherThreads,  // needs the bytes behind the syscall while another thread may be inside it
    kWriteRefused,
  };
  const uint8_t* syscall;
  const uint8_t* guard_begin;  // no branch may go to [guard_begin, guard_end)
  const uint8_t* guard_end;
  int32_t nr;      // -1: known at run time only
  uint8_t before;  // bytes displaced before the syscall
  uint8_t after;   // and behind it
  bool replaced;   // the jmp covers the syscall itself
  uint8_t flags;   // kSlotFlagsLive | kSlotVectorLive | kSlotNotLibc
  Verdict verdict;
  Reason reason;

  const uint8_t* PatchStart() const { return syscall - before; }
  int PatchLength() const { return before + (replaced ? 2 + after : 0); }
  const uint8_t* Resume() const { return syscall + 2 + after; }
};

const char* ReasonName(Site::Reason reason);

struct SiteScan {
  static constexpr int kMaxSites = 4096;
  Site sites[kMaxSites];
  int count = 0;
  int not_instructions = 0;  // bytes that only look like a syscall
  int dropped = 0;           // beyond kMaxSites
  uint64_t guard_filter[1024];
  FunctionCode code;
};

// Fills scan->sites in order of address. scan is scratch memory of about 2 MB, mapped by the caller
// and zeroed or used before.
void FindSites(const CodeObject& object, IsTreatedFn is_treated, SiteScan* scan);

}  // namespace green
