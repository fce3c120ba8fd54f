// Assembles the contents of a slot for a site.
#pragma once

#include "interpose/plain_slot.h"
#include "interpose/sites.h"
#include "interpose/slot.h"

namespace green {

// image is what *slot is to become. The slot need not be mapped writable, and is not read.
void BuildSlot(const Site& site, const Slot* slot, Slot* image);
// The same for a plain slot beside an ordinary one. `code_end`: of the segment that holds the site.
void BuildPlainSlot(const Site& site, const uint8_t* code_end, const Slot* ordinary,
                    const PlainSlot* slot, PlainSlot* image);
// The same, for the slot of calls from anywhere (user_dispatch.h).
void BuildUserDispatchSlot(const Slot* slot, Slot* image);

// The bytes that replace the site's, site.PatchLength() of them: a jmp to `target`, then int3.
void BuildJump(const Site& site, const uint8_t* target, uint8_t* bytes);

// Where the site's jmp enters the slot.
inline const uint8_t* SlotEntry(const Site& site, const Slot* slot) {
  return slot->enter - site.before;
}
inline const uint8_t* SlotEntry(const Site& site, const PlainSlot* slot) {
  return slot->code - site.before;
}

}  // namespace green
