// Calls in the kernel that a signal has found: which go on, which say EINTR. Private to the
// signals' own files.
#pragma once

#include <sys/ucontext.h>

#include "sched/signals.h"

namespace green::signals {

// A restartable call that the kernel prepared to restart is to return EINTR instead, when the
// handler that ran had no SA_RESTART. One that any handler ends, or that holds something
// (Task::held_by_call), is not to begin either, wherever on the way into it the signal came.
void CancelRestart(const Task* t, Delivered what, ucontext_t* uc);

// Whether the EINTR right behind a call's instruction is the program's. The last EINTR decides, not
// what ran since the call began: a handler with SA_RESTART may have come and gone, and the call
// been restarted after it. Where others' EINTR was there first, such a handler might as well have
// come before the call, but for the calls that it ends in any case. The same of a result that may
// be a part of what the program asked for: a plain call then goes on where that is looked at
// (syscalls/rest.h).
void NoteInterruption(Task* t, Delivered what, ucontext_t* uc);

// A call that blocks its worker, for want of another carrier, would go on by the kernel's own hand:
// it ends instead, and is made again after the others' turn.
void EndCallForTurn(Task* t, ucontext_t* uc);

// The code of a plain call has read what the program gave to the kernel, and it is not there: where
// that code goes on, not knowing. 0: the fault at pc is none of these.
uintptr_t FixupInPlainCall(uintptr_t pc);

}  // namespace green::signals
