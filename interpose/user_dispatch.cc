#include "interpose/user_dispatch.h"

#include "interpose/code_writer.h"
#include "interpose/slot.h"
#include "interpose/slot_image.h"
#include "sched/user_dispatch.h"

namespace green {

bool PrepareUserDispatchSlot() {
  Slot* slot = &green_slots[kUserDispatchSlot];
  Slot image;
  BuildUserDispatchSlot(slot, &image);
  CodeWriter writer;
  if (!writer.Write(slot, &image, sizeof image)) return false;
  SetUserDispatchSlot(reinterpret_cast<uintptr_t>(slot) + GREEN_SLOT_RETURN);
  return true;
}

}  // namespace green
