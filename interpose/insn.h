// Decodes x86-64 instructions as far as the patcher needs: where an instruction ends, where it may
// go next, and what would go wrong if it were executed at another address.
//
// Doubts go to the safe side: uses_vector may be true for an instruction that uses none, never the
// reverse. insn_effects.h tells more about single instructions.
#pragma once

#include <cstdint>

namespace green {

struct Insn {
  enum Flow : uint8_t {
    kNext,      // falls through, nothing else
    kSyscall,   // falls through, after the kernel
    kJump,      // to target
    kCondJump,  // to target or falls through
    kCall,      // to target, comes back
    kIndirectJump,
    kIndirectCall,
    kReturn,
    kTrap,  // int3, ud2, hlt: does not fall through in compiled code
  };
  enum Map : uint8_t { kOneByte, k0F, k0F38, k0F3A };  // larger numbers: EVEX and XOP maps

  uint8_t length = 0;  // 0: cannot be decoded, and nothing else is set
  Flow flow = kNext;
  uint8_t map = kOneByte;
  uint8_t opcode = 0;
  uint8_t modrm = 0;  // valid if has_modrm
  uint8_t rex = 0;    // REX's low four bits, or what stands for them in VEX, EVEX, XOP
  bool has_modrm = false;
  bool wide_prefix = false;    // 66
  bool repeat_prefix = false;  // f2, f3
  bool lock_prefix = false;
  bool rip_relative = false;
  uint8_t vvvv = 0;                 // VEX's third register
  bool uses_vector = false;         // xmm, ymm, zmm, mask, mmx or x87 registers
  bool vex = false;                 // VEX, EVEX or XOP encoded
  int64_t imm = 0;                  // the last immediate, sign-extended
  const uint8_t* target = nullptr;  // of kJump, kCondJump, kCall; or the memory, if rip_relative

  int Mod() const { return modrm >> 6; }
  // Register numbers 0 to 15 of ModRM's two fields; the first is an opcode extension in groups.
  int Reg() const { return ((modrm >> 3) & 7) | ((rex & 4) ? 8 : 0); }
  int Rm() const { return (modrm & 7) | ((rex & 1) ? 8 : 0); }
  int Extension() const { return (modrm >> 3) & 7; }
};

// Decodes the instruction at p, of which [p, end) can be read.
Insn Decode(const uint8_t* p, const uint8_t* end);

}  // namespace green
