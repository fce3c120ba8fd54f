// The scheduler's shared state; private to sched/*.cc.
#pragma once

#include <atomic>

#include "sched/scheduler.h"

namespace green {

inline constexpr uint32_t kMaxWorkers = 256;

struct SchedulerState {
  SchedulerOptions options;
  std::atomic<uint32_t> worker_count{0};    // that there ever were; the rest of the table is unused
  std::atomic<uint32_t> workers_wanted{0};  // those above retire (worker_count.h)
  SpinLock start_lock;
  std::atomic<bool> workers_started{false};
  uint32_t pid = 0;
  uint64_t wake_interval_ticks = 100'000;  // about 40 us
  uint64_t slice_ticks = 30'000'000;       // about GREEN_SLICE
  Worker workers[kMaxWorkers];
  GlobalQueue global;  // overflow of the workers' queues
  // Those whose slice was over: they compute, and take turns, one at a time, when there is nothing
  // else to run, or half of the time.
  GlobalQueue turns;
  std::atomic<uint64_t> spinners_until_ticks{0};  // some of those only wait for others of them
  // Woken by who has no worker (monitor, carriers back from the kernel): looked at before every
  // pick, so that due timers and finished I/O get ahead of tasks that compute.
  GlobalQueue urgent;

  // Idle protocol (idle.cc).
  SpinLock idle_lock;
  std::atomic<uint32_t> idle_count{0};
  std::atomic<Worker*> poller{nullptr};
  std::atomic<uint32_t> polls{0};  // looks at the reactor: the monitor steps in when they stop

  // The process's own scheduling, as found at start.
  int policy = 0, priority = 0, nice = 0;

  // What makes switches and wake-ups take the long way; one word, so that one test tells.
  static constexpr uint16_t kExactCpuTime = 1;
  static constexpr uint16_t kReport = 2;
  static constexpr uint16_t kTrace = 0x100;  // its byte is written by readers (trace.h)
  std::atomic<uint16_t> watch{0};
  int64_t sampled_ns = 0;  // CPU time that the monitor has put down to tasks

  void (*exit_hook)(Task*) = nullptr;
  void (*attention_hook)() = nullptr;
  void (*deliver_hook)() = nullptr;
  void (*end_hook)() = nullptr;
};

extern SchedulerState g_sched;

inline bool Watched() { return g_sched.watch.load(std::memory_order_relaxed) != 0; }
inline bool Watched(uint16_t what) { return g_sched.watch.load(std::memory_order_relaxed) & what; }

// Carriers for the workers, and the monitor; under 1:1 with the first green task. Inside libgreen.
// False where the kernel has no thread for the monitor, or none for a worker: then no green task
// begins.
bool StartWorkers();
// Fires what is due in a heap, or in any worker's.
void FireTimersOf(TimerHeap& heap, int64_t now);
void FireTimers(int64_t now);
// When the next one is due; kNever if there is none.
int64_t EarliestTimer();
[[noreturn]] void SchedulerLoop(Carrier* c);

}  // namespace green
