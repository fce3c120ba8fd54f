// Signals that wait: lists in the order of their sending, of each task and of the process. Private
// to the signals' own files.
#pragma once

#include "base/spin_lock.h"
#include "sched/signals.h"

namespace green::signals {

extern SpinLock g_process_lock;
extern SignalNode* g_process_signals;
extern std::atomic<SigSet> g_process_pending;

// Under the lock that guards list and pending. 0, or -EAGAIN without memory for a node.
int Append(SignalNode** list, std::atomic<SigSet>& pending, const SigInfo& info);
// The oldest of that number, under the lock. False if there is none.
bool Take(SpinLock& lock, SignalNode** list, std::atomic<SigSet>& pending, int sig, SigInfo* out);
// From the process's.
void DiscardPending(SigSet set);

}  // namespace green::signals
