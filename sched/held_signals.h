// Signals that stay pending with the kernel, and what each carrier blocks there. What no task
// accepts is left where sigpending(2), exec and poll, epoll and read on a signalfd(2) look for it.
//
//   held: nobody accepted it when a task blocked it or when it came. Carriers block it.
//   Who holds: sets the bit (seq_cst), then looks for a receiver once more. Who begins to accept a
//     signal publishes its mask or wait (seq_cst), then looks at the bits (AcceptHeld in
//     signals.cc). One sees the other.
//   A carrier takes the mask over at its next UseCarrierMaskInKernel or signal frame. Until then it
//     may still be given a held signal, finds no receiver, and gives it back.
//
// Signals for the process come by its first thread only: two carriers would note what they were
// given in either order, while the kernel keeps the order for one. And it alone may give back a
// signal with the kernel's own code (rt_sigqueueinfo(2), EPERM).
#pragma once

#include "base/kernel_types.h"
#include "sched/carrier.h"

namespace green {

// What c is to block in the kernel.
SigSet CarrierMask(const Carrier* c);

extern std::atomic<SigSet> g_held;
inline SigSet HeldSignals() { return g_held.load(std::memory_order_seq_cst); }
// Faults are never held: the kernel ends a process that has one and blocks it.
void SetHeld(SigSet set);
void ClearHeld(SigSet set);

}  // namespace green
