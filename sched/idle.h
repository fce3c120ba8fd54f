// Sleep and wake of workers that find nothing to run.
//
//   sleeper: idle_count += 1 (seq_cst, with state = kIdle, under idle_lock); then looks at every
//            queue once more; then sleeps (one of them in the reactor, the others on their
//            carrier's wake word).
//   waker:   publishes the task (global queue: under its lock, seq_cst size); then reads
//            idle_count. Either the sleeper sees the task or the waker sees the sleeper.
// Tasks in a running worker's own queue need no wake for progress: that worker runs them before
// it sleeps, or the monitor notices that it does not.
#pragma once

#include "sched/carrier.h"

namespace green {

void IdleWorker(Carrier* c, Worker* w);

}  // namespace green
