// A terminal asks whether the calling thread blocks SIGTTIN or SIGTTOU: if so, a background process
// gets EIO, or may go on; else it gets the signal, and the call is restarted. Carriers do not block
// these, so a task's blocking is shown to the kernel for the time of the call: the signal would
// stay pending and the call be restarted for ever.
#pragma once

#include <signal.h>

#include "sched/signals.h"
#include "syscalls/call.h"

namespace green {

inline constexpr SigSet kTtySignals = SigBit(SIGTTIN) | SigBit(SIGTTOU);

static_assert(kTtySignals == GREEN_TTY_SIGNALS);

inline SigSet BlockedTtySignals() { return CurrentTask()->mask & kTtySignals; }

// In between nothing may park. A signal handler that ran has undone the first already.
inline void BlockInKernel(SigSet set) {
  if (__builtin_expect(set != 0, 0))
    RawSyscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, nullptr, sizeof set);
}
inline void UnblockInKernel(SigSet set) {
  if (__builtin_expect(set != 0, 0))
    RawSyscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, nullptr, sizeof set);
}

}  // namespace green
