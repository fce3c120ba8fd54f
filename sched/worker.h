// Worker: the right to run tasks, as many as there are CPUs to run on. Its run queue, timers and
// counters are touched by the carrier that holds it (in_green = 1), except where a member says
// otherwise. An idle worker keeps its carrier, which sleeps in the reactor or on its wake word.
#pragma once

#include <atomic>
#include <cstdint>

#include "sched/blocked_time.h"
#include "sched/inspect.h"
#include "sched/run_queue.h"
#include "sched/timers.h"

namespace green {

struct Carrier;

// kRetired: has no carrier, as there are fewer CPUs now (worker_count.h).
enum class WorkerState : uint8_t { kRunning, kIdle, kPolling, kRetired };

struct alignas(64) Worker {
  static constexpr uint32_t kDelaySample = 256;

  uint32_t id = 0;
  bool bound = false;  // a bound task's: it has counters, but nothing is ever queued here
  std::atomic<Carrier*> carrier{nullptr};
  std::atomic<WorkerState> state{WorkerState::kRunning};

  // The task to run next, ahead of the queue: the most recently woken, or a parent whose child
  // runs first. The owner's alone (atomic for readers), so that handing over costs no locked
  // instruction; when its task runs long while others idle, the monitor asks by share_next and a
  // signal to move it to the queue, where thieves find it.
  std::atomic<Task*> next{nullptr};
  std::atomic<bool> share_next{false};
  // A creator waits in `next` while its child runs. The last one that did so beside idle workers
  // waited for long: the next is to be stolen.
  bool children_run_long = false;
  uint32_t next_streak = 0;  // consecutive picks from `next`: bounded, so that pairs do not starve
  uint32_t urgent_streak =
      0;  // and from the urgent queue, which the queue is not to wait for for ever

  RunQueue queue;
  TimerHeap timers;  // anyone, it has a lock

  // Counters, written by the holder only, read by the monitor and by reports.
  std::atomic<uint64_t> switches{0};  // tasks picked to run
  // Picks until the next look at the reactor. The owner's; a store of 1 by the monitor, for a look
  // at the next pick, may get lost against the owner's.
  std::atomic<uint32_t> polls_in{0};
  uint32_t looks_skipped = 0;               // at the reactor, for want of room in the queue
  uint32_t delay_sample_in = kDelaySample;  // wake-ups until one is timed
  uint64_t last_wake_ticks = 0;
  uint64_t last_look_ticks = 0;  // at the reactor
  // The last task that it took from those that compute: since when, whether it has not been
  // preempted since, and from when on the others have had as long.
  uint64_t turn_began_ticks = 0;
  bool turn_lasts = false;
  uint64_t next_turn_ticks = 0;
  std::atomic<uint64_t> turn_pick{0};  // `switches` of that pick: still equal while it runs
  // CountReadyCall's notes: which turn, its calls, and when the first few were over.
  uint64_t turn = 0;
  uint32_t ready_calls = 0;
  uint32_t untimed = 0;  // a mask: 0 in a short turn, whose calls are all timed
  uint64_t turn_ticks = 0;
  std::atomic<uint64_t> spawned{0}, steals{0}, preemptions{0}, handoffs{0};
  std::atomic<uint64_t> fds_enlisted{0}, fds_delisted{0};  // their sums' difference waits
  std::atomic<uint64_t> parked_futex{0}, parked_fd{0}, parked_sleep{0};

  // How long woken tasks waited in a queue before they ran: one of every kDelaySample that a worker
  // woke is timed, and noted by the worker that ran it.
  std::atomic<uint64_t> delays[kDelayBuckets] = {};

  BlockedMeter blocked;

  // The monitor's notes.
  uint64_t seen_switches = 0;
  int64_t seen_since = 0;
  int64_t seen_cpu = -1;         // the carrier's CPU time soon after seen_since; -1: not asked yet
  int64_t cpu = -1, cpu_at = 0;  // the same, and the time, at the last look
  bool computed = false;         // all the time between the last two looks
  uint32_t seen_call = 0;
};

// What it runs had its slice before, and has been preempted: it computes.
inline bool RunsTurn(const Worker* w) {
  return w->turn_pick.load(std::memory_order_relaxed) ==
         w->switches.load(std::memory_order_relaxed);
}

// A task waits for this worker, not only for any.
inline bool HasOwnWork(const Worker* w) {
  return w->queue.Size() || w->next.load(std::memory_order_relaxed);
}

// A counter that has one writer: a plain increment, readable by others.
inline void Count(std::atomic<uint64_t>& c) {
  c.store(c.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace green
