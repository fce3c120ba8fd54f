// The 1:1 half of the scheduler: bound tasks, each with a carrier of its own from begin to end.
// scheduler.h is the interface; it comes here when the task is a bound one. What is a thread to
// the program is a thread to the kernel, so:
//   spawn    a spare carrier or a new thread begins to run the task; its creator goes on.
//   park     sleeps in the kernel, on Task::state; unpark wakes it there. So waiters of both
//            kinds stand in the same futex table, fd lists and signal protocol.
//   block    the call waits in the kernel, outside libgreen: there is no worker to hand over.
//   yield    is the kernel's; preemption too, so a kick that asks for it is not obeyed.
//   exit     the carrier becomes a spare, or its thread ends.
//   timers   are the kernel's: a park with a deadline is a futex wait with one.
// A bound task's carrier holds a Worker of its own (OwnWorker), for the counters: nothing is ever
// queued there. What a bound task wakes or spawns for the M:N half goes to the shared queues.
// Policy, priority, nice value, affinity and name are applied to the kernel's thread.
#pragma once

#include <cstdint>

#include "sched/carrier.h"
#include "sched/task.h"

namespace green::one_to_one {

// As their namesakes of scheduler.h; the current task (Wake: t) is bound.
long Spawn(Task* child);  // whose creator may be of either kind
void Park(WaitReason reason, int64_t deadline);
void Wake(Task* t);  // its kParked has been cleared

// By its creator, before t can run on c: one that is to run first must not wait for itself to say
// so. A new thread whose creator is not scheduled as the others has its policy and nice value
// already.
void Schedule(Carrier* c, Task* t);
// On c's scheduler stack, before t's first instruction.
void Begin(Carrier* c, Task* t);
// Makes the current task, a green one, bound: it keeps the carrier, the worker goes to another.
// False when there is none to be had.
bool Bind();
// ns of CPU that t has used.
int64_t CpuNsOf(Task* t);
// Task to kernel: policy and priority; nice value; name. 0 or -errno, as the kernel says.
long ApplyPolicy(Task* t);
long ApplyNice(Task* t);
void ApplyName(Task* t);
// A new thread of libgreen's that inherited its creator's policy gets the process's.
void ResetScheduling(Carrier* c);

}  // namespace green::one_to_one
