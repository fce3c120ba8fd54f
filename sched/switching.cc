#include "sched/switching.h"

#include "arch/x86_64/vector_state.h"
#include "sched/call_sites.h"
#include "sched/monitor.h"
#include "sched/ready.h"
#include "sched/trace.h"

namespace green {

void NoteDelay(Worker* w, Task* t) {
  const int64_t us = (NowNs() - t->queued_ns) / 1000;
  t->queued_ns = 0;
  const int bits = us > 0 ? 64 - __builtin_clzl(static_cast<uint64_t>(us)) : 0;
  Count(w->delays[bits < static_cast<int>(kDelayBuckets) ? bits : kDelayBuckets - 1]);
}

namespace {

// To the next task, or to the scheduler's stack. kWatched: with what Watched() is for.
template <bool kWatched>
inline void JumpTo(Carrier* c, Task* cur, Task* next) {
  int64_t now = 0;
  if (kWatched) {
    now = StopClock(c, cur);
    if (Watched(SchedulerState::kTrace)) NoteLeave(cur, cur->reason);
    if (Watched(SchedulerState::kReport) && cur->reason == WaitReason::kFutex) NoteFutexWait(cur);
  }
  if (next && !next->on_cpu.load(std::memory_order_acquire)) {
    if (kWatched && Watched(SchedulerState::kTrace)) NoteRun(next);
    PrepareRun(c, next, now);
    Land(green_switch(next->context, cur));
  } else {
    c->picked = next;
    Land(green_switch(c->sched_context, cur));
  }
}

__attribute__((noinline)) void JumpToWatched(Carrier* c, Task* cur, Task* next) {
  JumpTo<true>(c, cur, next);
  NoteGoesOn(cur);
}

}  // namespace

// One copy of it: two parked tasks then return to the same place, as the CPU predicts.
void JumpAway(Carrier* c, Task* cur) {
  Worker* w = c->worker;
  Task* next = w ? PickFast(w) : nullptr;
  if (next == cur) return;
  probe::Leave(cur, cur->reason);
  if (__builtin_expect(MonitorRests(), 0)) {
    NoteTime(NowNs());
    // Something waits while something else runs: the monitor has to look after it.
    if (next) WakeMonitor();
  }
  cur->since_ms = CoarseMs();
  ++cur->switches;

  cur->carrier.store(nullptr, std::memory_order_relaxed);
  if (__builtin_expect(Watched(), 0)) return JumpToWatched(c, cur, next);
  JumpTo<false>(c, cur, next);
}

void JumpAwaySavingSse(Task* cur) {
  alignas(16) unsigned char area[kSseAreaSize];
  SaveSse(area);
  JumpAway(CurrentCarrier(), cur);
  RestoreSse(area);
}

void JumpAwaySavingAll(Task* cur) {
  if (!g_xsave_size) return JumpAwaySavingSse(cur);
  auto area = static_cast<unsigned char*>(__builtin_alloca_with_align(g_xsave_size, 64 * 8));
  SaveExtended(area);
  JumpAway(CurrentCarrier(), cur);
  RestoreExtended(area);
}

void RequeueSelf() {
  Carrier* c = CurrentCarrier();
  Task* cur = c->task;
  c->requeue = cur;
  cur->reason = WaitReason::kPreempted;
  SwitchAway(cur);
  cur->reason = WaitReason::kNone;
}

}  // namespace green
