// Stacks of tasks. Slots of one size class lie side by side in chunks of 1 GiB of address space
// far from the loader's, reserved as needed (no memory until touched; neighbouring chunks share
// one mapping). Guards cost no mapping where the kernel has MADV_GUARD_INSTALL (Linux 6.13);
// elsewhere they are mprotected.
//
// A slot is free again when its task has ended *and* the program has let go of the thread
// (joined or detached it: until then its pthread structure, on the slot, is in use). Each event
// sets its bit; whoever sets the second one frees the slot.
// Reuse is last-in first-out: the hottest stack first.
// Any thread inside libgreen may call.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/spin_lock.h"

namespace green {

struct StackSlot {
  static constexpr uint8_t kEnded = 1;
  static constexpr uint8_t kLetGo = 2;
  std::atomic<uint8_t> done{0};
  bool guarded = false;
  uint32_t chunk = 0;
  StackSlot* next_free = nullptr;
};

struct StackRange {
  StackSlot* slot;  // null: none to be had
  void* base;       // lowest usable address, above the guard
  size_t size;      // usable bytes
};

// size: usable bytes wanted; guard: bytes of guard wanted (0 = none). Page-rounded.
StackRange TakeStack(size_t size, size_t guard);
// One of the two events above.
void FinishStack(StackSlot* slot, uint8_t event);
// Back at once, unused.
void ReturnStack(StackSlot* slot);
// The slot that holds address p, or null.
StackSlot* StackSlotAt(const void* p);
// Bytes of guard below a slot's stack.
size_t StackGuardOf(const StackSlot* slot);
// For good, those in use too: as libc does with its own when an object is loaded that wants to run
// code on its stack (PT_GNU_STACK, elf(5)).
void MakeStacksExecutable();
// In a forked child: all slots but `kept` are free.
void ResetStacksAfterFork(StackSlot* kept);

}  // namespace green
