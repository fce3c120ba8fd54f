#include "sched/turns.h"

#include <sys/syscall.h>

#include "base/raw_syscall.h"
#include "sched/one_to_one.h"
#include "sched/probes.h"
#include "sched/reactor.h"
#include "sched/ready.h"
#include "sched/switching.h"
#include "sched/worker_count.h"

namespace green {
namespace {

// Of a task that finds its input there each time, and between two looks at the reactor: 0.1 ms.
constexpr uint64_t kTurnTicks = 300'000;
constexpr uint32_t kReadyCallsUntimed = 3;  // of four
// Of such a task where some wait, but so few that all they need stays in the cache: a call or two.
constexpr uint64_t kShortTurnTicks = 20'000;
constexpr uint32_t kEnoughQueued = 32;  // not to look at the reactor before its round

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

}  // namespace

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

}  // namespace green
