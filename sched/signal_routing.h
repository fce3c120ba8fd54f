// Who gets a signal. Private to the signals' own files.
#pragma once

#include "sched/carrier.h"
#include "sched/signals.h"

namespace green::signals {

// Sent to a task, ever: what SetAction looks for at all tasks.
extern std::atomic<SigSet> g_sent_to_task;
// Signals that the kernel has delivered to some carrier and that are not routed yet: in its ring.
extern std::atomic<uint32_t> g_in_flight;
// Kicks that the process's first thread has answered (AwaitFirst).
extern std::atomic<uint32_t> g_first_answers;

// The kernel means the thread that it has interrupted.
bool IsForThread(const SigInfo& info);
// A signal that the kernel sent while `current` ran on the process's first thread or another, to
// whom it is for.
void Route(const SigInfo& info, Task* current, bool first);
void PutInRing(Carrier* c, const void* info);

}  // namespace green::signals
