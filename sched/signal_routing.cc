#include "sched/signal_routing.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <sys/syscall.h>

#include "sched/carriers.h"
#include "sched/credentials.h"
#include "sched/file_owners.h"
#include "sched/held_signals.h"
#include "sched/identity.h"
#include "sched/pending_signals.h"
#include "sched/signal_actions.h"
#include "sched/signal_nodes.h"
#include "sched/state.h"

namespace green {
namespace signals {

std::atomic<SigSet> g_sent_to_task{0};
std::atomic<uint32_t> g_in_flight{0};
std::atomic<uint32_t> g_first_asked{0};

namespace {

std::atomic<uint32_t> g_first_answered{0};

bool HasAnswered(uint32_t asked) {
  return static_cast<int32_t>(g_first_answered.load(std::memory_order_seq_cst) - asked) >= 0;
}

// For threads that the kernel lets run late, and for one that is suspended in vfork.
constexpr int64_t kMostPatienceNs = 1'000'000'000;

bool Accepts(Task* t, SigSet bit) {
  return t->alive && (!(__atomic_load_n(&t->mask, __ATOMIC_SEQ_CST) & bit) ||
                      (t->waiting_for.load(std::memory_order_seq_cst) & bit));
}

void Notify(Task* t) {
  t->attention.store(true, std::memory_order_seq_cst);
  if (t == CurrentTask()) return;
  Unpark(t);
  RawSyscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  if (Carrier* c = t->carrier.load(std::memory_order_acquire)) KickCarrier(c);
}

struct RouteSearch {
  SigSet bit;
  Task* found;
};

Task* FindReceiver(SigSet bit) {
  Task* main = FindTask(g_sched.pid);
  if (main && Accepts(main, bit)) return main;
  Task* cur = CurrentTask();
  if (cur && Accepts(cur, bit)) return cur;
  RouteSearch search{bit, nullptr};
  ForEachTask(
      [](Task* t, void* arg) {
        auto s = static_cast<RouteSearch*>(arg);
        if (!Accepts(t, s->bit)) return true;
        s->found = t;
        return false;
      },
      &search);
  return search.found;
}

// The carrier of the process's first thread, unless it is the current one.
Carrier* FirstIfOther() {
  return CurrentCarrier()->tid == g_sched.pid ? nullptr : FindCarrier(g_sched.pid);
}

// It takes its mask over in the handler.
void KickFirst() {
  if (Carrier* c = FirstIfOther()) KickCarrier(c);
}

bool TakeFromKernel(SigSet set) {
  set &= ~(kFaults | kNeverBlocked | SigBit(kKickSignal));
  const KernelTimespec zero = {0, 0};
  SigInfo info;
  if (!set || RawSyscall(SYS_rt_sigtimedwait, &set, &info, &zero, sizeof set) <= 0) return false;
  Route(info, CurrentTask(), CurrentCarrier()->tid == g_sched.pid);
  return true;
}

__attribute__((noinline)) void ReleaseHeld(SigSet set) {
  while (TakeFromKernel(set & HeldSignals())) {
  }
  ClearHeld(set);
  UseCarrierMaskInKernel();
  KickFirst();
}

SigSet AcceptedByNone(SigSet set) {
  ForEachTask(
      [](Task* t, void* arg) {
        auto set = static_cast<SigSet*>(arg);
        if (t->alive)
          *set &= __atomic_load_n(&t->mask, __ATOMIC_SEQ_CST) &
                  ~t->waiting_for.load(std::memory_order_seq_cst);
        return *set != 0;
      },
      &set);
  return set;
}

// Nobody accepts this one: back to the kernel with it. Not a real-time one, which would come behind
// others; it waits in the process's set, and those behind it in the kernel. False: somebody does
// now, or it is to stay.
bool GiveBack(int sig, const SigInfo& info) {
  const SigSet bit = SigBit(sig);
  SetHeld(bit);
  UseCarrierMaskInKernel();
  if (!(HeldSignals() & bit)) return false;
  if (FindReceiver(bit)) {
    ClearHeld(bit);
    UseCarrierMaskInKernel();
    return false;
  }
  if (sig > kKickSignal) return false;
  if (!IsError(RawSyscall(SYS_rt_sigqueueinfo, g_sched.pid, sig, &info))) return true;
  // By a carrier that may not say so: what a task sends to its own process.
  return info.Code() == SI_USER && info.Sender() == g_sched.pid &&
         RawSyscall(SYS_kill, g_sched.pid, sig) == 0;
}

}  // namespace

bool IsForThread(const SigInfo& info) {
  return info.Signo() == SIGPIPE || info.Signo() == SIGXFSZ || info.Code() == SI_TKILL;
}

void Route(const SigInfo& given, Task* current, bool first) {
  SigInfo info = given;
  const int sig = info.Signo();
  // What the kernel sends to a thread for what that thread did: the current task's. What another
  // process sends to a thread: the first one's number is the main task's too.
  const bool directed = info.Code() == SI_TKILL;
  Task* t = IsForThread(info) ? current : nullptr;
  if (info.Code() == SI_TIMER) t = FindTask(TimerTask(info.TimerId()));
  if (!t) t = OwnerOfSignal(&info);
  if (directed && first)
    if (Task* main = FindTask(g_sched.pid)) t = main;
  if (t)
    SendToTask(t, sig, info);
  else
    SendToProcess(sig, info);
}

void TellFirstAnswered(uint32_t asked) {
  // A handler may come between the two.
  uint32_t last = g_first_answered.load(std::memory_order_seq_cst);
  while (static_cast<int32_t>(asked - last) > 0 &&
         !g_first_answered.compare_exchange_weak(last, asked, std::memory_order_seq_cst)) {
  }
}

void PutInRing(Carrier* c, const void* info) {
  const uint32_t n = c->noted_count.load(std::memory_order_relaxed);
  if (n < kMaxNoted) {
    const auto from = static_cast<const uint64_t*>(info);
    auto to = reinterpret_cast<uint64_t*>(c->noted[n].info);
    for (int i = 0; i < 16; ++i) to[i] = from[i];
    c->noted_count.store(n + 1, std::memory_order_relaxed);
    g_in_flight.fetch_add(1, std::memory_order_seq_cst);
  }
  // Full: the kernel keeps the others until RouteNoted has made room.
  c->attention.store(1, std::memory_order_seq_cst);
}

}  // namespace signals

using namespace signals;

int SendToTask(Task* t, int sig, const SigInfo& info, uint32_t tid) {
  const SigSet bit = SigBit(sig);
  {
    LockGuard guard(t->signal_lock);
    if (!t->alive || (tid && t->tid != tid)) return -ESRCH;
    if (!(t->mask & bit) && !(t->waiting_for.load(std::memory_order_relaxed) & bit) &&
        IgnoredNow(sig))
      return 0;
    if (int r = Append(&t->signals, t->pending, info)) return r;
    if (!(g_sent_to_task.load(std::memory_order_relaxed) & bit))
      g_sent_to_task.fetch_or(bit, std::memory_order_relaxed);
  }
  // One that it blocks may be what it reads a signalfd for: let it look.
  if (Accepts(t, bit) || t->bound || t->reason == WaitReason::kFd) Notify(t);
  return 0;
}

int SendToProcess(int sig, const SigInfo& info) {
  const SigSet bit = SigBit(sig);
  // Stopping and going on undo each other (POSIX.1-2017 2.4.3).
  if (sig == SIGCONT) DiscardPending(kStops);
  if (kStops & bit) DiscardPending(SigBit(SIGCONT));
  Task* receiver = FindReceiver(bit);
  if (receiver && !(receiver->mask & bit) &&
      !(receiver->waiting_for.load(std::memory_order_relaxed) & bit)) {
    if (IgnoredNow(sig)) return 0;
    // At once, not when the receiver runs: a SIGCONT on its way would come too early.
    if ((kStops & bit) && !IsHandler(ActionOf(sig))) {
      DefaultAction(sig);
      return 0;
    }
  }
  if (!receiver && GiveBack(sig, info)) return 0;
  {
    // Pending for the process, not the task: whoever accepts it first has it.
    LockGuard guard(g_process_lock);
    if (int r = Append(&g_process_signals, g_process_pending, info)) return r;
  }
  // A task may have unblocked it since the search, or the receiver have blocked it (PassOn): it
  // would have seen the pending bit, or we its mask.
  if (!receiver || !Accepts(receiver, bit)) receiver = FindReceiver(bit);
  if (receiver) Notify(receiver);
  return 0;
}

void PassOn(SigSet set) {
  set &= g_process_pending.load(std::memory_order_seq_cst);
  for (; __builtin_expect(set != 0, 0); set &= set - 1)
    if (Task* t = FindReceiver(set & -set)) Notify(t);
}

void EndSignalsOf(Task* t) {
  SignalNode* list;
  // Who sends to it looks under the lock: nobody appends to what the next task would inherit. Who
  // sends to the process does not: taking the lock is the fence between this and PassOn.
  t->alive = false;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  {
    LockGuard guard(t->signal_lock);
    list = t->signals;
    t->signals = nullptr;
    t->pending.store(0, std::memory_order_relaxed);
  }
  while (SignalNode* n = list) {
    list = n->next;
    FreeSignalNode(n);
  }
  PassOn(~SigSet{0});
}

void SetTaskMask(Task* t, SigSet mask) {
  const SigSet old = t->mask;
  NoteBlocked(mask);
  // seq_cst against Accepts: the sender sees the mask or we its pending bit.
  __atomic_store_n(&t->mask, mask & ~kNeverBlocked, __ATOMIC_SEQ_CST);
  AcceptHeld(old & ~t->mask);
  PassOn(t->mask & ~old);
  if (__builtin_expect((PendingOf(t) & ~t->mask) != 0, 0))
    t->attention.store(true, std::memory_order_seq_cst);
}

void HoldUnacceptedSlow(SigSet set) {
  set = AcceptedByNone(set & ~HeldSignals());
  if (!set) return;
  SetHeld(set);
  ClearHeld(set & ~AcceptedByNone(set));
  UseCarrierMaskInKernel();
  KickFirst();
}

void AcceptHeld(SigSet set) {
  set &= HeldSignals();
  if (__builtin_expect(set != 0, 0)) ReleaseHeld(set);
}

SigSet PendingInKernel() {
  SigSet set = 0;
  if (const SigSet held = HeldSignals()) {
    RawSyscall(SYS_rt_sigpending, &set, sizeof set);
    set &= held;
  }
  return set;
}

void RouteNoted() {
  Carrier* c = CurrentCarrier();
  NotedSignal noted[kMaxNoted];
  // Cleared before the look: what comes after it sets the flag again.
  c->attention.store(0, std::memory_order_seq_cst);
  if (c->noted_count.load(std::memory_order_seq_cst) == 0) return;
  // Signals that come while we copy append behind; block them for the few instructions.
  const SigSet all = ~SigSet{0};
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
  const uint32_t n = c->noted_count.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < n; ++i) noted[i] = c->noted[i];
  c->noted_count.store(0, std::memory_order_relaxed);
  c->attention.store(0, std::memory_order_relaxed);
  UseCarrierMaskInKernel();
  for (uint32_t i = 0; i < n; ++i) {
    SigInfo info;
    for (int k = 0; k < 128; ++k) info.bytes[k] = noted[i].info[k];
    Route(info, c->task, c->tid == g_sched.pid);
  }
  g_in_flight.fetch_sub(n, std::memory_order_seq_cst);
}

