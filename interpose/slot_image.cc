#include "interpose/slot_image.h"

#include "interpose/hop_pages.h"

namespace green {

namespace {

constexpr uint8_t kInt3 = 0xcc;
constexpr uint8_t kSkipRedZone[] = {0x48, 0x8d, 0x64, 0x24, 0x80};  // lea -0x80(%rsp),%rsp
constexpr uint8_t kBackOver[] = {0x48, 0x8d, 0xa4, 0x24,
                                 0x88, 0x00, 0x00, 0x00};  // lea 0x88(%rsp),%rsp
constexpr uint8_t kReturnOver[] = {0xc2, 0x80, 0x00};      // ret $0x80
static_assert(GREEN_SLOT_PUSH == GREEN_SLOT_ENTER + sizeof kSkipRedZone);
static_assert(GREEN_SLOT_CALL == GREEN_SLOT_PUSH + 6);
static_assert(GREEN_SLOT_RETURN == GREEN_SLOT_CALL + 5);
static_assert(GREEN_SLOT_AFTER == GREEN_SLOT_RETURN + sizeof kBackOver);
static_assert(GREEN_SLOT_RAW_PUSH == GREEN_SLOT_RAW_TAIL + 2 + sizeof kSkipRedZone);
static_assert(GREEN_SLOT_RAW_CALL == GREEN_SLOT_RAW_PUSH + 6);
static_assert(GREEN_SLOT_RAW_RETURN == GREEN_SLOT_RAW_CALL + 5);

// Appends instructions to an image as they will stand at `address`.
class Assembler {
 public:
  Assembler(uint8_t* out, const uint8_t* address) : out_(out), address_(address) {}

  void Bytes(const uint8_t* bytes, int count) {
    for (int n = 0; n < count; ++n) Byte(bytes[n]);
  }
  const uint8_t* address() const { return address_; }
  void Byte(uint8_t b) {
    *out_++ = b;
    ++address_;
  }
  // call or jmp with a 32-bit displacement
  void Branch(uint8_t opcode, const uint8_t* target) {
    Byte(opcode);
    Distance(target);
  }
  // jmp *(%rip) or push (%rip)
  void ThroughMemory(uint8_t modrm, const void* literal) {
    Byte(0xff);
    Byte(modrm);
    Distance(static_cast<const uint8_t*>(literal));
  }
  void Distance(const uint8_t* target) {
    const int32_t distance = static_cast<int32_t>(target - (address_ + 4));
    Bytes(reinterpret_cast<const uint8_t*>(&distance), 4);
  }

