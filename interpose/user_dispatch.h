// The slot through which calls come that no patched site made (GREEN_DOOR=sud;
// sched/user_dispatch.h): the last one of the table. It is laid out as the others (slot.h), but
// belongs to no site: it returns through the `site` that lies on the stack, `ret $128` over the red
// zone.
#pragma once

namespace green {

// While there is one thread. False when it could not be written.
bool PrepareUserDispatchSlot();

}  // namespace green
