// Trace: what the scheduler does, noted in a ring per worker while a reader in another process
// wants it (`green trace`). While nobody does, nothing is kept or mapped, and switches and wake-ups
// test the one word that they test anyway (SchedulerState::watch).
//
// The reader writes `until` and then the byte `on` (process_vm_writev(2), so under ptrace's rules),
// renews `until` while it lives, and copies what is new in the rings. Its death needs no care: who
// would note an event after `until` clears `on` instead.
//
// A ring has one writer, the holder of its worker, inside libgreen; the last ring is for those who
// hold none (the monitor, carriers on their way back from the kernel, bound tasks).
//   writer:  event; seq = number + 1 (release); head = number + 1 (release)
//            of the last ring: number = head++ first, then the event and its seq
//   reader:  head; events up to there whose seq is right; head again: what may have been
//            overwritten meanwhile is lost, and counted
#pragma once

#include "sched/inspect.h"
#include "sched/state.h"

namespace green {

// Out of line: they are called when Watched(kTrace) only. By a carrier inside libgreen.
void NoteSpawn(const Task* child, const Task* parent);
void NoteRun(const Task* t);
void NoteLeave(const Task* t, WaitReason reason);
void NoteWake(const Task* t);
void NoteSteal(const Task* t, const Worker* victim);
void NoteHandoff(const Task* t);
void NoteRetake(const Task* t, const Worker* w);
void NoteEnd(const Task* t);

// Memory of rings that nobody reads any more goes back. The monitor calls it, now and then.
void DropUnreadTrace();
void ResetTraceAfterFork();

}  // namespace green
