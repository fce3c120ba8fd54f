// The scheduler as the layers above see it: one interface, two implementations behind it. A task is
// green (M:N: it takes turns with others on the workers' carriers; scheduler.cc) or bound (1:1: it
// has a carrier of its own and blocks natively; one_to_one.cc). GREEN_MODE says which kind a thread
// is that asked for neither. Both meet in one futex table, one reactor and one signal protocol,
// and callers need not know the kind. All functions here are called inside libgreen
// (in_green = 1), by the current task on its own stack, unless a line says otherwise. Whatever
// parks may return on another carrier: read CurrentCarrier() and CurrentWorker() again.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sched/carrier.h"
#include "sched/clock.h"
#include "sched/task.h"
#include "sched/timers.h"
#include "sched/worker.h"

namespace green {

struct SchedulerOptions {
  uint32_t workers = 0;  // 0 = CPUs of the affinity mask
  int64_t slice_ns = 10'000'000;
  uint32_t max_carriers = 10000;
  bool one_to_one = false;       // threads that ask for neither kind are bound
  const char* bound_names = "";  // name,name*: of threads that are bound (bound_names.h); kept
  bool user_dispatch = false;    // user_dispatch.h
  bool report = false;           // places where tasks wait are counted (call_sites.h)
  bool use_fsgsbase = true;  // false: arch_prctl(2), as where CPU or kernel lack the instructions
};

// Makes the calling thread one whose patched calls go straight to the kernel. Before patching.
void BecomeNative(const SchedulerOptions& options);

// Once, by the only thread of the process, which becomes the main task; pid is its number.
// 0 or -errno. The caller's thread keeps running as that task.
int StartScheduler(const SchedulerOptions& options, uint32_t pid);
// In a forked child: the caller is the only task; the runtime is stopped until started again.
void ResetSchedulerAfterFork(Task* survivor);
const SchedulerOptions& Options();
uint32_t WorkerCount();
Worker* WorkerAt(uint32_t i);

// Sleeps until an Unpark that happened after the last Park returned, or spuriously. The caller
// loops on its own condition. deadline in ns of CLOCK_MONOTONIC.
void Park(WaitReason reason);
void ParkUntil(WaitReason reason, int64_t deadline);
// Any carrier, inside libgreen; also from a thread without a worker (monitor, handed-off).
void Unpark(Task* t);
// As Unpark, but behind those that are queued already: for wakers that wake many.
void UnparkLater(Task* t);

// Lets others run; returns when the caller's turn has come again. Without any on this worker, and
// of a bound task, the kernel's other threads (sched_yield(2)).
void Yield();
// The same, but not those: false if there were none.
bool LetOthersRun();
// As Yield, if tasks are ready on this worker, but few, and no other worker is idle. True if it
// has, and they took next to no time.
bool LetFewRun();
// The task that was just woken is to run first: the waker gives way at the end of its call.
void AskToGiveWay();
// For calls that wait for something and found it there, inside libgreen, at their end: a task whose
// peer answers at once never parks, and gives way to others when it has run for a turn of
// kTurnTicks. May return on another carrier.
void CountReadyCall();
// The current worker's next pick looks at the reactor first, if the last look was a turn ago.
void LookSoon();
// As Yield, called by the preemption signal.
void Preempt();
// Makes the current worker's next task stealable if the monitor asked for it, by a kick.
bool ShareIfAsked();
// What a kick that came inside libgreen asked for, at the end of a system call.
void ObeyKick();

// Makes `child` (context prepared by PrepareTask) runnable. A green one of a green caller runs at
// once; the caller goes on when the child parks, or elsewhere.
// 0, or the number that a bound child has got, or -EAGAIN or -ENOMEM when the kernel has no thread
// for it.
long Spawn(Task* child);
// Which kind a new thread is to be, by what its creator asked for, its policy and its name.
bool ShouldBind(const Task* t);
// t is to be bound from the end of its next system call on; the current task at once. Unless its
// creator asked for a green one.
void RequestBinding(Task* t);
// The current task keeps its OS thread to its end, which nobody else gets after it; what it creates
// from now on is bound, too, and inherits from that thread. False: no other thread for the worker.
bool BindForGood();
// The process's first thread ends with the process only, is what others see of it, and answers for
// it (signals.h, first_thread.h). The current task, if a green one, goes on elsewhere. Not so if no
// carrier is to be had.
void LeaveFirstThread();
// The OS thread of the current task, a bound one that ends, is to end with it: what the kernel
// keeps for it is for others then.
void EndThreadToo();
// A child process's parent is the current OS thread, whose end may be a signal to the child
// (PR_SET_PDEATHSIG(2const)): it ends with its task, if that is bound, else with the process.
void NoteParent();
// At the end of a system call: the current task obeys such a request.
void ObeyBinding();
// Ends the current task on the scheduler's stack: fn runs there, after which its stack is free.
[[noreturn]] void ExitTask();
// Gives a new task a context that starts at its entry_frame; stack_top lies below that frame.
void PrepareTask(Task* t, void* stack_top);

// What the layers above do on the scheduler's behalf.
struct SchedulerHooks {
  void (*exit)(Task*);  // on the scheduler's stack, after the task's last instruction
  void (*attention)();  // signals were noted on the current carrier
  void (*deliver)();    // outside libgreen: the current task may have deliverable signals
  void (*end)();        // the process is about to end
};
void SetHooks(const SchedulerHooks& hooks);

// Brackets a system call that may block the carrier. A green task's EnterBlocking(true) moves the
// worker to a spare carrier first; with false the monitor does so if the call takes long. Between
// the two the caller counts as outside libgreen. LeaveBlocking may park.
void EnterBlocking(bool hand_off);
void LeaveBlocking();
// Whether the call between the last two took some milliseconds.
bool CallLasted();

// Whether the kernel's number is that of an OS thread of libgreen's.
bool IsCarrier(uint32_t tid);
// Makes carrier c look at its attention flags soon; any thread.
void KickCarrier(Carrier* c);
// Around exec, which keeps pending signals and whose new program would die of a kick: the current
// carrier gets none. If exec fails, the end of the call looks at what they would have told.
void BeginExec();
void EndExec();
// The process is about to end or to exec: whoever reads its trace is given time to read the rest, a
// third of a second at most.
void ShowTraceToItsEnd();
// Wakes one sleeping worker, if any; any thread inside libgreen.
void WakeWorker();

inline constexpr int kKickSignal = 33;  // libc's SIGSETXID, which libgreen emulates

extern Carrier g_native_carrier;

}  // namespace green
