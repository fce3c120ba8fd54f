// How many workers there are: GREEN_WORKERS, or as many as CPUs may run a task of the process, by
// the affinity masks (sched_setaffinity(2), cpuset(7)), and its cgroup's quota can keep busy.
//
// The masks change at run time: by the program for its threads, by taskset(1) or a cpuset from
// outside. The process's mask is that of its first thread or, while tasks have masks of their own,
// which that thread takes when it runs them, the monitor's, which changes from outside only.
// More workers: the monitor gives the next ones a carrier. Fewer: a worker that finds its number
// too high retires at its next look around: what it has queued goes to the global queue, its
// carrier is a spare from then on. Its timers stay; the poller and the monitor fire everybody's.
//   kRunning -> kRetired   by its holder, on the scheduler's stack
//   kRetired -> kRunning   by the monitor, which then gives it a carrier
#pragma once

#include <atomic>
#include <cstdint>

#include "sched/state.h"

namespace green {

// At start, before there is a second thread.
void CountWorkers();
// The monitor, while awake: looks at the masks now and then, and follows.
void FollowCpus(int64_t now);
// A task's mask has changed: the monitor is to look at once.
void CpusChanged();

inline bool IsSurplus(const Worker* w) {
  return w->id >= g_sched.workers_wanted.load(std::memory_order_relaxed);
}
// c, which holds w, is without a worker afterwards. On c's scheduler stack.
void RetireWorker(Carrier* c, Worker* w);

}  // namespace green
