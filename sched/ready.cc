#include "sched/ready.h"

#include "sched/idle.h"
#include "sched/probes.h"
#include "sched/reactor.h"
#include "sched/trace.h"
#include "sched/turns.h"
#include "sched/worker_count.h"

namespace green {
namespace {

constexpr uint32_t kMaxUrgentStreak = 8;
constexpr uint32_t kMaxLooksSkipped = 4;
constexpr uint32_t kMaxGlobalShare = 64;
// From the global queue in each round while the own queue has tasks: a quarter of the picks, or so
// many that the last of them waits about 0.1 s, but no more. With thousands ready, those in the own
// queue then have some requests served while their data is in the cache, and, as it overflows, wait
// behind all others. One after the other in strict order, a database's queries cost half as much
// again.
constexpr uint64_t kRotationTicks = 300'000'000;
constexpr uint32_t kMinGlobalShare = kPicksPerRound / 4;

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

// The next is one that computes, for a while: a last look for what would have to preempt it.
Task* FindBeforeTurn(Worker* w) {
  if (!g_sched.turns.MaybeAny() || !ReactorHasWaiters()) return nullptr;
  w->last_look_ticks = Ticks();
  PollReactor(0);
  Task* t = w->queue.Pop();
  return t ? t : TakeNext(w);
}

}  // namespace

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

void ShareQueue(Worker* w) {
  w->queue.Share();
  // Between that and the look for idle ones: who goes to sleep counts itself before its last look.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (uint32_t n = w->queue.Size(); n && g_sched.idle_count.load(std::memory_order_relaxed); --n)
    WakeWorker();
}

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

}  // namespace green
