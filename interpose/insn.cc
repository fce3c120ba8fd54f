#include "interpose/insn.h"

namespace green {
namespace {

// What follows an opcode, one character per opcode:
//   . nothing   m ModRM   b imm8   z imm16/32   w imm16   v imm16/32/64   o address   e enter's
//   B ModRM+imm8   Z ModRM+imm16/32   t ModRM+imm if it is test   j rel8   J rel32
//   - undefined in user mode (or too rare to care)    p prefix or escape, never looked up
constexpr char kOneByteMap[257] =
    "mmmmbz--mmmmbz-p"
    "mmmmbz--mmmmbz--"
    "mmmmbzp-mmmmbzp-"
    "mmmmbzp-mmmmbzp-"
    "pppppppppppppppp"
    "................"
    "--pmppppzZbB...."
    "jjjjjjjjjjjjjjjj"
    "BZ-Bmmmmmmmmmmmm"
    "..........-....."
    "oooo....bz......"
    "bbbbbbbbvvvvvvvv"
    "BBw.ppBZe.w..b-."
    "mmmm---.mmmmmmmm"
    "jjjjbbbbJJ-j...."
    "p.pp..tt......mm";
constexpr char k0FMap[257] =
    "mmmm-.....-.-m.-"
    "mmmmmmmmmmmmmmmm"
    "--------mmmmmmmm"
    "......-.p-p-----"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm"
    "BBBBmmm.----mmmm"
    "JJJJJJJJJJJJJJJJ"
    "mmmmmmmmmmmmmmmm"
    "...mBm--...mBmmm"
    "mmmmmmmmmmBmmmmm"
    "mmBmBBBm........"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm";

struct Reader {
  const uint8_t* p;
  const uint8_t* end;
  bool ok = true;

