#include "sched/pending_signals.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"
#include "sched/identity.h"
#include "sched/signal_actions.h"
#include "sched/signal_nodes.h"

namespace green {
namespace signals {

SpinLock g_process_lock;
SignalNode* g_process_signals = nullptr;
std::atomic<SigSet> g_process_pending{0};

namespace {

// Takes the oldest node of sig off a list; *more tells whether another one of it remains.
SignalNode* Unchain(SignalNode** list, int sig, bool* more) {
  SignalNode* found = nullptr;
  *more = false;
  for (SignalNode** p = list; *p;) {
    if ((*p)->info.Signo() != sig) {
      p = &(*p)->next;
    } else if (!found) {
      found = *p;
      *p = found->next;
    } else {
      *more = true;
      break;
    }
  }
  return found;
}

// A timer has one signal pending at most (timer_getoverrun(2)). True: this is another of its,
// counted.
bool CountOverrun(SignalNode* list, const SigInfo& info) {
  if (info.Code() != SI_TIMER) return false;
  for (SignalNode* n = list; n; n = n->next) {
    if (n->info.Code() != SI_TIMER || n->info.TimerId() != info.TimerId()) continue;
    const int64_t sum = int64_t{n->info.Overrun()} + info.Overrun() + 1;
    n->info.SetOverrun(sum > INT_MAX ? INT_MAX : static_cast<int>(sum));  // DELAYTIMER_MAX
    return true;
  }
  return false;
}

// Faults first, as the kernel does, then the lowest number.
int PickSignal(SigSet set) {
  if (set & kFaults) set &= kFaults;
  return set ? __builtin_ctzll(set) + 1 : 0;
}

}  // namespace

int Append(SignalNode** list, std::atomic<SigSet>& pending, const SigInfo& info) {
  const int sig = info.Signo();
  const SigSet bit = SigBit(sig);
  if (sig < SIGRTMIN && sig < 32 && (pending.load(std::memory_order_relaxed) & bit)) return 0;
  if (CountOverrun(*list, info)) return 0;
  SignalNode* n = NewSignalNode();
  if (!n) return -EAGAIN;
  n->info = info;
  n->next = nullptr;
  while (*list) list = &(*list)->next;
  *list = n;
  pending.fetch_or(bit, std::memory_order_seq_cst);
  return 0;
}

bool Take(SpinLock& lock, SignalNode** list, std::atomic<SigSet>& pending, int sig, SigInfo* out) {
  LockGuard guard(lock);
  bool more;
  SignalNode* n = Unchain(list, sig, &more);
  if (!n) return false;
  if (!more) pending.fetch_and(~SigBit(sig), std::memory_order_seq_cst);
  *out = n->info;
  if (out->Code() == SI_TIMER) NoteOverrun(out->TimerId(), out->Overrun());
  FreeSignalNode(n);
  return true;
}

void DiscardPending(SigSet set) {
  SigInfo ignored;
  while (const SigSet some = g_process_pending.load(std::memory_order_seq_cst) & set)
    Take(g_process_lock, &g_process_signals, g_process_pending, __builtin_ctzll(some) + 1,
         &ignored);
}

}  // namespace signals

using namespace signals;

SigInfo MakeSigInfo(int sig, int code) {
  SigInfo info = {};
  auto words = reinterpret_cast<int*>(info.bytes);
  words[0] = sig;
  words[2] = code;
  words[4] = static_cast<int>(RawSyscall(SYS_getpid));
  words[5] = static_cast<int>(RawSyscall(SYS_getuid));
  return info;
}

int TakeOwnPending(Task* t, SigSet set, SigInfo* info) {
  while (const int sig = PickSignal(t->pending.load(std::memory_order_seq_cst) & set))
    if (Take(t->signal_lock, &t->signals, t->pending, sig, info)) return sig;
  return 0;
}

int TakePending(Task* t, SigSet set, SigInfo* info) {
  for (;;) {
    const SigSet own = t->pending.load(std::memory_order_seq_cst) & set;
    const SigSet shared = g_process_pending.load(std::memory_order_seq_cst) & set;
    if (const int sig = PickSignal(own)) {
      if (Take(t->signal_lock, &t->signals, t->pending, sig, info)) return sig;
    } else if (const int sig = PickSignal(shared)) {
      if (Take(g_process_lock, &g_process_signals, g_process_pending, sig, info)) return sig;
    } else {
      return 0;
    }
  }
}

SigSet PendingOf(Task* t) {
  return t->pending.load(std::memory_order_acquire) |
         g_process_pending.load(std::memory_order_acquire);
}

}  // namespace green
