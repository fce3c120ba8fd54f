// Syscall User Dispatch (Documentation/admin-guide/syscall-user-dispatch.rst, Linux 5.11): the
// kernel turns every system call of a thread into a SIGSYS, except those made in one range of
// addresses, which is libgreen's own code. There is no selector byte: the range alone decides.
//
//   the program: syscall, anywhere but in a patched place
//   the kernel:  SIGSYS on the carrier's signal stack, registers as they were
//   RedirectCall: lets the return from the signal go to the entry of the slots (entry.S), with the
//                stack as one of the slots would have it: the call is like that of a patched site
//                from there on, may park, restart, unwind. The slot is one for all (interpose/
//                user_dispatch.h); where the program goes on is the `site` on the stack.
// The setting is the thread's own: each carrier makes it when it begins, a forked child or one of
// vfork has none and runs natively, exec ends it. Helpers never leave libgreen.
#pragma once

#include <cstdint>

#include "sched/signals.h"

namespace green {

// False where the kernel lacks it. Any time.
bool HasUserDispatch();
// Before the scheduler starts: the slot's return address.
void SetUserDispatchSlot(uintptr_t slot_return);
// The calling thread's, from now on, if SchedulerOptions::user_dispatch says so.
void UseUserDispatch();
bool IsUserDispatch(int sig, const SigInfo& info);
// In the handler: context is the signal's ucontext.
void RedirectCall(const SigInfo& info, void* context);

}  // namespace green
