// What an instruction does to rsp, to rax and to the arithmetic flags. Unknown instructions get the
// answer that forbids more.
#pragma once

#include <cstdint>

#include "interpose/insn.h"

namespace green {

// True if executing insn may change rsp: push, pop, call, ret, and any that name it as an operand
// in another way than only to read it or to address memory (or name xmm4, which has its number).
bool WritesRsp(const Insn& insn);

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
