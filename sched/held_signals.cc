#include "sched/held_signals.h"

#include <signal.h>

#include "sched/state.h"

namespace green {
namespace {

constexpr SigSet kFaults = SigBit(SIGSEGV) | SigBit(SIGBUS) | SigBit(SIGFPE) | SigBit(SIGILL) |
                           SigBit(SIGTRAP) | SigBit(SIGSYS);
constexpr SigSet kNeverHeld = kFaults | SigBit(SIGKILL) | SigBit(SIGSTOP) | SigBit(kKickSignal);
// Of a carrier whose ring is full. Kicks need no room there.
constexpr SigSet kMaskWhenFull = ~(kFaults | SigBit(kKickSignal));
// Those that the kernel sends to a thread for what it does come to that one. A terminal looks
// whether the thread that reads or writes it blocks its signals.
constexpr SigSet kByAny = kFaults | SigBit(kKickSignal) | SigBit(SIGPIPE) | SigBit(SIGXFSZ) |
                          SigBit(SIGTTIN) | SigBit(SIGTTOU);

}  // namespace

std::atomic<SigSet> g_held{0};

SigSet CarrierMask(const Carrier* c) {
  if (c->noted_count.load(std::memory_order_relaxed) == kMaxNoted) return kMaskWhenFull;
  return (c->tid == g_sched.pid ? 0 : ~kByAny) | HeldSignals();
}

void SetHeld(SigSet set) { g_held.fetch_or(set & ~kNeverHeld, std::memory_order_seq_cst); }
void ClearHeld(SigSet set) { g_held.fetch_and(~set, std::memory_order_seq_cst); }

}  // namespace green
