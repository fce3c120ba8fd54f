#include "sched/signals.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>

#include "arch/x86_64/base_registers.h"
#include "arch/x86_64/user_memory.h"
#include "base/check.h"
#include "base/message.h"
#include "sched/altstack.h"
#include "sched/carriers.h"
#include "sched/credentials.h"
#include "sched/held_signals.h"
#include "sched/identity.h"
#include "sched/idle.h"
#include "sched/reactor.h"
#include "sched/signal_nodes.h"
#include "sched/state.h"
#include "sched/user_dispatch.h"

namespace green {

extern "C" void green_sigreturn() asm("__restore_rt");
extern "C" void green_call_on_stack(void* fn, long a, void* b, void* c, void* stack_top);
// Bounds of the library's code, from the linker.
extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start[], etext[];

namespace {

using Handler = void (*)(int, void*, void*);

constexpr SigSet kNeverBlocked = SigBit(SIGKILL) | SigBit(SIGSTOP);
constexpr SigSet kFaults = SigBit(SIGSEGV) | SigBit(SIGBUS) | SigBit(SIGFPE) | SigBit(SIGILL) |
                           SigBit(SIGTRAP) | SigBit(SIGSYS);
// Default action "ignore".
constexpr SigSet kIgnoredByDefault =
    SigBit(SIGCHLD) | SigBit(SIGURG) | SigBit(SIGWINCH) | SigBit(SIGCONT);
constexpr SigSet kStops = SigBit(SIGTSTP) | SigBit(SIGTTIN) | SigBit(SIGTTOU);
// Under SIG_DFL these stay with the kernel: cores with the original registers, job control in
// order. Traps cannot be raised again by going back to the instruction.
constexpr SigSet kLeftToKernel = SigBit(SIGTRAP) | SigBit(SIGSYS) | kNeverBlocked;
// These too, until someone blocks one: then it may have to stay pending, or be waited for.
constexpr SigSet kLeftUntilBlocked = SigBit(SIGFPE) | SigBit(SIGILL) | SigBit(SIGABRT) | kStops;

constexpr unsigned long kEntryFlags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK | kSaRestorer;
// For threads that the kernel lets run late, and for one that is suspended in vfork.
constexpr int64_t kMostPatienceNs = 1'000'000'000;
constexpr uintptr_t kRedZone = 128;
constexpr uintptr_t kLargestFrame = 16 << 10;  // with AMX 11 KiB

SpinLock g_action_lock;
KernelSigaction g_actions[65];
constexpr int kLibcTimerSignal = 32;  // SIGTIMER, which is SIGCANCEL too
// Of those that the program ignores, who are to be kept while they are blocked need the entry too.
// For the others the kernel's own "ignore" means more: zombies, a terminal's errors.
constexpr SigSet kIgnoredByKernel = kLeftToKernel | SigBit(SIGCHLD) | SigBit(SIGTTIN) |
                                    SigBit(SIGTTOU) | SigBit(SIGSEGV) | SigBit(SIGBUS);
// Written under g_action_lock.
std::atomic<SigSet> g_blocked_once{0};
std::atomic<SigSet> g_ignored{0};
// Sent to a task, ever: what SetAction looks for at all tasks.
std::atomic<SigSet> g_sent_to_task{0};

SpinLock g_process_lock;
SignalNode* g_process_signals = nullptr;
std::atomic<SigSet> g_process_pending{0};
// Signals that the kernel has delivered to some carrier and that are not routed yet: in its ring.
std::atomic<uint32_t> g_in_flight{0};
// Kicks that the process's first thread has answered (AwaitFirst).
std::atomic<uint32_t> g_first_answers{0};

extern "C" void green_signal_entry(int sig, void* info, void* context);
void Route(const SigInfo& info, Task* current, bool first);

// Whatever the program makes of them: a bad address in a system call must be EFAULT, also where
// SIGSEGV is ignored; SIGSYS is one of the doors.
bool IsAlwaysOurs(int sig) {
  return sig == SIGSEGV || sig == SIGBUS || (sig == SIGSYS && g_sched.options.user_dispatch);
}

bool IsHandler(const KernelSigaction& a) {
  return a.handler != reinterpret_cast<void*>(SIG_DFL) &&
         a.handler != reinterpret_cast<void*>(SIG_IGN);
}

KernelSigaction ActionOf(int sig) {
  LockGuard guard(g_action_lock);
  return g_actions[sig];
}

bool IsIgnore(const KernelSigaction& a) { return a.handler == reinterpret_cast<void*>(SIG_IGN); }

bool Ignores(int sig, const KernelSigaction& a) {
  return IsIgnore(a) || (!IsHandler(a) && (kIgnoredByDefault & SigBit(sig)));
}

// What the kernel is told for a signal whose program-level action is `a`.
KernelSigaction KernelAction(int sig, const KernelSigaction& a) {
  KernelSigaction k = a;
  const bool ours = IsAlwaysOurs(sig);
  const SigSet blocked_once = g_blocked_once.load(std::memory_order_relaxed);
  if (IsIgnore(a) && !ours && !(blocked_once & ~kIgnoredByKernel & SigBit(sig))) return k;
  const SigSet left = kLeftToKernel | (kLeftUntilBlocked & ~blocked_once);
  if (!IsHandler(a) && !ours && (left & SigBit(sig))) return k;
  k.handler = reinterpret_cast<void*>(green_signal_entry);
  k.flags = kEntryFlags | (a.flags & (SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT));
  if (!IsHandler(a)) k.flags |= SA_RESTART;
  k.restorer = reinterpret_cast<void*>(green_sigreturn);
  // One frame at a time: a burst would else pile up frames before the first instruction of any.
  k.mask = ~kFaults;
  return k;
}

void InstallInKernel(int sig, const KernelSigaction& a) {
  const KernelSigaction k = KernelAction(sig, a);
  RawSyscall(SYS_rt_sigaction, sig, &k, nullptr, sizeof(SigSet));
}

// Some task blocks these, or will in a handler. Under g_action_lock.
void NoteBlockedLocked(SigSet mask) {
  SigSet fresh = mask & ~g_blocked_once.load(std::memory_order_relaxed);
  g_blocked_once.fetch_or(fresh, std::memory_order_relaxed);
  fresh &= kLeftUntilBlocked | g_ignored.load(std::memory_order_relaxed);
  for (; fresh; fresh &= fresh - 1) {
    const int sig = __builtin_ctzll(fresh) + 1;
    InstallInKernel(sig, g_actions[sig]);
  }
}

inline void NoteBlocked(SigSet mask) {
  // With this one it is libc's own, around a few instructions, as in every pthread_create.
  if (mask & SigBit(kKickSignal)) return;
  const SigSet noted = g_blocked_once.load(std::memory_order_relaxed);
  if (__builtin_expect((mask & ~noted) == 0, 1)) return;
  LockGuard guard(g_action_lock);
  NoteBlockedLocked(mask);
}

// The default action, by the kernel's own hand, so that status and core are right.
void DefaultAction(int sig) {
  const KernelSigaction dfl = {nullptr, 0, nullptr, 0};
  const SigSet bit = SigBit(sig);
  if (!(kStops & bit)) g_sched.end_hook();
  RawSyscall(SYS_rt_sigaction, sig, &dfl, nullptr, sizeof(SigSet));
  // A full ring blocks it; UseCarrierMaskInKernel tells the mask again.
  RawSyscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &bit, nullptr, sizeof bit);
  RawSyscall(SYS_tgkill, g_sched.pid, CurrentCarrier()->tid, sig);
  // Only a stop signal gets here.
  InstallInKernel(sig, ActionOf(sig));
  UseCarrierMaskInKernel();
}

bool IgnoredNow(int sig) { return Ignores(sig, ActionOf(sig)); }

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

// Under the lock that guards list and pending. 0, or -EAGAIN without memory for a node.
int Append(SignalNode** list, std::atomic<SigSet>& pending, const SigInfo& info) {
  const int sig = info.Signo();
  const SigSet bit = SigBit(sig);
  if (sig < SIGRTMIN && sig < 32 && (pending.load(std::memory_order_relaxed) & bit)) return 0;
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
  FreeSignalNode(n);
  return true;
}

// From the process's pending ones.
void DiscardPending(SigSet set) {
  SigInfo ignored;
  while (const SigSet some = g_process_pending.load(std::memory_order_seq_cst) & set)
    Take(g_process_lock, &g_process_signals, g_process_pending, __builtin_ctzll(some) + 1,
         &ignored);
}

// Faults first, as the kernel does, then the lowest number.
int PickSignal(SigSet set) {
  if (set & kFaults) set &= kFaults;
  return set ? __builtin_ctzll(set) + 1 : 0;
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
  if (CurrentCarrier()->tid == g_sched.pid) return nullptr;
  Carrier* c = FirstCarrier();
  while (c && c->tid != g_sched.pid) c = c->next_all;
  return c;
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

// Signals of the process whose receiver ended or blocked them before it took them.
void Retarget(SigSet set) {
  for (; set; set &= set - 1)
    if (Task* t = FindReceiver(set & -set)) Notify(t);
}

// Calls the program's handler on the current task, from inside libgreen and back.
Delivered RunHandler(Task* t, const SigInfo& info, ucontext_t* uc) {
  const int sig = info.Signo();
  KernelSigaction a;
  {
    LockGuard guard(g_action_lock);
    a = g_actions[sig];
    if (IsHandler(a) && (a.flags & SA_RESETHAND)) {
      g_actions[sig] = {nullptr, 0, nullptr, 0};
    }
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
  t->mask = during & ~kNeverBlocked;
  auto mask_word = reinterpret_cast<SigSet*>(&uc->uc_sigmask);
  *mask_word = old;
  SigInfo copy = info;
  const StackBounds altstack = AltstackOf(t);
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  const bool alternate = (a.flags & SA_ONSTACK) && altstack.size && !altstack.Holds(here);
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
  if (alternate)
    green_call_on_stack(a.handler, sig, &copy, uc,
                        reinterpret_cast<void*>(altstack.base + altstack.size));
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
  SetAltstack(t, uc->uc_stack, alternate ? altstack.base + altstack.size : here);
  SetTaskMask(t, *mask_word);
  return what;
}

// Runs every deliverable handler of the current task.
Delivered DeliverAll(ucontext_t* uc) {
  // Only when told to: a signal for the process belongs to the receiver that was chosen for it
  // (the main task if it can), whose blocked call it is to interrupt.
  Delivered what = Delivered::kNone;
  for (Task* t = CurrentTask(); t->attention.exchange(false, std::memory_order_seq_cst);) {
    SigInfo info;
    while (TakePending(t, ~t->mask, &info)) {
      const Delivered one = RunHandler(t, info, uc);
      if (one > what) what = one;
      if (CurrentCarrier()->native) return what;
      t = CurrentTask();
    }
  }
  return what;
}

bool IsForThread(const SigInfo& info) {
  return info.Signo() == SIGPIPE || info.Signo() == SIGXFSZ || info.Code() == SI_TKILL;
}

// A signal that the kernel sent while `current` ran on the process's first thread or another, to
// whom it is for.
void Route(const SigInfo& info, Task* current, bool first) {
  const int sig = info.Signo();
  // What the kernel sends to a thread for what that thread did: the current task's. What another
  // process sends to a thread: the first one's number is the main task's too.
  const bool directed = info.Code() == SI_TKILL;
  Task* t = IsForThread(info) ? current : nullptr;
  if (info.Code() == SI_TIMER) t = FindTask(TimerTask(info.TimerId()));
  if (directed && first)
    if (Task* main = FindTask(g_sched.pid)) t = main;
  if (t)
    SendToTask(t, sig, info);
  else
    SendToProcess(sig, info);
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

// A restartable call that the kernel prepared to restart is to return EINTR instead, when the
// handler that ran had no SA_RESTART. One that any handler ends is not to begin either, wherever
// on the way into it the signal came.
extern "C" const char green_blocking_call[], green_blocking_insn[], green_plain_insn[],
    green_plain_read[], green_plain_calls_end[];

// At the system call instruction of a plain entry (arch/x86_64/plain_entry.S).
bool IsAtPlainCall(const char* pc) {
  return pc >= green_plain_read && pc < green_plain_calls_end && pc[0] == 0x0f && pc[1] == 0x05;
}

void CancelRestart(const Task* t, Delivered what, ucontext_t* uc) {
  auto& regs = uc->uc_mcontext.gregs;
  const auto pc = reinterpret_cast<const char*>(regs[REG_RIP]);
  const char* insn = pc == green_plain_insn || IsAtPlainCall(pc) ? pc : green_blocking_insn;
  if (t->interruptible ? pc > insn || pc < green_blocking_call
                       : pc != insn || what != Delivered::kNoRestart)
    return;
  regs[REG_RIP] = reinterpret_cast<greg_t>(insn) + 2;
  regs[REG_RAX] = -EINTR;
}

// Whether the EINTR right behind a call's instruction is the program's. The last EINTR decides, not
// what ran since the call began: a handler with SA_RESTART may have come and gone, and the call been
// restarted after it. Where others' EINTR was there first, such a handler might as well have come
// before the call, but for the calls that it ends in any case.
void NoteInterruption(Task* t, Delivered what, const ucontext_t* uc) {
  const auto& regs = uc->uc_mcontext.gregs;
  const auto insn = reinterpret_cast<const char*>(regs[REG_RIP]) - 2;
  if (regs[REG_RAX] != -EINTR ||
      (insn != green_blocking_insn && insn != green_plain_insn && !IsAtPlainCall(insn)))
    return;
  const bool first = t->interrupted == Interrupted::kNot;
  if (what == Delivered::kNoRestart || (what == Delivered::kRestart && (first || t->interruptible)))
    t->interrupted = Interrupted::kForTask;
  else if (first)
    t->interrupted = Interrupted::kForOthers;
}

// The scheduler wants something of this carrier, which is inside libgreen: at the end of the call.
void NoteKick(Carrier* c, ucontext_t* uc) {
  // With a task's attention flag up the kick is about a signal, which that flag brings about.
  *reinterpret_cast<SigSet*>(&uc->uc_sigmask) = CarrierMask(c);
  if (!c->task || c->task->attention.load(std::memory_order_relaxed)) return;
  c->kicked.store(kSliceOver, std::memory_order_relaxed);
}

// A call that blocks its worker, for want of another carrier, would go on by the kernel's own hand:
// it ends instead, and is made again after the others' turn.
void EndCallForTurn(Task* t, ucontext_t* uc) {
  auto& regs = uc->uc_mcontext.gregs;
  const auto pc = reinterpret_cast<const char*>(regs[REG_RIP]);
  if (pc != green_blocking_insn && !IsAtPlainCall(pc)) return;
  regs[REG_RIP] += 2;
  regs[REG_RAX] = -EINTR;
  t->interrupted = Interrupted::kForOthers;
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
  // A handler may move the task out of its blocking call's carrier; the mark goes with it.
  const uint8_t in_syscall = c->in_syscall.load(std::memory_order_relaxed);
  const bool first = c->tid == g_sched.pid;
  c->in_syscall.store(0, std::memory_order_relaxed);
  // Inside before the next signal can come: it is noted, and its frame is gone at once.
  __atomic_store_n(&c->in_green, uint8_t{1}, __ATOMIC_SEQ_CST);
  UseCarrierMaskInKernel();
  EnterGreen();
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
  for (;;) {
    const bool forked_by_fault_handler = CurrentCarrier()->native;
    const Delivered what = forked_by_fault_handler ? Delivered::kNone : DeliverAll(uc);
    if (CurrentCarrier()->native) {
      if (what != Delivered::kNone) CancelRestart(t, what, uc);
      t->handled = static_cast<uint8_t>(what);
      return;
    }
    t = CurrentTask();
    if (what != Delivered::kNone) CancelRestart(t, what, uc);
    // It may read a signalfd, in the kernel: let it look at its own signals.
    if (what == Delivered::kNone && t->bound && t->pending.load(std::memory_order_relaxed))
      CancelRestart(t, Delivered::kNoRestart, uc);
    NoteInterruption(t, what, uc);
    if (static_cast<uint8_t>(what) > t->handled) t->handled = static_cast<uint8_t>(what);
    *reinterpret_cast<SigSet*>(&uc->uc_sigmask) = CarrierMask(CurrentCarrier());
    // No such stack: the return leaves that of whichever carrier the task is then on.
    uc->uc_stack.ss_flags = -1;
    CurrentCarrier()->in_syscall.store(in_syscall, std::memory_order_relaxed);
    LeaveGreen();
    // The carrier's too: what was noted on it while another task ran there is ours to route.
    if (!t->attention.load(std::memory_order_acquire) && !CarrierAttention()) return;
    EnterGreen();
    CurrentCarrier()->in_syscall.store(0, std::memory_order_relaxed);
    if (CarrierAttention()) RouteNoted();
  }
}

// Back to the instruction, which faults again under the default action: a true core.
void FaultAgain(int sig, ucontext_t* uc) {
  if (sig == SIGSYS) uc->uc_mcontext.gregs[REG_RIP] -= 2;  // a filter's comes behind the call
  const KernelSigaction dfl = {nullptr, 0, nullptr, 0};
  RawSyscall(SYS_rt_sigaction, sig, &dfl, nullptr, sizeof(SigSet));
}

// The copy of a frame where the program would have it: below the stack pointer, or on the alternate
// stack. There too if there is no room elsewhere, as the handler may be one for that stack. Null
// without room.
void* FrameForTask(const Task* t, int sig, bool fault, const ucontext_t* uc) {
  const auto sp = static_cast<uintptr_t>(uc->uc_mcontext.gregs[REG_RSP]);
  const StackBounds altstack = AltstackOf(t);
  const uintptr_t top = altstack.base + altstack.size;
  const bool on_it = altstack.Holds(sp);
  const bool usable = altstack.size && !on_it;
  if (usable && fault && (ActionOf(sig).flags & SA_ONSTACK))
    return CopySignalFrame(uc, top, altstack.base);
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
    if (const uintptr_t resume = FaultFixup(pc)) {
      uc->uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(resume);
      return;
    }
  }
  Carrier* c = CurrentCarrier();
  if (c->native) return NativeSignal(sig, info, uc);
  if (sig == kKickSignal && IsCredentialsKick(si.Code())) {
    FollowCredentials(c);
    if (c->tid == g_sched.pid) g_first_answers.fetch_add(1, std::memory_order_seq_cst);
    // A call that it interrupted is to be restarted whatever its kind.
    if (!c->in_green && c->task) NoteInterruption(c->task, Delivered::kNone, uc);
    return;
  }
  if (c->in_green) {
    if (fault) {
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
  if (fault && ((t->mask & SigBit(sig)) || !IsHandler(ActionOf(sig)))) return FaultAgain(sig, uc);
  if (!SignalStackOf(c).Holds(reinterpret_cast<uintptr_t>(uc))) {
    // The return from a handler that began before libgreen did has put the program's own back.
    UseSignalStack(c);
    const auto sp = static_cast<uintptr_t>(uc->uc_mcontext.gregs[REG_RSP]);
    if (sp - reinterpret_cast<uintptr_t>(uc) < kLargestFrame) return HandleOutside(sig, info, uc);
  }
  if (void* copy = FrameForTask(t, sig, fault, uc))
    green_enter_signal_frame(sig, SignalFrameInfo(copy), copy, HandleOutside);
  if (fault) return FaultAgain(sig, uc);
  NoteInterruption(t, Delivered::kNone, uc);
  if (sig == kKickSignal && t->attention.load(std::memory_order_acquire))
    DeliverWithoutRoom(c);
  else if (sig == kKickSignal)
    NoteKick(c, uc);
  else
    Note(c, info, uc);
}

}  // namespace

SigInfo MakeSigInfo(int sig, int code) {
  SigInfo info = {};
  auto words = reinterpret_cast<int*>(info.bytes);
  words[0] = sig;
  words[2] = code;
  words[4] = static_cast<int>(RawSyscall(SYS_getpid));
  words[5] = static_cast<int>(RawSyscall(SYS_getuid));
  return info;
}

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
  // A task may have unblocked it since the search: it would have seen the pending bit, or we it.
  if (!receiver) receiver = FindReceiver(bit);
  if (receiver) Notify(receiver);
  return 0;
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

void EndSignalsOf(Task* t) {
  SignalNode* list;
  {
    LockGuard guard(t->signal_lock);
    t->alive = false;  // under the lock: no sender appends to what the next task would inherit
    list = t->signals;
    t->signals = nullptr;
    t->pending.store(0, std::memory_order_relaxed);
  }
  while (SignalNode* n = list) {
    list = n->next;
    FreeSignalNode(n);
  }
  if (const SigSet shared = g_process_pending.load(std::memory_order_seq_cst)) Retarget(shared);
}

SigSet PendingOf(Task* t) {
  return t->pending.load(std::memory_order_acquire) |
         g_process_pending.load(std::memory_order_acquire);
}

void SetTaskMask(Task* t, SigSet mask) {
  const SigSet old = t->mask;
  NoteBlocked(mask);
  // seq_cst against Accepts: the sender sees the mask or we its pending bit.
  __atomic_store_n(&t->mask, mask & ~kNeverBlocked, __ATOMIC_SEQ_CST);
  AcceptHeld(old & ~t->mask);
  const SigSet shared = g_process_pending.load(std::memory_order_seq_cst);
  if (__builtin_expect((shared & t->mask & ~old) != 0, 0)) Retarget(shared & t->mask & ~old);
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

bool HasDeliverable(Task* t) {
  if (!t->attention.load(std::memory_order_acquire)) return false;
  if (PendingOf(t) & ~t->mask) return true;
  t->attention.store(false, std::memory_order_seq_cst);
  if (!(PendingOf(t) & ~t->mask)) return false;
  t->attention.store(true, std::memory_order_seq_cst);
  return true;
}

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

void SetActionLocked(int sig, const KernelSigaction& action) {
  g_actions[sig] = action;
  g_actions[sig].mask &= ~kNeverBlocked;
  const SigSet bit = SigBit(sig);
  const SigSet others = g_ignored.load(std::memory_order_relaxed) & ~bit;
  g_ignored.store(IsIgnore(action) ? others | bit : others, std::memory_order_relaxed);
  if (IsHandler(action)) NoteBlockedLocked(action.mask | bit);
  if (sig == kKickSignal) return;
  // The kernel drops what it holds, which it does not if it is told of the entry only.
  if (Ignores(sig, action)) RawSyscall(SYS_rt_sigaction, sig, &action, nullptr, sizeof(SigSet));
  InstallInKernel(sig, action);
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

void FetchAllSignals(SigSet set) {
  while (TakeFromKernel(set & ~HeldSignals())) {
  }
  // The kernel may have chosen the handler on the first thread, which has not come to its first
  // instruction: a kick is handled after that.
  if (Carrier* first = FirstIfOther()) {
    const uint32_t answers = g_first_answers.load(std::memory_order_seq_cst);
    AskForAnswer(first);
    const int64_t end = NowNs() + kMostPatienceNs;
    while (g_first_answers.load(std::memory_order_seq_cst) == answers && NowNs() < end)
      RawSyscall(SYS_sched_yield);
  }
  FetchSignals(set);
}

bool HasHandler(int sig) { return sig >= 1 && sig <= 64 && IsHandler(ActionOf(sig)); }

namespace {
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

int StartSignals(Task* main_task) {
  SigSet mask = 0;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, nullptr, &mask, sizeof mask);
  main_task->mask = mask;
  stack_t altstack = {};
  RawSyscall(SYS_sigaltstack, nullptr, &altstack);
  main_task->altstack_base = altstack.ss_sp;
  main_task->altstack_size = altstack.ss_size;
  main_task->altstack_flags = altstack.ss_flags & ~SS_ONSTACK;
  SigSet blocked = mask;
  SetHeld(mask);
  for (int sig = 1; sig <= 64; ++sig) {
    if (kNeverBlocked & SigBit(sig)) continue;
    RawSyscall(SYS_rt_sigaction, sig, nullptr, &g_actions[sig], sizeof(SigSet));
    // libc's posix_spawn leaves its own signals ignored in what it starts; its timers' thread,
    // which blocks this one, waits for it all the same.
    if (sig == kLibcTimerSignal) g_actions[sig].handler = reinterpret_cast<void*>(SIG_DFL);
    const KernelSigaction& a = g_actions[sig];
    if (IsHandler(a)) blocked |= a.mask;
    if (IsIgnore(a)) g_ignored.fetch_or(SigBit(sig), std::memory_order_relaxed);
    if (sig != kKickSignal && (IsAlwaysOurs(sig) || !IsIgnore(a))) InstallInKernel(sig, a);
  }
  NoteBlocked(blocked);
  AdoptPending(main_task, mask);
  KernelSigaction kick = {reinterpret_cast<void*>(green_signal_entry), kEntryFlags | SA_RESTART,
                          reinterpret_cast<void*>(green_sigreturn), ~kFaults};
  return static_cast<int>(
      RawSyscall(SYS_rt_sigaction, kKickSignal, &kick, nullptr, sizeof(SigSet)));
}

void RestoreKernelSignals(Task* survivor) {
  g_action_lock.Reset();
  g_process_lock.Reset();
  g_process_signals = nullptr;
  g_process_pending.store(0, std::memory_order_relaxed);
  g_in_flight.store(0, std::memory_order_relaxed);
  ClearHeld(~SigSet{0});
  g_blocked_once.store(0, std::memory_order_relaxed);
  g_ignored.store(0, std::memory_order_relaxed);
  ResetSignalNodesAfterFork();
  for (int sig = 1; sig <= 64; ++sig) {
    if (kNeverBlocked & SigBit(sig)) continue;
    RawSyscall(SYS_rt_sigaction, sig, &g_actions[sig], nullptr, sizeof(SigSet));
  }
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

void UseTaskSignalsInKernel(Task* t) {
  for (SigSet set = g_ignored.load(std::memory_order_relaxed); set; set &= set - 1) {
    const int sig = __builtin_ctzll(set) + 1;
    const KernelSigaction a = {reinterpret_cast<void*>(SIG_IGN), 0, nullptr, 0};
    // Other threads need ours until the very end.
    if (sig != kKickSignal && !IsAlwaysOurs(sig))
      RawSyscall(SYS_rt_sigaction, sig, &a, nullptr, sizeof(SigSet));
  }
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &t->mask, nullptr, sizeof(SigSet));
}

void UseOwnActionsInKernel() {
  LockGuard guard(g_action_lock);
  for (SigSet set = g_ignored.load(std::memory_order_relaxed); set; set &= set - 1) {
    const int sig = __builtin_ctzll(set) + 1;
    if (sig != kKickSignal) InstallInKernel(sig, g_actions[sig]);
  }
}

void UseCarrierMaskInKernel() {
  const SigSet mask = CarrierMask(CurrentCarrier());
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

}  // namespace green