  uint8_t Byte() {
    if (p >= end) {
      ok = false;
      return 0;
    }
    return *p++;
  }
  // A little-endian value of 1, 2, 4 or 8 bytes, sign-extended.
  int64_t Value(int bytes) {
    if (bytes == 0) return 0;
    uint64_t v = 0;
    if (end - p >= 8) {
      __builtin_memcpy(&v, p, sizeof v);
      p += bytes;
    } else {
      for (int i = 0; i < bytes; ++i) v |= uint64_t{Byte()} << (8 * i);
    }
    const int shift = 64 - 8 * bytes;
    return static_cast<int64_t>(v << shift) >> shift;
  }
};

void ReadModrm(Reader& r, Insn& i, int32_t* displacement_value) {
  i.has_modrm = true;
  i.modrm = r.Byte();
  const int mod = i.Mod(), rm = i.modrm & 7;
  if (mod == 3) return;
  int displacement = mod == 1 ? 1 : mod == 2 ? 4 : 0;
  if (rm == 4) {
    const uint8_t sib = r.Byte();
    if ((sib & 7) == 5 && mod == 0) displacement = 4;
  } else if (rm == 5 && mod == 0) {
    i.rip_relative = true;
    displacement = 4;
  }
  *displacement_value = static_cast<int32_t>(r.Value(displacement));
}

bool UsesVector(const Insn& i) {
  const uint8_t op = i.opcode;
  if (i.vex) {
    const bool bmi =
        (i.map == Insn::k0F38 && op >= 0xf2 && op <= 0xf7) || (i.map == Insn::k0F3A && op == 0xf0);
    return !bmi;
  }
  switch (i.map) {
    case Insn::kOneByte: return (op >= 0xd8 && op <= 0xdf) || op == 0x9b;
    case Insn::k0F:
      if (op == 0xae) return i.Mod() != 3 && (i.Extension() < 2 || (i.Extension() & 4));
      if (op == 0xc7) return i.Mod() != 3 && i.Extension() >= 3 && i.Extension() <= 5;
      return (op >= 0x10 && op <= 0x17) || (op >= 0x28 && op <= 0x2f) ||
             (op >= 0x50 && op <= 0x7f) || (op >= 0xc2 && op <= 0xc6 && op != 0xc3) || op >= 0xd0;
    case Insn::k0F38: return op < 0xf0;
    default: return true;
  }
}

Insn::Flow FlowOf(const Insn& i) {
  const uint8_t op = i.opcode;
  if (i.vex) return Insn::kNext;
  if (i.map == Insn::k0F) {
    if (op == 0x05) return Insn::kSyscall;
    if (op >= 0x80 && op <= 0x8f) return Insn::kCondJump;
    if (op == 0x07 || op == 0x35) return Insn::kReturn;
    return op == 0x0b || op == 0xb9 || op == 0xff ? Insn::kTrap : Insn::kNext;
  }
  if (i.map != Insn::kOneByte || op < 0x70 || (op >= 0x80 && op <= 0xc1)) return Insn::kNext;
  if ((op >= 0x70 && op <= 0x7f) || (op >= 0xe0 && op <= 0xe3)) return Insn::kCondJump;
  switch (op) {
    case 0xe9:
    case 0xeb: return Insn::kJump;
    case 0xe8: return Insn::kCall;
    case 0xc2:
    case 0xc3:
    case 0xca:
    case 0xcb:
    case 0xcf: return Insn::kReturn;
    case 0xcc:
    case 0xcd:
    case 0xf1:
    case 0xf4: return Insn::kTrap;
    case 0xc7:  // xbegin: an abort goes to the target
      return i.modrm == 0xf8 ? Insn::kCondJump : Insn::kNext;
    case 0xff:
      if (i.Extension() == 2 || i.Extension() == 3) return Insn::kIndirectCall;
      return i.Extension() == 4 || i.Extension() == 5 ? Insn::kIndirectJump : Insn::kNext;
    default: return Insn::kNext;
  }
}

// What follows the opcode of a VEX, EVEX or XOP instruction.
char VexOperands(const Insn& i) {
  switch (i.map) {
    case Insn::k0F:
      if (i.opcode == 0x77) return '.';                      // vzeroupper
      if (i.opcode >= 0x78 && i.opcode <= 0x7b) return 'm';  // conversions, EVEX only
      return k0FMap[i.opcode] == 'm' || k0FMap[i.opcode] == 'B' ? k0FMap[i.opcode] : '-';
    case Insn::k0F3A:
    case 8: return 'B';
    case Insn::k0F38:
    case 5:
    case 6:
    case 9: return 'm';
    case 10: return 'Z';
    default: return '-';
  }
}

}  // namespace

Insn Decode(const uint8_t* start, const uint8_t* end) {
  if (end - start > 15) end = start + 15;
  Reader r{start, end};
  Insn i;
  bool short_address = false;
  uint8_t byte;
  for (;;) {  // a REX before another prefix does not count
    byte = r.Byte();
    if (kOneByteMap[byte] != 'p') break;
    if (byte == 0x66)
      i.wide_prefix = true;
    else if (byte == 0x67)
      short_address = true;
    else if (byte == 0xf0)
      i.lock_prefix = true;
    else if (byte == 0xf2 || byte == 0xf3)
      i.repeat_prefix = true;
    else if (byte != 0x2e && byte != 0x36 && byte != 0x3e && byte != 0x26 && byte != 0x64 &&
             byte != 0x65 && (byte & 0xf0) != 0x40)
      break;
    i.rex = (byte & 0xf0) == 0x40 ? byte & 15 : 0;
    if (!r.ok) return {};
  }

  char operands;
  const bool xop = byte == 0x8f && r.p < end && (*r.p & 0x1f) >= 8;
  if (byte == 0xc5 || byte == 0xc4 || byte == 0x62 || xop) {
    i.vex = true;
    const uint8_t p0 = r.Byte();
    uint8_t p1 = p0;
    i.map = Insn::k0F;
    i.rex = p0 & 0x80 ? 0 : 4;
    if (byte != 0xc5) {
      p1 = r.Byte();
      i.map = byte == 0x62 ? p0 & 7 : p0 & 31;
      i.rex = ((~p0 >> 5) & 7) | (p1 & 0x80 ? 8 : 0);
    }
    if (byte == 0x62) r.Byte();
    i.vvvv = (~p1 >> 3) & 15;
    i.wide_prefix = (p1 & 3) == 1;
    i.opcode = r.Byte();
    operands = VexOperands(i);
  } else if (byte == 0x0f) {
    i.map = Insn::k0F;
    byte = r.Byte();
    operands = k0FMap[byte];
    if (byte == 0x38 || byte == 0x3a) {
      i.map = byte == 0x38 ? Insn::k0F38 : Insn::k0F3A;
      operands = byte == 0x38 ? 'm' : 'B';
      byte = r.Byte();
    }
    i.opcode = byte;
  } else {
    i.opcode = byte;
    operands = kOneByteMap[byte];
  }
  if (operands == '-' || operands == 'p') return {};

  int32_t displacement = 0;
  if (operands == 'm' || operands == 'B' || operands == 'Z' || operands == 't')
    ReadModrm(r, i, &displacement);
  const bool rex_w = i.rex & 8;
  const int z = i.wide_prefix && !rex_w ? 2 : 4;
  switch (operands) {
    case 't':
      if (i.Extension() < 2) i.imm = r.Value(i.opcode == 0xf6 ? 1 : z);
      break;
    case 'b':
    case 'B':
    case 'j': i.imm = r.Value(1); break;
    case 'z':
    case 'Z': i.imm = r.Value(i.vex ? 4 : z); break;
    case 'J':
      if (z == 2) return {};  // Intel's and AMD's CPUs disagree about its length
      i.imm = r.Value(4);
      break;
    case 'w': i.imm = r.Value(2); break;
    case 'v': i.imm = r.Value(rex_w ? 8 : z); break;
    case 'o': i.imm = r.Value(short_address ? 4 : 8); break;
    case 'e':
      i.imm = r.Value(2);
      r.Byte();
      break;
    default: break;
  }
  if (!r.ok) return {};
  i.length = static_cast<uint8_t>(r.p - start);
  i.flow = FlowOf(i);
  i.uses_vector = UsesVector(i);
  if (i.flow == Insn::kJump || i.flow == Insn::kCondJump || i.flow == Insn::kCall)
    i.target = r.p + i.imm;
  else if (i.rip_relative)
    i.target = r.p + displacement;
  return i;
}

}  // namespace green
