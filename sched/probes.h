// Probes for bpftrace, perf and SystemTap (sys/sdt.h of systemtap): each is a nop and an ELF note
// that tells where its arguments lie, so they cost nothing more until one is attached to. They
// stand where the trace notes its events (trace.h). `bpftrace -l 'usdt:/path/libgreen.so:*'` lists
// them.
#pragma once

#include <sys/sdt.h>

#include "sched/task.h"
#include "sched/worker.h"

namespace green::probe {

// t is about to run on this OS thread.
inline void Run(const Task* t) { DTRACE_PROBE1(libgreen, run, t->tid); }
// t gives its carrier up; the second argument is a WaitReason (task.h).
inline void Leave(const Task* t, WaitReason reason) {
  DTRACE_PROBE2(libgreen, leave, t->tid, static_cast<uint8_t>(reason));
}
// t may run again; by the task that runs on this OS thread, or by the scheduler.
inline void Wake(const Task* t) { DTRACE_PROBE1(libgreen, wake, t->tid); }
inline void Spawn(const Task* child, const Task* parent) {
  DTRACE_PROBE2(libgreen, spawn, child->tid, parent->tid);
}
inline void End(const Task* t) { DTRACE_PROBE1(libgreen, end, t->tid); }
// t, and maybe more, came from another worker.
inline void Steal(const Task* t, const Worker* victim) {
  DTRACE_PROBE2(libgreen, steal, t->tid, victim->id);
}
// t has had its time.
inline void Preempt(const Task* t) { DTRACE_PROBE1(libgreen, preempt, t->tid); }
// t is in a call that is known to block; its worker goes on without it.
inline void Handoff(const Task* t) { DTRACE_PROBE1(libgreen, handoff, t->tid); }
// The same, found out by the monitor.
inline void Retake(const Task* t, const Worker* w) {
  DTRACE_PROBE2(libgreen, retake, t->tid, w->id);
}

}  // namespace green::probe
