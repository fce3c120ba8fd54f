// The program may create its first thread in a signal's handler. That one, and those it has
// interrupted, began in frames that the kernel made for the program: their returns would give the
// thread the mask and the alternate stack of before, and the task would never hear of it. So the
// frames are looked for, and return by way of libgreen.
//   Which is a frame: the address of a restorer that some action has, before a context as the
//   kernel
//     writes it (signal_frame.h). One that is over, in memory that nobody has
//     written since, looks the same: its restorer is never read again.
//   When: only if a signal is blocked. Else there is nothing to be undone.
#pragma once

#include <cstdint>

namespace green {

// Once, right after the start, inside libgreen, on the main task. sp: a stack pointer in the
// handler, if there is one. restorer: what the frames are to return to.
void AdoptEarlyHandlers(uintptr_t sp, void (*restorer)());

}  // namespace green
