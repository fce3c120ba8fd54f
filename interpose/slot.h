// Layout of a stub slot, shared by C++ and assembly. A patched site jumps into its own slot:
//
//     0  displaced instructions that stood before the syscall, right-aligned, ending at 24
//    24  lea -0x80(%rsp),%rsp         the red zone is the program's
//    29  push site(%rip)              for unwinders
//    35  call green_syscall_entry     (or a variant) finds the slot from its return address & ~127
//    40  lea 0x88(%rsp),%rsp          (touches no flags)
//    48  displaced instructions that stood behind the syscall, at most 20 bytes
//        jmp resume                   (through the literal if that is far away)
//    74  syscall                      the raw tail: entered by green_syscall_entry with every
//    76  lea -0x80(%rsp),%rsp         register and rsp as the site had them, for calls that come
//    81  push site(%rip)              back twice or on another stack (fork, vfork, clone)
//    87  call green_syscall_after_raw
//    92  jmp 40
//    96  literals
//
// Unwinding: each slot is a frame of its own, called by the patched function. Its return address is
// the `site` literal, so the program's own unwind tables go on from right behind the syscall. It is
// on the stack too while the slot's call lasts: perf unwinds later, from a copy of the stack and
// the files, where slots are empty.
#pragma once

#define GREEN_SLOT_SIZE 128
#define GREEN_SLOT_COUNT 1024
#define GREEN_SLOT_ENTER 24
#define GREEN_SLOT_PUSH 29
#define GREEN_SLOT_CALL 35
#define GREEN_SLOT_RETURN 40
#define GREEN_SLOT_AFTER 48
#define GREEN_SLOT_AFTER_MAX 20
#define GREEN_SLOT_RAW_TAIL 74
#define GREEN_SLOT_RAW_PUSH 81
#define GREEN_SLOT_RAW_CALL 87
#define GREEN_SLOT_RAW_RETURN 92
#define GREEN_SLOT_RESUME 96
#define GREEN_SLOT_SITE 104
#define GREEN_SLOT_NR 112
#define GREEN_SLOT_FLAGS 116
#define GREEN_SLOT_PATCH 120

#ifndef __ASSEMBLER__

#include <cstddef>
#include <cstdint>

namespace green {

enum : uint32_t {
  kSlotFlagsLive = 1,   // the program reads arithmetic flags that were set before the syscall
  kSlotVectorLive = 2,  // the function or its caller may keep values in vector or x87 registers
  kSlotNotLibc = 4,     // the site is not in libc, libpthread or the loader
};

struct Slot {
  uint8_t before[GREEN_SLOT_ENTER];
  uint8_t enter[GREEN_SLOT_AFTER - GREEN_SLOT_ENTER];
  uint8_t after[GREEN_SLOT_RAW_TAIL - GREEN_SLOT_AFTER];
  uint8_t raw_tail[GREEN_SLOT_RESUME - GREEN_SLOT_RAW_TAIL];
  const uint8_t* resume;  // where the program goes on: behind what was displaced
  const uint8_t* site;    // right behind the original syscall instruction. If resume differs, the
                          // bytes at site are the jmp's: good for unwinding, not for executing.
  int32_t nr;             // -1: in eax only
  uint32_t flags;
  const uint8_t* patch;  // the jmp

  // From any address inside a slot.
  static Slot* Of(uintptr_t pc) {
    return reinterpret_cast<Slot*>(pc & ~uintptr_t{GREEN_SLOT_SIZE - 1});
  }
};

static_assert(sizeof(Slot) == GREEN_SLOT_SIZE);
static_assert(offsetof(Slot, enter) == GREEN_SLOT_ENTER);
static_assert(offsetof(Slot, after) == GREEN_SLOT_AFTER);
static_assert(GREEN_SLOT_AFTER + GREEN_SLOT_AFTER_MAX + 6 <= GREEN_SLOT_RAW_TAIL);
static_assert(offsetof(Slot, raw_tail) == GREEN_SLOT_RAW_TAIL);
static_assert(offsetof(Slot, resume) == GREEN_SLOT_RESUME);
static_assert(offsetof(Slot, site) == GREEN_SLOT_SITE);
static_assert(offsetof(Slot, nr) == GREEN_SLOT_NR);
static_assert(offsetof(Slot, flags) == GREEN_SLOT_FLAGS);
static_assert(offsetof(Slot, patch) == GREEN_SLOT_PATCH);

extern "C" {
extern Slot green_slots[GREEN_SLOT_COUNT] __attribute__((visibility("hidden")));

// Called by slots, never from C++. Each preserves what the kernel preserves: every register but
// rax, rcx, r11, and the flags. green_syscall_entry does not preserve the flags: for sites behind
// which nobody reads them.
// With the call's number in eax and arguments in place.
__attribute__((visibility("hidden"))) void green_syscall_entry();
__attribute__((visibility("hidden"))) void green_syscall_entry_flags();
// With the kernel's result in rax.
__attribute__((visibility("hidden"))) void green_syscall_after_raw();
}

// Of calls from anywhere (user_dispatch.h); the others are the patcher's.
inline constexpr int kUserDispatchSlot = GREEN_SLOT_COUNT - 1;

inline bool IsInSlots(uintptr_t pc) {
  return pc - reinterpret_cast<uintptr_t>(green_slots) < sizeof(Slot) * GREEN_SLOT_COUNT;
}

}  // namespace green

#endif  // __ASSEMBLER__
