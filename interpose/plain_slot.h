// Slots that make a plain call themselves (arch/x86_64/plain_slots.S): one beside the ordinary slot
// of each site of such a call, as long as there are some of its number. Their code is complete but
// for what the site had there:
//
//     0  literals
//    40  displaced instructions that stood before the syscall, right-aligned, ending at 64
//    64  the call, if it is plain; else a jump to the ordinary slot's
//  behind  displaced instructions that stood behind the syscall, then
//        jmp resume                   or, where the site goes on with cmp, ja and ret, these
//    +29 pop %rcx; jmp *%rcx          the ret
//   480  the jump to green_plain_entry_end, which returns to the ordinary slot
#pragma once

#include <cstddef>
#include <cstdint>

#include "arch/x86_64/layout.h"
#include "interpose/slot.h"

namespace green {

struct PlainSlot {
  const uint8_t* resume;  // as the ordinary slot's
  const uint8_t* site;
  const uint8_t* ordinary_call;  // in the ordinary slot: its call, and where that returns
  const uint8_t* ordinary_return;
  int32_t nr;
  uint16_t called;  // offsets: right behind the system call, and
  uint16_t behind;  // where there is room for what stood behind the site's
  uint8_t before[GREEN_SLOT_ENTER];
  uint8_t code[GREEN_PLAIN_SLOT_SIZE - GREEN_PLAIN_SLOT_CODE];
};

static_assert(sizeof(PlainSlot) == GREEN_PLAIN_SLOT_SIZE);
static_assert(offsetof(PlainSlot, site) == GREEN_PLAIN_SLOT_SITE);
static_assert(offsetof(PlainSlot, ordinary_call) == GREEN_PLAIN_SLOT_ORDINARY_CALL);
static_assert(offsetof(PlainSlot, ordinary_return) == GREEN_PLAIN_SLOT_ORDINARY_RETURN);
static_assert(offsetof(PlainSlot, called) == GREEN_PLAIN_SLOT_CALLED);
static_assert(offsetof(PlainSlot, behind) == GREEN_PLAIN_SLOT_BEHIND);
static_assert(offsetof(PlainSlot, code) == GREEN_PLAIN_SLOT_CODE);
static_assert(GREEN_SLOT_AFTER_MAX + 6 <= GREEN_PLAIN_SLOT_BEHIND_MAX);

extern "C" {
extern const PlainSlot green_plain_slots[] __attribute__((visibility("hidden")));
extern const PlainSlot green_plain_slots_end[] __attribute__((visibility("hidden")));
}

}  // namespace green