 private:
  uint8_t* out_;
  const uint8_t* address_;
};

template <typename Function>
const uint8_t* CodeOf(Function* f) {
  return reinterpret_cast<const uint8_t*>(f);
}

void BuildRawTail(const Slot* slot, uint8_t* bytes) {
  Assembler raw(bytes + GREEN_SLOT_RAW_TAIL, slot->raw_tail);
  raw.Byte(0x0f);
  raw.Byte(0x05);
  raw.Bytes(kSkipRedZone, sizeof kSkipRedZone);
  raw.ThroughMemory(0x35, &slot->site);
  raw.Branch(0xe8, CodeOf(green_syscall_after_raw));
  raw.Byte(0xeb);
  raw.Byte(static_cast<uint8_t>(GREEN_SLOT_RETURN - GREEN_SLOT_RAW_RETURN - 2));
}

const uint8_t* Entry(const Site& site) {
  return site.flags & kSlotFlagsLive ? CodeOf(green_syscall_entry_flags)
                                     : CodeOf(green_syscall_entry);
}

void JumpBack(const Site& site, const void* resume_literal, Assembler* out) {
  if (IsInJumpReach(out->address(), site.Resume()))
    out->Branch(0xe9, site.Resume());
  else
    out->ThroughMemory(0x25, resume_literal);
}

// What most of libc's functions end with: cmp $-4096,%rax; ja error; ret.
struct Ending {
  bool compares;         // the cmp is not among the displaced instructions
  const uint8_t* error;  // null: the site goes on otherwise
};

Ending EndingOf(const Site& site, const uint8_t* code_end) {
  constexpr uint8_t kCompare[] = {0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff};
  constexpr int kLongest = sizeof kCompare + 6 + 1;
  const uint8_t* p = site.Resume();
  if (code_end - p < kLongest) return {};
  unsigned same = 0;
  while (same < sizeof kCompare && p[same] == kCompare[same]) ++same;
  const bool compares = same == sizeof kCompare;
  if (compares) p += sizeof kCompare;
  int32_t distance;
  if (p[0] == 0x77) {
    distance = static_cast<int8_t>(p[1]);
    p += 2;
  } else if (p[0] == 0x0f && p[1] == 0x87) {
    __builtin_memcpy(&distance, p + 2, sizeof distance);
    p += 6;
  } else {
    return {};
  }
  return *p == 0xc3 ? Ending{compares, p + distance} : Ending{};
}

// Up to where the slot returns.
void Fill(Assembler* out, const uint8_t* end) {
  constexpr uint8_t kNop[] = {0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0};
  while (end - out->address() >= static_cast<long>(sizeof kNop)) out->Bytes(kNop, sizeof kNop);
  while (out->address() < end) out->Byte(0x90);
}

}  // namespace

void BuildUserDispatchSlot(const Slot* slot, Slot* image) {
  auto* bytes = reinterpret_cast<uint8_t*>(image);
  for (int n = 0; n < GREEN_SLOT_SIZE; ++n) bytes[n] = kInt3;
  Assembler back(bytes + GREEN_SLOT_RETURN, slot->enter + GREEN_SLOT_RETURN - GREEN_SLOT_ENTER);
  back.Bytes(kReturnOver, sizeof kReturnOver);
  BuildRawTail(slot, bytes);
  image->resume = image->site = image->patch = nullptr;
  image->nr = -1;
  image->flags = kSlotFlagsLive | kSlotVectorLive | kSlotNotLibc;
}

void BuildSlot(const Site& site, const Slot* slot, Slot* image) {
  auto* bytes = reinterpret_cast<uint8_t*>(image);
  for (int n = 0; n < GREEN_SLOT_SIZE; ++n) bytes[n] = kInt3;

  Assembler before(bytes + GREEN_SLOT_ENTER - site.before, SlotEntry(site, slot));
  before.Bytes(site.PatchStart(), site.before);

  Assembler enter(bytes + GREEN_SLOT_ENTER, slot->enter);
  enter.Bytes(kSkipRedZone, sizeof kSkipRedZone);
  enter.ThroughMemory(0x35, &slot->site);
  enter.Branch(0xe8, Entry(site));
  enter.Bytes(kBackOver, sizeof kBackOver);
  enter.Bytes(site.syscall + 2, site.after);
  JumpBack(site, &slot->resume, &enter);

  BuildRawTail(slot, bytes);
  image->resume = site.Resume();
  image->site = site.syscall + 2;
  image->nr = site.nr;
  image->flags = site.flags;
  image->patch = site.PatchStart();
}

void BuildPlainSlot(const Site& site, const uint8_t* code_end, const Slot* ordinary,
                    const PlainSlot* slot, PlainSlot* image) {
  *image = *slot;
  image->resume = site.Resume();
  image->site = site.syscall + 2;
  image->ordinary_call = ordinary->enter + GREEN_SLOT_CALL - GREEN_SLOT_ENTER;
  image->ordinary_return = ordinary->enter + GREEN_SLOT_RETURN - GREEN_SLOT_ENTER;
  Assembler before(image->code - site.before, SlotEntry(site, slot));
  before.Bytes(site.PatchStart(), site.before);

  const auto* address = reinterpret_cast<const uint8_t*>(slot) + slot->behind;
  const uint8_t* end = address + GREEN_PLAIN_SLOT_BEHIND_MAX;
  Assembler behind(reinterpret_cast<uint8_t*>(image) + slot->behind, address);
  behind.Bytes(site.syscall + 2, site.after);
  const Ending ending = EndingOf(site, code_end);
  const int size = site.after + (ending.compares ? 6 : 0) + 6;
  if (!ending.error || size > GREEN_PLAIN_SLOT_BEHIND_MAX || !IsInJumpReach(address, ending.error))
    return JumpBack(site, &slot->resume, &behind);
  if (ending.compares) behind.Bytes(site.Resume(), 6);
  behind.Byte(0x0f);
  behind.Branch(0x87, ending.error);
  Fill(&behind, end);
}

void BuildJump(const Site& site, const uint8_t* target, uint8_t* bytes) {
  Assembler jump(bytes, site.PatchStart());
  jump.Branch(0xe9, target);
  for (int n = 5; n < site.PatchLength(); ++n) jump.Byte(kInt3);
}

}  // namespace green
