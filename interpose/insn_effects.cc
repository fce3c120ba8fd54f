#include "interpose/insn_effects.h"

namespace green {
namespace {

// add, or, and, sub, xor, cmp: all but adc (2) and sbb (3).
constexpr bool IsPlainArithmetic(int operation) { return operation != 2 && operation != 3; }

bool RmIsRax(const Insn& i) { return i.Mod() == 3 && i.Rm() == 0; }

// True if the operand in ModRM's reg field is no register but part of the opcode.
bool IsGroup(const Insn& i) {
  const uint8_t op = i.opcode;
  if (i.map == Insn::kOneByte)
    return (op >= 0x80 && op <= 0x83) || op == 0x8f || (op & 0xfe) == 0xc0 || (op & 0xfe) == 0xc6 ||
           (op >= 0xd0 && op <= 0xdf) || (op & 0xf6) == 0xf6;
  return i.map == Insn::k0F && (op <= 0x01 || op == 0x18 || op == 0xae || op == 0xba || op == 0xc7);
}

}  // namespace

bool WritesRsp(const Insn& i) {
  const uint8_t op = i.opcode;
  if (i.has_modrm) {
    const bool rm = i.Mod() == 3 && i.Rm() == 4;
    const bool reg = i.Reg() == 4 && !IsGroup(i);
    const bool one_byte = i.map == Insn::kOneByte && !i.vex;
    const bool compares = one_byte && (op == 0x39 || op == 0x3b || op == 0x85);
    const bool only_reads_reg = one_byte && op == 0x89;
    const bool only_reads_rm = one_byte && op == 0x8b;
    if (!compares && ((rm && !only_reads_rm) || (reg && !only_reads_reg))) return true;
  }
  if (i.vex) return i.vvvv == 4;
  if (i.map == Insn::kOneByte) {
    const bool names_rsp = (op & 7) == 4 && !(i.rex & 1);
    if ((op >= 0x90 && op <= 0x97) || (op >= 0xb0 && op <= 0xbf)) return names_rsp;
    if (op == 0xff) return i.Extension() == 2 || i.Extension() == 3 || i.Extension() == 6;
    return (op >= 0x50 && op <= 0x5f) || op == 0x68 || op == 0x6a || op == 0x8f || op == 0x9c ||
           op == 0x9d || op == 0xc2 || op == 0xc3 || (op >= 0xc8 && op <= 0xcf) || op == 0xe8;
  }
  if (i.map == Insn::k0F)
    return op == 0xa0 || op == 0xa1 || op == 0xa8 || op == 0xa9 || op == 0x34 || op == 0x35 ||
           (op >= 0xc8 && op <= 0xcf && (op & 7) == 4 && !(i.rex & 1));
  return false;
}

bool MayWriteRax(const Insn& i) {
  const uint8_t op = i.opcode;
  if (i.vex || i.flow == Insn::kCall || i.flow == Insn::kIndirectCall || i.flow == Insn::kSyscall)
    return true;
  if (i.map == Insn::kOneByte) {
    if (op < 0x40) {  // the eight arithmetic operations in six forms each
      const int form = op & 7;
      if (form >= 6 || op >> 3 == 7) return op >> 3 != 7;
      if (form >= 4) return true;
      if (form < 2 && i.Mod() != 3) return false;
      const int written = form >= 2 ? i.Reg() : i.Rm();
      const bool ah = (form & 1) == 0 && written == 4;
      return written == 0 || ah;
    }
    if (op >= 0x50 && op <= 0x57) return false;                       // push
    if (op >= 0x58 && op <= 0x5f) return op == 0x58 && !(i.rex & 1);  // pop
    if (op >= 0x70 && op <= 0x7f) return false;                       // jcc
    if (op >= 0xb0 && op <= 0xbf) {                                   // mov $imm,%reg
      const bool high_byte = op < 0xb8 && (op & 7) == 4;              // ah
      return high_byte || ((op & 7) == 0 && !(i.rex & 1));
    }
    switch (op) {
      case 0x63:
      case 0x8b:
      case 0x8d:  // movsxd, mov, lea
        return i.Reg() == 0;
      case 0x89:
      case 0xc7:
      case 0xc1:
      case 0xd1:
      case 0xd3: return RmIsRax(i);
      case 0x81:
      case 0x83: return i.Extension() != 7 && RmIsRax(i);
      case 0x84:
      case 0x85:
      case 0xa8:
      case 0xa9:
      case 0xeb:
      case 0xe9:
      case 0x68:
      case 0x6a: return false;
      case 0x90: return i.rex & 1;  // nop, or xchg r8,rax
      default: return true;
    }
  }
  if (i.map == Insn::k0F) {
    if (op >= 0x40 && op <= 0x4f) return i.Reg() == 0;  // cmovcc
    if (op >= 0x80 && op <= 0x8f) return false;         // jcc
    if (op >= 0x90 && op <= 0x9f) return i.Mod() == 3 && (i.Rm() == 0 || i.Rm() == 4);
    switch (op) {
      case 0xb6:
      case 0xb7:
      case 0xbe:
      case 0xbf:  // movzx, movsx
        return i.Reg() == 0;
      case 0x18:
      case 0x1e:
      case 0x1f:  // hints
      case 0x10:
      case 0x11:
      case 0x28:
      case 0x29:
      case 0x6e:
      case 0x6f:
      case 0x7f:
      case 0xd6:
      case 0x57:
      case 0xef:
      case 0x16:
      case 0x17:
      case 0x6c: return false;
      default: return true;
    }
  }
  return true;
}

bool LoadsConstantIntoRax(const Insn& i, int64_t* value) {
  if (i.vex || i.map != Insn::kOneByte || i.wide_prefix || i.lock_prefix) return false;
  if (i.opcode == 0xb8 && !(i.rex & 1)) {
    *value = i.rex & 8 ? i.imm : static_cast<uint32_t>(i.imm);
    return true;
  }
  if (i.opcode == 0xc7 && RmIsRax(i) && i.Extension() == 0) {
    *value = i.rex & 8 ? i.imm : static_cast<uint32_t>(i.imm);
    return true;
  }
  if ((i.opcode == 0x31 || i.opcode == 0x33) && RmIsRax(i) && i.Reg() == 0) {
    *value = 0;
    return true;
  }
  return false;
}

FlagsUse FlagsUseOf(const Insn& i) {
  const uint8_t op = i.opcode;
  if (i.vex) return FlagsUse::kOther;
  if (i.map == Insn::k0F) {
    // movzx and movsx, long nop, movups and the like
    if (op == 0xb6 || op == 0xb7 || op == 0xbe || op == 0xbf || op == 0x1f || op == 0x10 ||
        op == 0x11 || op == 0x28 || op == 0x29 || op == 0x6f || op == 0x7f)
      return FlagsUse::kNone;
    return FlagsUse::kOther;
  }
  if (i.map != Insn::kOneByte) return FlagsUse::kOther;
  if (op < 0x40) return IsPlainArithmetic(op >> 3) ? FlagsUse::kOverwrites : FlagsUse::kOther;
  if (op == 0x80 || op == 0x81 || op == 0x83)
    return IsPlainArithmetic(i.Extension()) ? FlagsUse::kOverwrites : FlagsUse::kOther;
  if (op == 0xf6 || op == 0xf7) {
    if (i.Extension() == 2) return FlagsUse::kNone;  // not
    return i.Extension() <= 3 ? FlagsUse::kOverwrites : FlagsUse::kOther;
  }
  if (op >= 0x50 && op <= 0x5f) return FlagsUse::kNone;
  if (op >= 0xb0 && op <= 0xbf) return FlagsUse::kNone;
  switch (op) {
    case 0x84:
    case 0x85:
    case 0xa8:
    case 0xa9: return FlagsUse::kOverwrites;
    // The ABI gives flags no meaning across a call or a return.
    case 0xc2:
    case 0xc3:
    case 0xe8: return FlagsUse::kOverwrites;
    case 0x63:
    case 0x86:
    case 0x87:
    case 0x88:
    case 0x89:
    case 0x8a:
    case 0x8b:
    case 0x8d:
    case 0x90:
    case 0xc6:
    case 0xc7:
    case 0xc9:
    case 0x98:
    case 0x99:
      return i.opcode == 0xc7 && i.flow != Insn::kNext ? FlagsUse::kOther : FlagsUse::kNone;
    default: return FlagsUse::kOther;
  }
}

}  // namespace green
