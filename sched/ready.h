// Where tasks that are ready go, and which runs next; private to sched/*.cc. By a carrier that
// holds the worker, inside libgreen. In the order of its looks (FindRunnable tells the rest):
//   urgent   who was woken by one without a worker, but only some in a row
//   next     who was woken last, or a parent whose child ran first; some in a row, too
//   queue    the worker's own
//   global   what found no room there: a share of it in each round of kPicksPerRound picks
//   others'  half of another worker's queue
//   turns    who computes (turns.h)
#pragma once

#include "sched/monitor.h"
#include "sched/state.h"

namespace green {

// How many picks go by between two looks at the timers, the reactor and the global queue.
inline constexpr uint32_t kPicksPerRound = 61;
inline constexpr uint32_t kMaxNextStreak = 64;

// The queue tells what will run soon: its first stack lines and the Task after it are fetched
// while the program's code of this one runs.
inline void PrefetchSoon(const Worker* w) {
  if (const Task* second = w->queue.Peek(1)) __builtin_prefetch(second, 1);
  if (const Task* first = w->queue.Peek(0)) {
    __builtin_prefetch(&first->queued_ns, 1);
    auto stack = static_cast<const char*>(first->context);
    for (int line = 0; line < 14; ++line) __builtin_prefetch(stack + line * 64, 1);
    // libc's thread structure: stack protector and cancellation state.
    auto tcb = reinterpret_cast<const char*>(first->fs_base);
    __builtin_prefetch(tcb, 1);
    __builtin_prefetch(tcb + 0x300, 1);
  }
}

// True when a look at the timers, the reactor and the global queue is due.
inline bool CountPick(Worker* w) {
  const uint32_t left = w->polls_in.load(std::memory_order_relaxed);
  if (left <= 1) return true;
  w->polls_in.store(left - 1, std::memory_order_relaxed);
  return false;
}

inline Task* TakeNext(Worker* w) {
  Task* t = w->next.load(std::memory_order_relaxed);
  w->next.store(nullptr, std::memory_order_relaxed);
  return t;
}

// From `next` or the queue; null if both are empty.
inline Task* PickOwn(Worker* w) {
  if (w->next.load(std::memory_order_relaxed) && w->next_streak < kMaxNextStreak) {
    ++w->next_streak;
    return TakeNext(w);
  }
  w->next_streak = 0;
  if (Task* t = w->queue.Pop()) {
    PrefetchSoon(w);
    return t;
  }
  return TakeNext(w);
}

// The next task without a system call, or null when the scheduler loop should look further.
inline Task* PickFast(Worker* w) {
  if (CountPick(w)) return nullptr;
  if (__builtin_expect(g_sched.urgent.MaybeAny(), 0)) return nullptr;
  Count(w->switches);
  return PickOwn(w);
}

// Behind all that are ready, those that found no room in the worker's queue too.
inline void PushBehind(Worker* w, Task* t) {
  if (__builtin_expect(g_sched.global.MaybeAny(), 0))
    g_sched.global.Push(t);
  else
    w->queue.Push(t, g_sched.global);
}

inline void PushNext(Worker* w, Task* t) {
  Task* old = w->next.load(std::memory_order_relaxed);
  w->next.store(t, std::memory_order_relaxed);
  if (old) w->queue.Push(old, g_sched.global);
}

// Called with work waiting behind the current task.
inline void MaybeWake(Worker* w) {
  if (__builtin_expect(MonitorRests(), 0)) WakeMonitor();
  if (g_sched.idle_count.load(std::memory_order_relaxed) == 0) return;
  if (w->queue.Size() == 0) return;  // one task beside the current: it will soon have its turn
  const uint64_t now = Ticks();
  if (now - w->last_wake_ticks < g_sched.wake_interval_ticks) return;
  w->last_wake_ticks = now;
  WakeWorker();
}

// Looks everywhere, and waits; null when w is to retire.
Task* FindRunnable(Carrier* c, Worker* w);

// With a queue that has no room for what the look would bring, and for a few rounds only: what
// overflows would wait behind what is found ready after it.
bool LookIsDue(Worker* w);

// There are other workers now, which have looked in vain.
inline bool IsToShare(const Worker* w) {
  return g_sched.worker_count.load(std::memory_order_relaxed) > 1 && !w->queue.IsShared();
}
void ShareQueue(Worker* w);

}  // namespace green
