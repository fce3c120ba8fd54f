// Where the kernel's signals come in, and where handlers are run (signals.h tells the protocol).
#include <signal.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>

#include "arch/x86_64/signal_frame.h"
#include "arch/x86_64/user_memory.h"
#include "base/check.h"
#include "base/message.h"
#include "sched/altstack.h"
#include "sched/carriers.h"
#include "sched/credentials.h"
#include "sched/first_thread.h"
#include "sched/held_signals.h"
#include "sched/interrupted_call.h"
#include "sched/reactor.h"
#include "sched/signal_actions.h"
#include "sched/signal_routing.h"
#include "sched/stack_overflow.h"
#include "sched/state.h"
#include "sched/user_dispatch.h"

namespace green {

extern "C" void green_call_on_stack(void* fn, long a, void* b, void* c, void* stack_top);
// Bounds of the library's code, from the linker.
extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start[], etext[];

namespace {

using namespace signals;

constexpr uintptr_t kRedZone = 128;
constexpr uintptr_t kLargestFrame = 16 << 10;  // with AMX 11 KiB
constexpr uintptr_t kEntryRoom = 2 << 10;      // what HandleOutside needs, at most

// The top of the stack for the handler; 0: it goes on from here. The frame may be on the alternate
// stack although the handler does not ask for that (FrameForTask).
uintptr_t StackForHandler(const Task* t, const KernelSigaction& a, uintptr_t here, uintptr_t sp) {
  const StackBounds altstack = AltstackOf(t);
  if (!altstack.size) return 0;
  const bool wanted = a.flags & SA_ONSTACK;
  if (!altstack.Holds(here)) return wanted ? altstack.base + altstack.size : 0;
  return wanted || altstack.Holds(sp) ? 0 : sp - kRedZone;
}

// Calls the program's handler on the current task, from inside libgreen and back.
Delivered RunHandler(Task* t, const SigInfo& info, ucontext_t* uc) {
  const int sig = info.Signo();
  KernelSigaction a;
  {
    LockGuard guard(g_action_lock);
    a = g_actions[sig];
    if (IsHandler(a) && (a.flags & SA_RESETHAND))
      g_actions[sig].handler = reinterpret_cast<void*>(SIG_DFL);  // flags and mask stay
  }
  if (!IsHandler(a)) {
    if (Ignores(sig, a)) return Delivered::kNone;
    DefaultAction(sig);
    return Delivered::kNone;
  }
  if (a.flags & SA_RESETHAND) InstallInKernel(sig, ActionOf(sig));
  const SigSet old = t->in_handler_mask ? t->saved_mask : t->mask;
  t->in_handler_mask = false;
  SigSet during = t->mask | a.mask;
  if (!(a.flags & SA_NODEFER)) during |= SigBit(sig);
  const SigSet fresh = during & ~kNeverBlocked & ~t->mask;
  __atomic_store_n(&t->mask, during & ~kNeverBlocked, __ATOMIC_SEQ_CST);
  PassOn(fresh);
  auto mask_word = reinterpret_cast<SigSet*>(&uc->uc_sigmask);
  *mask_word = old;
  SigInfo copy = info;
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  const auto sp = static_cast<uintptr_t>(uc->uc_mcontext.gregs[REG_RSP]);
  const uintptr_t stack = StackForHandler(t, a, here, sp);
  uc->uc_stack = SaveAltstack(t);
  const uint8_t save = t->save_vectors;
  const uint8_t handled = t->handled;
  const uintptr_t frame = t->frame;
  const int64_t op_deadline = t->op_deadline;
  const bool in_setxid_handler = t->in_setxid_handler;
  const bool interruptible = t->interruptible;
  const Interrupted interrupted = t->interrupted;
  t->interruptible = false;
  if (sig == kKickSignal) t->in_setxid_handler = true;
  LeaveGreen();
  if (stack)
    green_call_on_stack(a.handler, sig, &copy, uc, reinterpret_cast<void*>(stack));
  else
    reinterpret_cast<Handler>(a.handler)(sig, &copy, uc);
  const Delivered what = a.flags & SA_RESTART ? Delivered::kRestart : Delivered::kNoRestart;
  // In a child that the handler forked, which goes on without libgreen: the frame tells the kernel
  // all.
  if (CurrentCarrier()->native) return what;
  EnterGreen();
  t = CurrentTask();  // or such a child has begun anew
  t->save_vectors = save;
  t->frame = frame;
  t->op_deadline = op_deadline;
  t->handled = handled;
  t->in_setxid_handler = in_setxid_handler;
  t->interruptible = interruptible;
  t->interrupted = interrupted;
  SetAltstack(t, uc->uc_stack, stack ? stack : here);
  SetTaskMask(t, *mask_word);
  return what;
}

// Of the signals pending for t, those whose handlers do not ask for the alternate stack.
SigSet OffAltstack(Task* t) {
  SigSet off = 0;
  for (SigSet rest = PendingOf(t) & ~t->mask; rest; rest &= rest - 1) {
    const KernelSigaction a = ActionOf(__builtin_ctzll(rest) + 1);
    if (IsHandler(a) && !(a.flags & SA_ONSTACK)) off |= rest & -rest;
  }
  return off;
}

// The frame is on the alternate stack, which the task is not on. A handler that is not either must
// not run before the frame has left: that of a fault in it would be written over it.
bool IsBorrowed(const Task* t, const ucontext_t* uc) {
  const StackBounds altstack = AltstackOf(t);
  return altstack.size && altstack.Holds(reinterpret_cast<uintptr_t>(uc)) &&
         !altstack.Holds(static_cast<uintptr_t>(uc->uc_mcontext.gregs[REG_RSP]));
}

SigSet TakeableHere(Task* t, const ucontext_t* uc, bool movable) {
  if (!movable || !IsBorrowed(t, uc)) return ~t->mask;
  // Not what comes meanwhile: the attention flag tells of it again.
  const SigSet now = PendingOf(t) & ~t->mask;
  return now & ~OffAltstack(t);
}

// Runs every handler of the current task that may run on this frame.
Delivered DeliverAll(ucontext_t* uc, bool movable) {
  // Only when told to: a signal for the process belongs to the receiver that was chosen for it
  // (the main task if it can), whose blocked call it is to interrupt.
  Delivered what = Delivered::kNone;
  for (Task* t = CurrentTask(); t->attention.exchange(false, std::memory_order_seq_cst);) {
    SigInfo info;
    while (TakePending(t, TakeableHere(t, uc, movable), &info)) {
      const Delivered one = RunHandler(t, info, uc);
      if (one > what) what = one;
      if (CurrentCarrier()->native) return what;
      t = CurrentTask();
    }
  }
  return what;
}

void Note(Carrier* c, const void* info, ucontext_t* uc) {
  PutInRing(c, info);
  *reinterpret_cast<SigSet*>(&uc->uc_sigmask) = CarrierMask(c);
  // Were it about to sleep: none of its beds lets it.
  c->wake_word.store(1, std::memory_order_seq_cst);
  if (c->task && c->task->bound)
    c->task->state.fetch_or(Task::kToken, std::memory_order_seq_cst);
  else
    WakeReactor();
}

bool InLibraryText(uintptr_t pc) {
  return pc >= reinterpret_cast<uintptr_t>(__ehdr_start) && pc < reinterpret_cast<uintptr_t>(etext);
}

// The scheduler wants something of this carrier, which is inside libgreen: at the end of the call.
void NoteKick(Carrier* c, ucontext_t* uc) {
  // With a task's attention flag up the kick is about a signal, which that flag brings about.
  *reinterpret_cast<SigSet*>(&uc->uc_sigmask) = CarrierMask(c);
  if (!c->task || c->task->attention.load(std::memory_order_relaxed)) return;
  c->kicked.store(kSliceOver, std::memory_order_relaxed);
}

// No runtime on this thread: a vfork child between vfork and exec, which shares our handlers.
void NativeSignal(int sig, void* info, ucontext_t* uc) {
  const KernelSigaction a = ActionOf(sig);
  SigSet mask = *reinterpret_cast<const SigSet*>(&uc->uc_sigmask);
  if (IsHandler(a)) {
    mask |= a.mask | (a.flags & SA_NODEFER ? 0 : SigBit(sig));
    RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
    reinterpret_cast<Handler>(a.handler)(sig, info, uc);
  } else if (!IgnoredNow(sig)) {
    // Its actions are its own: resetting one does not touch the parent's.
    const KernelSigaction dfl = {nullptr, 0, nullptr, 0};
    RawSyscall(SYS_rt_sigaction, sig, &dfl, nullptr, sizeof(SigSet));
    RawSyscall(SYS_tgkill, RawSyscall(SYS_getpid), RawSyscall(SYS_gettid), sig);
  }
}

// A fault of the program.
bool IsFault(int sig, const SigInfo& info) { return (kFaults & SigBit(sig)) && info.Code() > 0; }

// With the kernel's signals blocked. Inside before the next can come: it is noted, and its frame is
// gone at once. And the mask is the carrier's again before the task may leave it, without its
// worker.
void EnterFromFrame(Carrier* c) {
  __atomic_store_n(&c->in_green, uint8_t{1}, __ATOMIC_SEQ_CST);
  UseCarrierMaskInKernel();
  EnterGreen();
}

void HandleMoved(int sig, void* info, void* context);

// Runs the current task's handlers, until it can go on.
void Serve(ucontext_t* uc, uint8_t in_syscall) {
  Task* t = CurrentTask();
  for (bool movable = true;;) {
    const bool forked_by_fault_handler = CurrentCarrier()->native;
    const bool held = !forked_by_fault_handler && CurrentTask()->held_by_call;
    const Delivered what =
        forked_by_fault_handler || held ? Delivered::kNone : DeliverAll(uc, movable);
    if (CurrentCarrier()->native) {
      if (what != Delivered::kNone) CancelRestart(t, what, uc);
      t->handled = static_cast<uint8_t>(what);
      return;
    }
    t = CurrentTask();
    const bool is_deliverable = t->attention.load(std::memory_order_acquire);
    if (what != Delivered::kNone || (held && is_deliverable)) CancelRestart(t, what, uc);
    // It may read a signalfd, in the kernel: let it look at its own signals.
    if (what == Delivered::kNone && t->bound && t->pending.load(std::memory_order_relaxed))
      CancelRestart(t, Delivered::kNoRestart, uc);
    NoteInterruption(t, what, uc);
    if (static_cast<uint8_t>(what) > t->handled) t->handled = static_cast<uint8_t>(what);
    *reinterpret_cast<SigSet*>(&uc->uc_sigmask) = CarrierMask(CurrentCarrier());
    // No such stack: the return leaves that of whichever carrier the task is then on.
    uc->uc_stack.ss_flags = -1;
    CurrentCarrier()->in_syscall.store(in_syscall, std::memory_order_relaxed);
    // Those left over get their frame below the stack pointer, as natively, if there is room.
    if (movable && !held && IsBorrowed(t, uc) && OffAltstack(t)) {
      t->attention.store(true, std::memory_order_seq_cst);
      const auto sp = static_cast<uintptr_t>(uc->uc_mcontext.gregs[REG_RSP]);
      if (void* below = CopySignalFrame(uc, sp - kRedZone, 0)) {
        BlockUntilReturn();
        LeaveGreen();
        green_enter_signal_frame(kKickSignal, SignalFrameInfo(below), below, HandleMoved);
      }
      movable = false;
    }
    // Until the frame's end, which puts uc_sigmask back: a signal in between would find this code,
    // and not the call that it is to interrupt.
    BlockUntilReturn();
    LeaveGreen();
    // The carrier's too: what was noted on it while another task ran there is ours to route.
    if ((held || !t->attention.load(std::memory_order_acquire)) && !CarrierAttention()) return;
    EnterFromFrame(CurrentCarrier());
    CurrentCarrier()->in_syscall.store(0, std::memory_order_relaxed);
    if (CarrierAttention()) RouteNoted();
  }
}

// Inside, from a frame on the task's own stack. A handler may move the task out of its blocking
// call's carrier; the mark goes with it, and is Serve's to put back.
uint8_t EnterOutOfCall(Carrier* c) {
  const uint8_t in_syscall = c->in_syscall.load(std::memory_order_relaxed);
  c->in_syscall.store(0, std::memory_order_relaxed);
  EnterFromFrame(c);
  return in_syscall;
}

// On a frame that has left the alternate stack.
void HandleMoved(int, void*, void* context) {
  const uint8_t in_syscall = EnterOutOfCall(CurrentCarrier());
  Serve(static_cast<ucontext_t*>(context), in_syscall);
}

// On the task's own stack or its alternate one, on its way from the program or a call back to it.
void HandleOutside(int sig, void* info, void* context) {
  auto uc = static_cast<ucontext_t*>(context);
  const auto pc = static_cast<uintptr_t>(uc->uc_mcontext.gregs[REG_RIP]);
  const auto& si = *static_cast<const SigInfo*>(info);
  const bool fault = IsFault(sig, si);
  Carrier* c = CurrentCarrier();
  // One for the process waits in the ring, as the way inside may be long; one for this very task
  // goes with it.
  const bool for_process = sig != kKickSignal && !fault && !IsForThread(si);
  if (for_process) PutInRing(c, info);
  const bool first = c->tid == g_sched.pid;
  const uint8_t in_syscall = EnterOutOfCall(c);
  Task* t = CurrentTask();
  if (sig == kKickSignal) {
    // On the way in, out or right behind a call's own instruction, where it finds a task that does
    // nothing but calls: at the end of the call too.
    if (InLibraryText(pc)) {
      NoteKick(CurrentCarrier(), uc);
      if (in_syscall && CurrentCarrier()->kicked.load(std::memory_order_relaxed) != kNoKick)
        EndCallForTurn(t, uc);
    } else if (!ShareIfAsked() && !t->attention.load(std::memory_order_acquire)) {
      Preempt();
    }
  } else if (fault) {
    RunHandler(t, si, uc);
  } else if (for_process) {
    if (CarrierAttention()) RouteNoted();
  } else {
    Route(si, t, first);
  }
  Serve(uc, in_syscall);
}

bool TellOfOverflow(const Task* t, const SigInfo& info, const ucontext_t* uc) {
  const int sig = info.Signo();
  return t && (sig == SIGSEGV || sig == SIGBUS) &&
         ReportStackOverflow(t, info.FaultAddress(),
                             static_cast<uintptr_t>(uc->uc_mcontext.gregs[REG_RSP]));
}

// Back to the instruction, which faults again under the default action: a true core.
void FaultAgain(int sig, ucontext_t* uc) {
  if (sig == SIGSYS) uc->uc_mcontext.gregs[REG_RIP] -= 2;  // a filter's comes behind the call
  const KernelSigaction dfl = {nullptr, 0, nullptr, 0};
  RawSyscall(SYS_rt_sigaction, sig, &dfl, nullptr, sizeof(SigSet));
}

// The copy of a frame where the program would have it: below the stack pointer, or on the alternate
// stack. There too if there is no room elsewhere, as the handler may be one for that stack, and if
// the place below is not a stack for sure, as libgreen's own signal comes unasked. Null without
// room.
void* FrameForTask(const Task* t, int sig, bool fault, const ucontext_t* uc) {
  const auto sp = static_cast<uintptr_t>(uc->uc_mcontext.gregs[REG_RSP]);
  const StackBounds altstack = AltstackOf(t);
  const uintptr_t top = altstack.base + altstack.size;
  const bool on_it = altstack.Holds(sp);
  const bool usable = altstack.size && !on_it;
  if (usable && fault && (ActionOf(sig).flags & SA_ONSTACK))
    return CopySignalFrame(uc, top, altstack.base);
  if (usable && !fault && HasLeftItsStack(t, sp) &&
      (sig == kKickSignal || (ActionOf(sig).flags & SA_ONSTACK)))
    if (void* copy = CopySignalFrame(uc, top, altstack.base + kEntryRoom)) return copy;
  if (void* copy = CopySignalFrame(uc, sp - kRedZone, on_it ? altstack.base : 0)) return copy;
  return usable && !fault ? CopySignalFrame(uc, top, altstack.base) : nullptr;
}

// On the carrier's signal stack, as the task's has no room for a handler's frame: natively SIGSEGV,
// under its default action. What needs no frame is done. Not inside: the task must not move.
void DeliverWithoutRoom(Carrier* c) {
  __atomic_store_n(&c->in_green, uint8_t{1}, __ATOMIC_SEQ_CST);
  Task* t = c->task;
  SigInfo info;
  while (const int sig = TakePending(t, ~t->mask, &info)) {
    const KernelSigaction a = ActionOf(sig);
    if (!Ignores(sig, a)) DefaultAction(IsHandler(a) ? SIGSEGV : sig);
  }
  __atomic_store_n(&c->in_green, uint8_t{0}, __ATOMIC_SEQ_CST);
}

// On the carrier's signal stack.
extern "C" __attribute__((visibility("hidden"), used)) void green_signal_entry(int sig, void* info,
                                                                               void* context) {
  auto uc = static_cast<ucontext_t*>(context);
  const auto pc = static_cast<uintptr_t>(uc->uc_mcontext.gregs[REG_RIP]);
  const auto& si = *static_cast<const SigInfo*>(info);
  if (IsUserDispatch(sig, si)) return RedirectCall(si, uc);
  const bool fault = IsFault(sig, si);
  if (fault) {
    uintptr_t resume = FaultFixup(pc);
    if (!resume) resume = FixupInPlainCall(pc);
    if (resume) {
      uc->uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(resume);
      return;
    }
  }
  Carrier* c = CurrentCarrier();
  if (c->native) return NativeSignal(sig, info, uc);
  if (sig == kKickSignal && IsCredentialsKick(si.Code())) {
    FollowCredentials(c);
    if (c->tid == g_sched.pid) {
      const uint32_t asked = g_first_asked.load(std::memory_order_seq_cst);
      *reinterpret_cast<SigSet*>(&uc->uc_sigmask) = CarrierMask(c);
      AnswerAsFirst();
      TellFirstAnswered(asked);
    }
    // A call that it interrupted is to be restarted whatever its kind.
    if (!c->in_green && c->task) NoteInterruption(c->task, Delivered::kNone, uc);
    return;
  }
  if (c->in_green) {
    if (fault) {
      if (!TellOfOverflow(c->task, si, uc))
        (Message() << "fault inside libgreen, signal " << sig << ", pc ").Hex(pc).Write();
      FaultAgain(sig, uc);
    } else if (sig == kKickSignal) {
      NoteKick(c, uc);
    } else {
      Note(c, info, uc);
    }
    return;
  }
  Task* t = c->task;
  if (fault && ((t->mask & SigBit(sig)) || !IsHandler(ActionOf(sig)))) {
    TellOfOverflow(t, si, uc);
    return FaultAgain(sig, uc);
  }
  if (!SignalStackOf(c).Holds(reinterpret_cast<uintptr_t>(uc))) {
    // The return from a handler that began before libgreen did has put the program's own back.
    UseSignalStack(c);
    const auto sp = static_cast<uintptr_t>(uc->uc_mcontext.gregs[REG_RSP]);
    if (sp - reinterpret_cast<uintptr_t>(uc) < kLargestFrame) return HandleOutside(sig, info, uc);
  }
  if (void* copy = FrameForTask(t, sig, fault, uc))
    green_enter_signal_frame(sig, SignalFrameInfo(copy), copy, HandleOutside);
  if (fault) {
    TellOfOverflow(t, si, uc);
    return FaultAgain(sig, uc);
  }
  NoteInterruption(t, Delivered::kNone, uc);
  if (sig == kKickSignal && t->attention.load(std::memory_order_acquire))
    DeliverWithoutRoom(c);
  else if (sig == kKickSignal)
    NoteKick(c, uc);
  else
    Note(c, info, uc);
}

}  // namespace

void BlockUntilReturn() {
  const SigSet mask = ~kFaults;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

bool HasDeliverable(Task* t) {
  if (!t->attention.load(std::memory_order_acquire)) return false;
  if (PendingOf(t) & ~t->mask) return true;
  t->attention.store(false, std::memory_order_seq_cst);
  if (!(PendingOf(t) & ~t->mask)) return false;
  t->attention.store(true, std::memory_order_seq_cst);
  return true;
}

Delivered DeliverNow() {
  Task* t = CurrentTask();
  t->handled = 0;
  if (!HasDeliverable(t)) return Delivered::kNone;
  // The kernel builds the frame: a real signal to this very thread, outside libgreen. Its entry
  // finds the attention flag and delivers.
  LeaveGreen();
  RawSyscall(SYS_tgkill, g_sched.pid, CurrentCarrier()->tid, kKickSignal);
  EnterGreen();
  return static_cast<Delivered>(t->handled);
}

void LeaveGreenAndDeliver() {
  for (;;) {
    LeaveGreen();
    if (!CurrentTask()->attention.load(std::memory_order_acquire) && !CarrierAttention()) return;
    EnterGreen();
    if (CarrierAttention()) RouteNoted();
    if (HasDeliverable(CurrentTask())) DeliverNow();
  }
}

void DeliverOutside() {
  EnterGreen();
  LeaveGreenAndDeliver();
}

}  // namespace green