void FetchSignals(SigSet set) {
  // One that nobody accepts goes back, and is then held.
  while (TakeFromKernel(set & ~HeldSignals())) {
  }
  // Those that a carrier has got but not routed. Bounded, though nobody with any waits for us.
  const int64_t end = NowNs() + kMostPatienceNs;
  for (;;) {
    if (CarrierAttention()) RouteNoted();
    if (!g_in_flight.load(std::memory_order_seq_cst) || NowNs() > end) return;
    RawSyscall(SYS_sched_yield);
  }
}

namespace {
// The kernel may have chosen the handler on the first thread, which has not come to its first
// instruction: a kick is handled after that.
void AwaitFirst() {
  Carrier* first = FirstIfOther();
  if (!first) return;
  const uint32_t number = g_first_asked.fetch_add(1, std::memory_order_seq_cst) + 1;
  // Not while it tries to exec; then it answers when that has failed.
  bool asked = AskForAnswer(first);
  const int64_t end = NowNs() + kMostPatienceNs;
  while (!HasAnswered(number) && NowNs() < end) {
    // It may wait for these, to exec.
    if (CarrierAttention()) RouteNoted();
    RawSyscall(SYS_sched_yield);
    if (!asked) asked = AskForAnswer(first);
  }
}

// Tasks that try to exec, maybe at once, and what was held before the first of them.
SpinLock g_exec_lock;
int g_execs = 0;
SigSet g_held_before;
}  // namespace

void FetchAllSignals(SigSet set) {
  while (TakeFromKernel(set & ~HeldSignals())) {
  }
  AwaitFirst();
  FetchSignals(set);
}

void HoldAllSignals() {
  {
    LockGuard guard(g_exec_lock);
    if (g_execs++ == 0) g_held_before = HeldSignals();
    SetHeld(~SigSet{0});
  }
  AwaitFirst();  // which takes the mask over
  FetchSignals(0);
}

void EndHoldingAll() {
  {
    LockGuard guard(g_exec_lock);
    if (--g_execs == 0) ClearHeld(~g_held_before);
  }
  const uint32_t asked = g_first_asked.load(std::memory_order_seq_cst);
  UseCarrierMaskInKernel();
  if (CurrentCarrier()->tid == g_sched.pid)
    TellFirstAnswered(asked);
  else
    KickFirst();
}

void ResetHoldsAfterFork() {
  g_exec_lock.Reset();
  g_execs = 0;
}

}  // namespace green
