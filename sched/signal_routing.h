// Who gets a signal. Private to the signals' own files.
#pragma once

#include "sched/carrier.h"
#include "sched/signals.h"

namespace green::signals {

// Sent to a task, ever: what SetAction looks for at all tasks.
extern std::atomic<SigSet> g_sent_to_task;
// Signals that the kernel has delivered to some carrier and that are not routed yet: in its ring.
extern std::atomic<uint32_t> g_in_flight;
// Who waits for the process's first thread takes the next number (AwaitFirst). That one reads the
// last number, takes its mask over, has no handler before it, and tells that it has answered it.
extern std::atomic<uint32_t> g_first_asked;
void TellFirstAnswered(uint32_t asked);

// The kernel means the thread that it has interrupted.
bool IsForThread(const SigInfo& info);
// A signal that the kernel sent while `current` ran on the process's first thread or another, to
// whom it is for.
void Route(const SigInfo& info, Task* current, bool first);
void PutInRing(Carrier* c, const void* info);

}  // namespace green::signals
