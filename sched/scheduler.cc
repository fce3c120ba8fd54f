#include "sched/scheduler.h"

#include <errno.h>

#include "arch/x86_64/base_registers.h"
#include "sched/blocked_time.h"
#include "sched/carriers.h"
#include "sched/monitor.h"
#include "sched/one_to_one.h"
#include "sched/probes.h"
#include "sched/ready.h"
#include "sched/state.h"
#include "sched/switching.h"
#include "sched/trace.h"
#include "sched/worker_count.h"

namespace green {

SchedulerState g_sched;

extern "C" void green_task_trampoline(Transfer);

namespace {

// More than so many that the monitor found ready are no exception that goes first, but the rule.
constexpr uint32_t kMaxUrgentReady = 16;
// Of a child that runs first: longer than it takes to wake a worker for its creator. 30 us.
constexpr uint64_t kLongChildTicks = 90'000;

__attribute__((noinline)) void SampleDelay(Worker* w, Task* t) {
  w->delay_sample_in = Worker::kDelaySample;
  t->queued_ns = NowNs();
}

void Enqueue(Task* t, bool urgent) {
  Worker* w = CurrentWorker();
  if (__builtin_expect(!w || w->bound, 0)) {
    const bool many = !urgent && g_sched.urgent.Size() >= kMaxUrgentReady;
    (many ? g_sched.global : g_sched.urgent).Push(t);
    WakeWorker();
    return;
  }
  if (__builtin_expect(--w->delay_sample_in == 0, 0)) SampleDelay(w, t);
  if (urgent)
    PushNext(w, t);
  else
    w->queue.Push(t, g_sched.global);
  MaybeWake(w);
}

// t's wait is over now. While it is on its way out of its carrier, since_ms is an earlier wait's.
inline void NoteBlocked(const Task* t) {
  const uint32_t now = CoarseMs();
  const auto ms = static_cast<int32_t>(now - t->since_ms);
  if (__builtin_expect(ms <= 0, 1) || t->on_cpu.load(std::memory_order_acquire)) return;
  MeterBlocked(CurrentWorker(), t, static_cast<uint32_t>(ms), now);
}

// What was parked runs again; from: its state before.
inline void Resume(Task* t, uint32_t from, bool urgent) {
  probe::Wake(t);
  if (__builtin_expect(Watched(), 0) && Watched(SchedulerState::kTrace)) NoteWake(t);
  if (__builtin_expect(from & Task::kInKernel, 0)) return one_to_one::Wake(t);
  NoteBlocked(t);
  Enqueue(t, urgent);
}

// The state before. With kParked the caller cleared that and must resume t.
inline uint32_t ClaimForWake(Task* t) {
  uint32_t s = t->state.load(std::memory_order_relaxed);
  for (;;) {
    if (s & Task::kParked) {
      if (t->state.compare_exchange_weak(s, s & ~Task::kAsleepInKernel, std::memory_order_acq_rel))
        return s;
    } else if (t->state.compare_exchange_weak(s, s | Task::kToken, std::memory_order_acq_rel)) {
      // A read-modify-write even when the token is there: it orders the waker's writes before
      // the parker's next look at its condition.
      return s;
    }
  }
}

// The creator, while its child runs.
inline void PushCreator(Worker* w, Task* t, bool others_idle) {
  if (__builtin_expect(others_idle && w->children_run_long, 0)) {
    if (IsToShare(w)) ShareQueue(w);
    w->queue.Push(t, g_sched.global);
  } else {
    PushNext(w, t);
  }
  MaybeWake(w);
}

}  // namespace

void SchedulerLoop(Carrier* c) {
  for (;;) {
    if (Task* t = c->exiting) {
      c->exiting = nullptr;
      g_sched.exit_hook(t);
      if (c->worker->bound) FreeBoundCarrier(c);
    }
    if (Task* t = c->requeue) {
      c->requeue = nullptr;
      g_sched.urgent.Push(t);
      WakeWorker();
    }
    if (!c->worker) WaitForWorker(c);
    Worker* w = c->worker;
    Task* next = c->picked;
    c->picked = nullptr;
    if (!next) {
      next = FindRunnable(c, w);
      if (!next) {
        RetireWorker(c, w);
        continue;
      }
      Count(w->switches);
    }
    for (SpinWait wait; next->on_cpu.load(std::memory_order_acquire);) wait.Once();
    if (next->bound) one_to_one::Begin(c, next);
    if (__builtin_expect(Watched(), 0) && Watched(SchedulerState::kTrace)) NoteRun(next);
    PrepareRun(c, next, next->bound ? c->run_since : StartClock());
    Land(green_switch(next->context, nullptr));
    c->task = nullptr;
  }
}

void FireTimersOf(TimerHeap& heap, int64_t now) {
  while (TimerNode* n = heap.PopDue(now)) {
    auto t = reinterpret_cast<Task*>(reinterpret_cast<char*>(n) - offsetof(Task, timer));
    Unpark(t);
  }
}

void FireTimers(int64_t now) {
  for (uint32_t i = 0; i < g_sched.worker_count; ++i)
    if (g_sched.workers[i].timers.Earliest() <= now) FireTimersOf(g_sched.workers[i].timers, now);
}

int64_t EarliestTimer() {
  int64_t earliest = kNever;
  for (uint32_t i = 0; i < g_sched.worker_count; ++i) {
    const int64_t e = g_sched.workers[i].timers.Earliest();
    if (e < earliest) earliest = e;
  }
  return earliest;
}

void Park(WaitReason reason) {
  Task* cur = CurrentTask();
  if (__builtin_expect(cur->bound, 0)) return one_to_one::Park(reason, kNever);
  uint32_t s = 0;
  if (!cur->state.compare_exchange_strong(s, Task::kParked, std::memory_order_acq_rel)) {
    cur->state.fetch_and(~Task::kToken, std::memory_order_acq_rel);
    return;
  }
  cur->reason = reason;
  SwitchAway(cur);
  cur->reason = WaitReason::kNone;
}

void ParkUntil(WaitReason reason, int64_t deadline) {
  if (deadline == kNever) return Park(reason);
  Task* cur = CurrentTask();
  if (__builtin_expect(cur->bound, 0)) return one_to_one::Park(reason, deadline);
  CurrentWorker()->timers.Add(&cur->timer, deadline);
  Park(reason);
  TimerHeap::Cancel(&cur->timer);
}

void Unpark(Task* t) {
  if (const uint32_t from = ClaimForWake(t); from & Task::kParked) Resume(t, from, true);
}

void UnparkLater(Task* t) {
  if (const uint32_t from = ClaimForWake(t); from & Task::kParked) Resume(t, from, false);
}

long Spawn(Task* child) {
  Carrier* c = CurrentCarrier();
  Worker* w = c->worker;
  Task* cur = c->task;
  Count(w->spawned);
  if (__builtin_expect(child->bound, 0)) return one_to_one::Spawn(child);
  if (__builtin_expect(!g_sched.workers_started.load(std::memory_order_acquire), 0) &&
      !StartWorkers())
    return -EAGAIN;
  const bool trace = Watched(SchedulerState::kTrace);
  probe::Spawn(child, cur);
  if (__builtin_expect(trace, 0)) NoteSpawn(child, cur);
  if (__builtin_expect(cur->bound, 0)) {
    g_sched.global.Push(child);
    WakeWorker();
    return 0;
  }
  const bool others_idle = g_sched.idle_count.load(std::memory_order_relaxed) != 0;
  const uint64_t began = others_idle ? Ticks() : 0;
  PushCreator(w, cur, others_idle);
  ++cur->switches;
  // Not through SwitchAway: the child is known, it runs now. The creator's vector registers are
  // dead here: clone is called from libc's assembly, where none is live.
  cur->carrier.store(nullptr, std::memory_order_relaxed);
  Count(w->switches);
  if (__builtin_expect(trace, 0)) {
    NoteLeave(cur, WaitReason::kYield);
    NoteRun(child);
  }
  PrepareRun(c, child, StopClock(c, cur));
  Land(green_switch(child->context, cur));
  if (others_idle) {
    Worker* here = CurrentWorker();
    here->children_run_long = here != w || Ticks() - began > kLongChildTicks;
  }
  return 0;
}

void PrepareTask(Task* t, void* stack_top) {
  t->state.store(0, std::memory_order_relaxed);
  t->on_cpu.store(false, std::memory_order_relaxed);
  t->context = MakeContext(stack_top, green_task_trampoline);
}

extern "C" __attribute__((visibility("hidden"), used)) void* green_task_begin(Transfer t) {
  Land(t);
  Task* cur = CurrentTask();
  void* frame = cur->entry_frame;
  LeaveGreen();
  if (__builtin_expect(cur->attention.load(std::memory_order_relaxed) || CarrierAttention(), 0))
    g_sched.deliver_hook();
  return frame;
}

void ExitTask() {
  Carrier* c = CurrentCarrier();
  Task* cur = c->task;
  probe::End(cur);
  if (__builtin_expect(Watched(SchedulerState::kTrace), 0)) NoteEnd(cur);
  c->exiting = cur;
  green_switch(c->sched_context, cur);
  __builtin_unreachable();
}

void SetHooks(const SchedulerHooks& hooks) {
  g_sched.exit_hook = hooks.exit;
  g_sched.attention_hook = hooks.attention;
  g_sched.deliver_hook = hooks.deliver;
  g_sched.end_hook = hooks.end;
}

const SchedulerOptions& Options() { return g_sched.options; }
uint32_t WorkerCount() { return g_sched.worker_count; }
Worker* WorkerAt(uint32_t i) { return &g_sched.workers[i]; }

}  // namespace green
