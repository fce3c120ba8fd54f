// How tasks share a worker that do not wait; private to sched/*.cc. The others see it as Yield,
// CountReadyCall, LetFewRun, Preempt and ObeyKick (scheduler.h).
//   computes     used up two slices without a wait between: waits in g_sched.turns, from which a
//                worker takes one when there is nothing else, or half of the time
//   always ready finds its input there at every call: gives way after a turn of kTurnTicks, a
//                short one if few others wait
//   woke one     that had waited long: gives way at the end of its call
#pragma once

#include "sched/state.h"

namespace green {

// What computes has half of the time beside tasks that are ready all the time.
inline bool TurnIsDue(const Worker* w) {
  return g_sched.turns.MaybeAny() && Ticks() > w->next_turn_ticks;
}

// The next one of those that compute, or null.
Task* TakeTurn(Worker* w);

}  // namespace green
