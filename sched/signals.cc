#include "sched/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"
#include "sched/altstack.h"
#include "sched/carriers.h"
#include "sched/held_signals.h"
#include "sched/pending_signals.h"
#include "sched/signal_actions.h"
#include "sched/signal_nodes.h"
#include "sched/signal_routing.h"
#include "sched/state.h"

namespace green {

using namespace signals;

namespace {
// Drops what is pending anywhere, blocked or not, for an action that ignores it.
void DiscardEverywhere(int sig) {
  SigSet bit = SigBit(sig);
  DiscardPending(bit);
  if (!(g_sent_to_task.load(std::memory_order_relaxed) & bit)) return;
  ForEachTask(
      [](Task* t, void* arg) {
        SigInfo dropped;
        while (TakeOwnPending(t, *static_cast<SigSet*>(arg), &dropped)) {
        }
        return true;
      },
      &bit);
}

// What was sent to the first thread itself is the main task's; the process's goes back.
void AdoptPending(Task* main_task, SigSet blocked) {
  constexpr int kMost = 64;
  SigInfo others[kMost];
  int n = 0;
  SigInfo info;
  const KernelTimespec zero = {0, 0};
  while (n < kMost && RawSyscall(SYS_rt_sigtimedwait, &blocked, &info, &zero, sizeof blocked) > 0) {
    if (info.Code() == SI_TKILL)
      Append(&main_task->signals, main_task->pending, info);
    else
      others[n++] = info;
  }
  for (int i = 0; i < n; ++i)
    RawSyscall(SYS_rt_sigqueueinfo, g_sched.pid, others[i].Signo(), &others[i]);
}
}  // namespace

long SetAction(int sig, const KernelSigaction* action, KernelSigaction* old) {
  if (sig < 1 || sig > 64) return -EINVAL;
  if (action && (kNeverBlocked & SigBit(sig))) return -EINVAL;
  {
    LockGuard guard(g_action_lock);
    if (old) *old = g_actions[sig];
    if (!action) return 0;
    SetActionLocked(sig, *action);
  }
  if (Ignores(sig, *action)) DiscardEverywhere(sig);
  return 0;
}

int StartSignals(Task* main_task) {
  SigSet mask = 0;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, nullptr, &mask, sizeof mask);
  main_task->mask = mask;
  stack_t altstack = {};
  RawSyscall(SYS_sigaltstack, nullptr, &altstack);
  main_task->altstack_base = altstack.ss_sp;
  main_task->altstack_size = altstack.ss_size;
  main_task->altstack_flags = altstack.ss_flags & ~SS_ONSTACK;
  NoteMainStack(main_task);
  SetHeld(mask);
  NoteBlocked(mask | AdoptActions());
  AdoptPending(main_task, mask);
  return InstallKick();
}

void RestoreKernelSignals(Task* survivor) {
  g_process_lock.Reset();
  g_process_signals = nullptr;
  g_process_pending.store(0, std::memory_order_relaxed);
  g_in_flight.store(0, std::memory_order_relaxed);
  ClearHeld(~SigSet{0});
  ResetSignalNodesAfterFork();
  ResetHoldsAfterFork();
  RestoreActions();
  stack_t alt = {};
  alt.ss_sp = survivor->altstack_base;
  alt.ss_size = survivor->altstack_size;
  alt.ss_flags = survivor->altstack_flags;
  RawSyscall(SYS_sigaltstack, &alt, nullptr);
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &survivor->mask, nullptr, sizeof(SigSet));
}

void ReturnPendingToKernel(Task* t) {
  const SigSet all = ~SigSet{0};
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
  SigInfo info;
  while (const SigSet some = t->pending.load(std::memory_order_seq_cst))
    if (Take(t->signal_lock, &t->signals, t->pending, __builtin_ctzll(some) + 1, &info))
      RawSyscall(SYS_rt_tgsigqueueinfo, g_sched.pid, CurrentCarrier()->tid, info.Signo(), &info);
  while (const SigSet some = g_process_pending.load(std::memory_order_seq_cst))
    if (Take(g_process_lock, &g_process_signals, g_process_pending, __builtin_ctzll(some) + 1,
             &info))
      RawSyscall(SYS_rt_sigqueueinfo, g_sched.pid, info.Signo(), &info);
}

void UseCarrierMaskInKernel() {
  const SigSet mask = CarrierMask(CurrentCarrier());
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

}  // namespace green
