// What an instruction does to rax and to the arithmetic flags. Unknown instructions get the answer
// that forbids more.
#pragma once

#include <cstdint>

#include "interpose/insn.h"

namespace green {

// True if executing insn may change any part of rax. Calls do.
bool MayWriteRax(const Insn& insn);

// True if insn loads a constant into the whole of rax (mov, xor eax,eax); stores the constant.
bool LoadsConstantIntoRax(const Insn& insn, int64_t* value);

enum class FlagsUse : uint8_t {
  kOther,       // may read some, or write only some
  kNone,        // neither reads nor writes any
  kOverwrites,  // writes all of them, or leaves them undefined, and reads none
};
FlagsUse FlagsUseOf(const Insn& insn);

}  // namespace green
