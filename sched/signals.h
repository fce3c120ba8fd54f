// Signals of tasks. The kernel knows carriers, not tasks, so it is only a source here: what some
// task accepts no carrier's mask keeps (held_signals.h), every caught signal comes to
// green_signal_entry, and masks, pending sets and the choice of the receiver are libgreen's.
//
//   arrival: on the carrier's signal stack, as the task's may be used up. The kernel blocks all but
//     faults until the entry is inside libgreen or has returned: frames never pile up.
//   arrival outside libgreen (in_green = 0): handled at once. The kernel's frame, which holds every
//     register the CPU has, is copied to where a thread would have it, the task's stack or its
//     alternate one, and the entry goes on there: the task may park in it, and move.
//   arrival inside (in_green = 1): noted in the carrier's ring, routed by who leaves libgreen next
//     on that carrier, whichever task that is, or by its scheduler. A full ring blocks signals.
//   routing: a thread-directed signal to its task; a process-directed one to the main task, the
//     current or any that accepts it (unblocked, or in sigtimedwait for it), else it stays in
//     the process's pending set until one does.
//   a task with a deliverable signal has `attention` set. Who sets it: writes pending, then
//     attention (seq_cst), then unparks; if the task was not parked, membarrier, then kicks the
//     carrier that runs it. Who clears it: the task itself, clearing first and looking at
//     pending afterwards.
//   delivery: only outside libgreen or at the end of a system call (DeliverNow), where the task
//     holds no lock and is in no list: handlers may longjmp, unwind or never return.
// Sources: signal(7), sigaction(2), POSIX.1-2017 2.4.
#pragma once

#include <cstdint>

#include "base/kernel_types.h"
#include "sched/task.h"

namespace green {

struct SigInfo {
  uint8_t bytes[128];
  int Signo() const { return reinterpret_cast<const int*>(bytes)[0]; }
  int Code() const { return reinterpret_cast<const int*>(bytes)[2]; }
  int TimerId() const { return reinterpret_cast<const int*>(bytes)[4]; }
  int Overrun() const { return reinterpret_cast<const int*>(bytes)[5]; }
  void SetOverrun(int n) { reinterpret_cast<int*>(bytes)[5] = n; }
  uint32_t Sender() const { return reinterpret_cast<const uint32_t*>(bytes)[4]; }
  uintptr_t FaultAddress() const { return reinterpret_cast<const uintptr_t*>(bytes)[2]; }
};

// A kernel-like siginfo of a signal sent by this process (si_code as given).
SigInfo MakeSigInfo(int sig, int code);

// Inside libgreen, current task, except where noted. 0 or -errno.
// tid: what t's number must still be, as t may have ended since it was looked up; 0 = any.
int SendToTask(Task* t, int sig, const SigInfo& info, uint32_t tid = 0);
int SendToProcess(int sig, const SigInfo& info);
void SetTaskMask(Task* t, SigSet mask);
long SetAction(int sig, const KernelSigaction* action, KernelSigaction* old);
SigSet PendingOf(Task* t);
// Signals that stay with the kernel as no task accepts them (held_signals.h). A task blocks `set`:
// what nobody else accepts of it stays there from now on. It accepts `set`, by its mask or by
// waiting, which it has published: what stayed there comes in.
void HoldUnacceptedSlow(SigSet set);
inline void HoldUnaccepted(SigSet set) {
  // With this one it is libc's own, for a few instructions or a thread's last ones.
  constexpr int kCancelSignal = 32;
  if (set && !(set & SigBit(kCancelSignal))) HoldUnacceptedSlow(set);
}
void AcceptHeld(SigSet set);
// The current task accepts `set` no more, which it has published (seq_cst). What it was told of and
// has not taken goes to another task that does.
void PassOn(SigSet set);
SigSet PendingInKernel();
// Removes and returns a pending signal of `set`: number, or 0.
int TakePending(Task* t, SigSet set, SigInfo* info);
// The same, only of those sent to t itself.
int TakeOwnPending(Task* t, SigSet set, SigInfo* info);

// True when a signal can be delivered to t now; clears a stale attention flag.
bool HasDeliverable(Task* t);

// Runs the handlers of the current task's deliverable signals. Called inside libgreen at the end
// of a system call; returns inside. What ran, or kNone.
enum class Delivered { kNone, kRestart, kNoRestart };
static_assert(static_cast<int>(Delivered::kNoRestart) == GREEN_NO_RESTART);
Delivered DeliverNow();

// Routes what the kernel delivered while the carrier was inside libgreen.
void RouteNoted();
// Routes signals of `set` that the kernel holds for the process because the carrier it chose has
// not run yet. Natively the caller would have had them before its call: it must not go on to
// see them under another action, after it stopped their timer or waited for their child.
void FetchSignals(SigSet set);
// The same, and those on their way to the first thread's handler: before an action changes to one
// that would end the process, and for who asks whether there are any.
void FetchAllSignals(SigSet set);
// Around exec, which ends other carriers, the first thread's too, with what they have been given:
// from now on they are given nothing, and what they had is routed, until the last of those that try
// to exec at once has failed.
void HoldAllSignals();
void EndHoldingAll();
void ResetHoldsAfterFork();
bool HasHandler(int sig);
// The current task ends: nobody sends it a signal any more, and others get what it did not take.
void EndSignalsOf(Task* t);

int StartSignals(Task* main_task);
// In a forked child, which runs without libgreen from here: the kernel's state becomes what the
// task believes it to be.
void RestoreKernelSignals(Task* survivor);
// Around exec: the kernel's mask becomes the task's, and what the program ignores is ignored; back
// if it failed.
void UseTaskSignalsInKernel(Task* t);
void UseOwnActionsInKernel();
// What is pending outlives exec.
void ReturnPendingToKernel(Task* t);
void UseCarrierMaskInKernel();
// Until the end of the signal frame that the thread is in. Not the faults: the kernel would end the
// process.
void BlockUntilReturn();

}  // namespace green
