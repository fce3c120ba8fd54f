#include "sched/scheduler.h"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "arch/x86_64/base_registers.h"
#include "arch/x86_64/vector_state.h"
#include "base/check.h"
#include "base/raw_syscall.h"
#include "sched/affinity.h"
#include "sched/bound_names.h"
#include "sched/call_sites.h"
#include "sched/carriers.h"
#include "sched/credentials.h"
#include "sched/idle.h"
#include "sched/monitor.h"
#include "sched/one_to_one.h"
#include "sched/probes.h"
#include "sched/reactor.h"
#include "sched/state.h"
#include "sched/trace.h"
#include "sched/worker_count.h"

namespace green {

SchedulerState g_sched;

extern "C" void green_task_trampoline(Transfer);

namespace {

// How many picks go by between two looks at the timers, the reactor and the global queue.
constexpr uint32_t kPicksPerRound = 61;
constexpr uint32_t kMaxNextStreak = 64;
constexpr uint32_t kMaxUrgentStreak = 8;
// More than so many that the monitor found ready are no exception that goes first, but the rule.
constexpr uint32_t kMaxUrgentReady = 16;
constexpr uint32_t kMaxLooksSkipped = 4;
constexpr uint32_t kMaxGlobalShare = 64;
// From the global queue in each round while the own queue has tasks: a quarter of the picks, or so
// many that the last of them waits about 0.1 s, but no more. With thousands ready, those in the own
// queue then have some requests served while their data is in the cache, and, as it overflows, wait
// behind all others. One after the other in strict order, a database's queries cost half as much
// again.
constexpr uint64_t kRotationTicks = 300'000'000;
constexpr uint32_t kMinGlobalShare = kPicksPerRound / 4;
// Of a task that finds its input there each time, and between two looks at the reactor: 0.1 ms.
constexpr uint64_t kTurnTicks = 300'000;
constexpr uint32_t kReadyCallsUntimed = 3;  // of four
// Of such a task where some wait, but so few that all they need stays in the cache: a call or two.
constexpr uint64_t kShortTurnTicks = 20'000;
constexpr uint32_t kEnoughQueued = 32;  // not to look at the reactor before its round

// First thing after every switch, on the stack that was switched to.
inline void Land(Transfer t) {
  if (auto prev = static_cast<Task*>(t.data)) {
    prev->context = t.from;
    prev->on_cpu.store(false, std::memory_order_release);
  } else {
    CurrentCarrier()->sched_context = t.from;
  }
}

// Asking the kernel for the thread's CPU time costs several switches, so tasks' CPU time is exact
// only from the first time that the program asks for one's (identity.cc); before, it is sampled.
inline int64_t StartClock() {
  if (__builtin_expect(!Watched(SchedulerState::kExactCpuTime), 1)) return 0;
  return ClockNs(CLOCK_THREAD_CPUTIME_ID);
}

inline int64_t StopClock(Carrier* c, Task* cur) {
  const int64_t now = StartClock();
  if (__builtin_expect(now != 0, 0) && c->run_since) cur->cpu_ns += now - c->run_since;
  return now;
}

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

// The delay of a sampled task, from its wake-up to now.
__attribute__((noinline)) void NoteDelay(Worker* w, Task* t) {
  const int64_t us = (NowNs() - t->queued_ns) / 1000;
  t->queued_ns = 0;
  const int bits = us > 0 ? 64 - __builtin_clzl(static_cast<uint64_t>(us)) : 0;
  Count(w->delays[bits < static_cast<int>(kDelayBuckets) ? bits : kDelayBuckets - 1]);
}

// With thousands of tasks neither the page of the stack nor that of libc's thread structure above
// it is in the TLB any more, and prefetching does not bring it. Loaded here, both are looked up at
// the same time; met one after the other, they took 5% of a busy server's CPU time.
inline void TouchPages(const Task* next) {
  const auto stack = reinterpret_cast<uintptr_t>(next->context);
  constexpr uintptr_t kStackSpan = 1 << 20;
  asm volatile("" : : "r"(*reinterpret_cast<const volatile uint64_t*>(stack)));
  if (next->fs_base - stack < kStackSpan)
    asm volatile("" : : "r"(*reinterpret_cast<const volatile uint64_t*>(next->fs_base)));
}

inline void PrepareRun(Carrier* c, Task* next, int64_t now) {
  TouchPages(next);
  probe::Run(next);
  c->run_since = now;
  // Meant for the one that ran before, which has given way.
  c->kicked.store(kNoKick, std::memory_order_relaxed);
  if (__builtin_expect(next->queued_ns != 0, 0)) NoteDelay(c->worker, next);
  if (__builtin_expect(next->affinity != c->affinity, 0)) ApplyAffinity(c, next);
  next->on_cpu.store(true, std::memory_order_relaxed);
  next->carrier.store(c, std::memory_order_relaxed);
  c->task = next;
  SetFsBase(next->fs_base);
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

// One copy of it: two parked tasks then return to the same place, as the CPU predicts.
__attribute__((noinline)) void JumpAway(Carrier* c, Task* cur) {
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

__attribute__((noinline)) void JumpAwaySavingSse(Task* cur) {
  alignas(16) unsigned char area[kSseAreaSize];
  SaveSse(area);
  JumpAway(CurrentCarrier(), cur);
  RestoreSse(area);
}

__attribute__((noinline)) void JumpAwaySavingAll(Task* cur) {
  if (!g_xsave_size) return JumpAwaySavingSse(cur);
  auto area = static_cast<unsigned char*>(__builtin_alloca_with_align(g_xsave_size, 64 * 8));
  SaveExtended(area);
  JumpAway(CurrentCarrier(), cur);
  RestoreExtended(area);
}

// Gives the carrier up. `cur` is parked, queued or named in c->requeue; it resumes here.
inline void SwitchAway(Task* cur) {
  const uint8_t save = cur->save_vectors;
  if (__builtin_expect(save == 0, 1)) return JumpAway(CurrentCarrier(), cur);
  // What the site's slot told; restored, as the task may have run handlers meanwhile.
  if (save & GREEN_SLOT_NOT_LIBC)
    JumpAwaySavingAll(cur);
  else
    JumpAwaySavingSse(cur);
  cur->save_vectors = save;
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
  constexpr uint32_t kAsleep = Task::kParked | Task::kInKernel;
  uint32_t s = t->state.load(std::memory_order_relaxed);
  for (;;) {
    if (s & Task::kParked) {
      if (t->state.compare_exchange_weak(s, s & ~kAsleep, std::memory_order_acq_rel)) return s;
    } else if (t->state.compare_exchange_weak(s, s | Task::kToken, std::memory_order_acq_rel)) {
      // A read-modify-write even when the token is there: it orders the waker's writes before
      // the parker's next look at its condition.
      return s;
    }
  }
}

// Leaves a carrier that has lost its worker; returns on one that has one.
__attribute__((noinline)) void RequeueSelf() {
  Carrier* c = CurrentCarrier();
  Task* cur = c->task;
  c->requeue = cur;
  cur->reason = WaitReason::kPreempted;
  SwitchAway(cur);
  cur->reason = WaitReason::kNone;
}

Task* FireTimersOf(TimerHeap& heap, int64_t now) {
  Task* first = nullptr;
  while (TimerNode* n = heap.PopDue(now)) {
    auto t = reinterpret_cast<Task*>(reinterpret_cast<char*>(n) - offsetof(Task, timer));
    Unpark(t);
    first = t;
  }
  return first;
}

Task* StealFromOthers(Worker* w) {
  const uint32_t n = g_sched.worker_count;
  for (uint32_t i = 1; i < n; ++i) {
    Worker* victim = &g_sched.workers[(w->id + i) % n];
    if (Task* t = victim->queue.StealInto(w->queue, g_sched.global)) {
      Count(w->steals);
      probe::Steal(t, victim);
      if (Watched(SchedulerState::kTrace)) NoteSteal(t, victim);
      return t;
    }
  }
  return nullptr;
}

// With a queue that has no room for what the look would bring, and for a few rounds only: what
// overflows would wait behind what is found ready after it.
bool LookIsDue(Worker* w) {
  w->last_look_ticks = Ticks();
  if (!ReactorHasWaiters()) return false;
  if (w->queue.Size() <= RunQueue::kCapacity - kReactorBatch ||
      ++w->looks_skipped > kMaxLooksSkipped) {
    w->looks_skipped = 0;
    return true;
  }
  // The rounds go on, so the monitor need not look.
  g_sched.polls.store(g_sched.polls.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return false;
}

// This worker's share of the global queue, up to `most`: the first, and the rest behind its own.
Task* TakeGlobal(Worker* w, uint32_t most) {
  if (!g_sched.global.MaybeAny()) return nullptr;
  const uint32_t room = RunQueue::kCapacity - w->queue.Size();
  uint32_t share = g_sched.global.Size() / g_sched.worker_count + 1;
  if (share > most) share = most;
  if (share > room + 1) share = room + 1;
  Task* rest;
  Task* first = g_sched.global.PopSome(share, &rest);
  while (Task* t = rest) {
    rest = t->queue_next;
    w->queue.Push(t, g_sched.global);
  }
  return first;
}

uint32_t AdmittedNow(const Worker* w) {
  const uint64_t since = Ticks() - w->last_look_ticks;
  const uint64_t n = g_sched.global.Size() * since / kRotationTicks / g_sched.worker_count + 1;
  if (n < kMinGlobalShare) return kMinGlobalShare;
  return n < kMaxGlobalShare ? static_cast<uint32_t>(n) : kMaxGlobalShare;
}

// What computes has half of the time beside tasks that are ready all the time.
bool TurnIsDue(const Worker* w) { return g_sched.turns.MaybeAny() && Ticks() > w->next_turn_ticks; }

// One of those that compute went on to something else soon after its turn had come: what it waited
// for, computing, was another's turn.
void NoteSpinner() {
  g_sched.spinners_until_ticks.store(Ticks() + 2 * g_sched.slice_ticks, std::memory_order_relaxed);
}

// Its end, by preemption: the others' half is as long, if anybody else was there.
void NoteEndOfTurn(Worker* w) {
  const uint64_t now = Ticks();
  uint64_t lasted = 0;
  if (RunsTurn(w)) {
    if (w->turn == w->switches.load(std::memory_order_relaxed)) NoteSpinner();
    lasted = now - w->turn_began_ticks;
    if (lasted > g_sched.slice_ticks) lasted = g_sched.slice_ticks;
    w->turn_lasts = false;
  }
  w->next_turn_ticks = now + lasted;
}

Task* TakeTurn(Worker* w) {
  if (!g_sched.turns.MaybeAny()) return nullptr;
  const uint64_t now = Ticks();
  if (w->turn_lasts && now - w->turn_began_ticks < g_sched.slice_ticks / 2) NoteSpinner();
  w->turn_lasts = false;
  Task* t = g_sched.turns.Pop();
  if (!t) return nullptr;
  w->turn_lasts = true;
  w->turn_began_ticks = w->next_turn_ticks = now;
  w->turn_pick.store(w->switches.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return t;
}

// The next is one that computes, for a while: a last look for what would have to preempt it.
Task* FindBeforeTurn(Worker* w) {
  if (!g_sched.turns.MaybeAny() || !ReactorHasWaiters()) return nullptr;
  w->last_look_ticks = Ticks();
  PollReactor(0);
  Task* t = w->queue.Pop();
  return t ? t : TakeNext(w);
}

// There are other workers now, which have looked in vain.
bool IsToShare(const Worker* w) {
  return g_sched.worker_count.load(std::memory_order_relaxed) > 1 && !w->queue.IsShared();
}
__attribute__((noinline)) void ShareQueue(Worker* w) {
  w->queue.Share();
  // Between that and the look for idle ones: who goes to sleep counts itself before its last look.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (uint32_t n = w->queue.Size(); n && g_sched.idle_count.load(std::memory_order_relaxed); --n)
    WakeWorker();
}

// Null when w is to retire.
Task* FindRunnable(Carrier* c, Worker* w) {
  for (;;) {
    if (__builtin_expect(IsSurplus(w), 0)) return nullptr;
    if (__builtin_expect(IsToShare(w), 0)) ShareQueue(w);
    if (c->attention.load(std::memory_order_relaxed)) g_sched.attention_hook();
    if (w->timers.Earliest() != kNever) FireTimersOf(w->timers, NowNs());
    if (w->urgent_streak < kMaxUrgentStreak || !HasOwnWork(w)) {
      if (Task* t = g_sched.urgent.Pop()) {
        ++w->urgent_streak;
        return t;
      }
    }
    w->urgent_streak = 0;
    // Also when the urgent ones alone have brought the worker here: they must not put it off.
    if (CountPick(w)) {
      w->polls_in.store(kPicksPerRound, std::memory_order_relaxed);
      // Before the look: they have waited longer than what it finds.
      Task* first = TakeGlobal(w, AdmittedNow(w));
      if (LookIsDue(w)) PollReactor(0);
      if (Task* t = TurnIsDue(w) ? TakeTurn(w) : nullptr) {
        if (first) PushNext(w, first);
        return t;
      }
      if (first) return first;
    }
    if (Task* t = PickOwn(w)) return t;
    if (Task* t = TakeGlobal(w, kMaxGlobalShare)) return t;
    if (Task* t = StealFromOthers(w)) return t;
    if (Task* t = FindBeforeTurn(w)) return t;
    if (Task* t = TakeTurn(w)) return t;
    IdleWorker(c, w);
  }
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

bool LetOthersRun() {
  Carrier* c = CurrentCarrier();
  Worker* w = c->worker;
  Task* cur = c->task;
  if (__builtin_expect(cur->bound, 0)) return false;
  const uint64_t switches = w->switches.load(std::memory_order_relaxed);
  PushBehind(w, cur);
  cur->reason = WaitReason::kYield;
  SwitchAway(cur);
  cur->reason = WaitReason::kNone;
  const bool at_once =
      CurrentWorker() == w && w->switches.load(std::memory_order_relaxed) - switches <= 1;
  return !at_once;
}

// Who is waited for may run on a worker that waits for this CPU.
void Yield() {
  if (!LetOthersRun()) RawSyscall(SYS_sched_yield);
}

void LookSoon() {
  Worker* w = CurrentWorker();
  if (w->queue.Size() < kEnoughQueued && Ticks() - w->last_look_ticks > kTurnTicks)
    w->polls_in.store(1, std::memory_order_relaxed);
}

void AskToGiveWay() { CurrentCarrier()->kicked.store(kWokeWaiter, std::memory_order_relaxed); }

namespace {
// A task that used up two turns without a wait between them computes. Such tasks go round among all
// workers: else those of a worker that happens to have many would get less than those of one that
// has few. And behind all others: those do not compute. One turn may be a busy moment, with a lock
// held that the others will soon wait for: it goes behind those that are ready now, not those to
// come.
void GoRound(Task* cur) {
  probe::Preempt(cur);
  Worker* w = CurrentWorker();
  if (__builtin_expect(IsSurplus(w) || IsToShare(w), 0))  // the scheduler's loop is to look
    w->polls_in.store(1, std::memory_order_relaxed);
  NoteEndOfTurn(w);
  const bool computes = cur->switches == cur->preempted_at;
  cur->preempted_at = cur->switches + 1;
  cur->reason = WaitReason::kPreempted;
  if (computes)
    g_sched.turns.Push(cur);
  else
    PushBehind(w, cur);
  if (g_sched.idle_count.load(std::memory_order_seq_cst)) WakeWorker();
  SwitchAway(cur);
  cur->reason = WaitReason::kNone;
}

// The one that was just woken goes first.
void GiveWay(Worker* w, Task* cur) {
  cur->reason = WaitReason::kYield;
  w->queue.Push(cur, g_sched.global);
  MaybeWake(w);
  SwitchAway(cur);
  cur->reason = WaitReason::kNone;
}
}  // namespace

namespace {
__attribute__((noinline)) void EndTurn(Carrier* c, Worker* w) {
  if (!HasOwnWork(w)) {
    const bool others_look = g_sched.idle_count.load(std::memory_order_relaxed) != 0;
    if (!others_look && LookIsDue(w)) PollReactor(0);
    if (!w->queue.Size() && !g_sched.urgent.MaybeAny() && !g_sched.global.MaybeAny()) return;
  }
  LookSoon();
  GiveWay(w, c->task);
}
}  // namespace

bool LetFewRun() {
  constexpr uint32_t kFew = 4;
  Carrier* c = CurrentCarrier();
  Worker* w = c->worker;
  if (!w || w->bound || g_sched.idle_count.load(std::memory_order_relaxed)) return false;
  if (!HasOwnWork(w) || w->queue.Size() >= kFew) return false;
  const uint64_t began = Ticks();
  GiveWay(w, c->task);
  return Ticks() - began < kShortTurnTicks;
}

void CountReadyCall() {
  Carrier* c = CurrentCarrier();
  Worker* w = c->worker;
  if (!w || w->bound) return;
  const uint64_t turn = w->switches.load(std::memory_order_relaxed);
  if (w->turn != turn) {
    w->turn = turn;
    w->ready_calls = 0;
    w->untimed = w->queue.Size() - 1 < kEnoughQueued - 1 ? 0 : kReadyCallsUntimed;
  }
  if (++w->ready_calls & w->untimed) return;
  const uint64_t now = Ticks();
  if (w->ready_calls == w->untimed + 1)
    w->turn_ticks = now;
  else if (now - w->turn_ticks > (w->untimed ? kTurnTicks : kShortTurnTicks))
    EndTurn(c, w);
}

void Preempt() {
  Carrier* c = CurrentCarrier();
  Task* cur = c->task;
  if (cur->bound) return;  // the kick was for the worker that was here
  const uint8_t save = cur->save_vectors;
  cur->save_vectors = 0;  // the kernel's signal frame holds every register there is
  // Again if, on the way back here, a kick found it inside libgreen: a task that computes makes no
  // call at whose end it would be obeyed, and something urgent waits.
  do {
    Count(CurrentWorker()->preemptions);
    GoRound(cur);
  } while (CurrentCarrier()->kicked.load(std::memory_order_relaxed) != kNoKick &&
           g_sched.urgent.MaybeAny());
  cur->save_vectors = save;
}

bool ShareIfAsked() {
  Worker* w = CurrentWorker();
  if (!w->share_next.load(std::memory_order_relaxed)) return false;
  w->share_next.store(false, std::memory_order_relaxed);
  if (Task* t = TakeNext(w)) w->queue.Push(t, g_sched.global);
  if (IsToShare(w)) ShareQueue(w);
  WakeWorker();
  return true;
}

void ObeyKick() {
  Carrier* c = CurrentCarrier();
  const uint8_t kick = c->kicked.load(std::memory_order_relaxed);
  if (kick == kNoKick) return;
  c->kicked.store(kNoKick, std::memory_order_relaxed);
  if (c->task->bound) return;
  if (kick == kWokeWaiter) return GiveWay(c->worker, c->task);
  if (!ShareIfAsked()) GoRound(c->task);
}

long Spawn(Task* child) {
  Carrier* c = CurrentCarrier();
  Worker* w = c->worker;
  Task* cur = c->task;
  Count(w->spawned);
  if (__builtin_expect(child->bound, 0)) return one_to_one::Spawn(child);
  const bool trace = Watched(SchedulerState::kTrace);
  probe::Spawn(child, cur);
  if (__builtin_expect(trace, 0)) NoteSpawn(child, cur);
  if (__builtin_expect(cur->bound, 0)) {
    StartWorkers();
    g_sched.global.Push(child);
    WakeWorker();
    return 0;
  }
  PushNext(w, cur);
  MaybeWake(w);
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
  return 0;
}

void LeaveFirstThread() {
  if (CurrentTask()->bound) return;
  constexpr int kMostTries = 3;
  for (int i = 0; i < kMostTries && CurrentCarrier()->tid == g_sched.pid; ++i) {
    EnterBlocking(true);
    LeaveBlocking();
  }
}

bool BindForGood() {
  Task* cur = CurrentTask();
  if (cur->own_thread) return true;
  // What the kernel keeps for that thread is to be the main task's.
  if (cur->tid != g_sched.pid) LeaveFirstThread();
  BeginCredentials();  // what all are to have this one has, too
  const bool bound = cur->bound || one_to_one::Bind();
  if (bound) {
    cur->own_thread = true;
    CurrentCarrier()->own_thread.store(true, std::memory_order_release);
    CurrentCarrier()->rescheduled = true;  // not as the others any more
  }
  EndCredentials();
  return bound;
}

void EndThreadToo() { CurrentCarrier()->ends_with_task = true; }

void NoteParent() {
  if (CurrentTask()->bound)
    EndThreadToo();
  else
    CurrentCarrier()->has_children = true;
}

bool ShouldBind(const Task* t) {
  if (t->own_thread) return true;
  switch (t->scope) {
    case Scope::kProcess: return false;
    case Scope::kSystem: return true;
    case Scope::kDefault: break;
  }
  return g_sched.options.one_to_one || IsRealTime(t->policy) || IsBoundName(t->name);
}

void RequestBinding(Task* t) {
  if (t->bound || t->scope == Scope::kProcess) return;
  t->wants_binding.store(true, std::memory_order_release);
  if (t == CurrentTask()) return ObeyBinding();
  // As for a signal: it comes to the end of its call.
  t->attention.store(true, std::memory_order_seq_cst);
  Unpark(t);
}

void ObeyBinding() {
  Task* cur = CurrentTask();
  if (__builtin_expect(!cur->wants_binding.load(std::memory_order_relaxed), 1)) return;
  cur->wants_binding.store(false, std::memory_order_relaxed);
  if (one_to_one::Bind() && IsRealTime(cur->policy)) one_to_one::ApplyPolicy(cur);
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

// The call between EnterBlocking and LeaveBlocking is over.
inline void NoteCallTook(Carrier* c) {
  const uint32_t now = CoarseMs();
  const auto ms = static_cast<int32_t>(now - c->task->since_ms);
  if (__builtin_expect(ms > 0, 0)) MeterBlocked(c->worker, c->task, static_cast<uint32_t>(ms), now);
}

void EnterGreenSlow() {
  Carrier* c = CurrentCarrier();
  c->retake_lock.Lock();
  c->retake.store(0, std::memory_order_relaxed);
  const bool blocked = c->in_syscall.load(std::memory_order_relaxed);
  c->in_syscall.store(0, std::memory_order_relaxed);  // the task may not come back to this carrier
  const bool lost = c->worker == nullptr;
  c->retake_lock.Unlock();
  if (blocked) NoteCallTook(c);
  if (!lost) return;
  // What was noted for this very task goes with it: on this carrier it would be anybody's.
  if (c->attention.load(std::memory_order_relaxed)) g_sched.attention_hook();
  // The program's vector registers are live here whatever the site's slot says.
  Task* cur = c->task;
  const uint8_t save = cur->save_vectors;
  cur->save_vectors = GREEN_SLOT_NOT_LIBC;
  RequeueSelf();
  cur->save_vectors = save;
}

void EnterBlocking(bool hand_off) {
  Carrier* c = CurrentCarrier();
  if (__builtin_expect(c->task->bound, 0)) return LeaveGreen();
  c->call_number.store(c->call_number.load(std::memory_order_relaxed) + 1,
                       std::memory_order_relaxed);
  c->in_syscall.store(1, std::memory_order_relaxed);
  c->task->since_ms = CoarseMs();
  if (hand_off) {
    Worker* w = c->worker;
    const bool trace = Watched(SchedulerState::kTrace);
    probe::Handoff(c->task);
    if (Watched(SchedulerState::kReport)) NoteHandedOff(c->task);
    if (__builtin_expect(trace, 0)) NoteHandoff(c->task);
    c->worker = nullptr;
    // Whoever enters libgreen on this carrier next, a signal handler too, must first get one.
    c->retake.store(1, std::memory_order_relaxed);
    if (GiveWorker(w)) {
      Count(w->handoffs);
      return LeaveGreen();
    }
    c->worker = w;  // no carrier to be had: the call is tried in turns with others (monitor.h)
    if (__builtin_expect(trace, 0)) NoteRun(c->task);
  }
  if (__builtin_expect(MonitorSleeps(), 0)) WakeMonitor();
  LeaveGreen();
}

void LeaveBlocking() {
  // Inside first: until then a handler may take the task to another carrier.
  EnterGreen();
  Carrier* c = CurrentCarrier();
  if (c->in_syscall.load(std::memory_order_relaxed)) {  // not so if EnterGreenSlow was called
    c->in_syscall.store(0, std::memory_order_relaxed);
    NoteCallTook(c);
  }
  if (__builtin_expect(Watched(SchedulerState::kReport), 0)) NoteGoesOn(CurrentTask());
}

bool CallLasted() { return CurrentTask()->since_ms != CoarseMs(); }

const SchedulerOptions& Options() { return g_sched.options; }
uint32_t WorkerCount() { return g_sched.worker_count; }
Worker* WorkerAt(uint32_t i) { return &g_sched.workers[i]; }

}  // namespace green
