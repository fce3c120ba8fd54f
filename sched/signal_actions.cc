#include "sched/signal_actions.h"

#include <sys/syscall.h>

#include "base/raw_syscall.h"
#include "sched/carriers.h"
#include "sched/state.h"

namespace green {

extern "C" void green_sigreturn() asm("__restore_rt");
extern "C" void green_signal_entry(int sig, void* info, void* context);

namespace signals {

SpinLock g_action_lock;
KernelSigaction g_actions[65];
std::atomic<SigSet> g_blocked_once{0};
std::atomic<SigSet> g_ignored{0};

namespace {

// Default action "ignore".
constexpr SigSet kIgnoredByDefault =
    SigBit(SIGCHLD) | SigBit(SIGURG) | SigBit(SIGWINCH) | SigBit(SIGCONT);
// Under SIG_DFL these stay with the kernel: cores with the original registers, job control in
// order. Traps cannot be raised again by going back to the instruction.
constexpr SigSet kLeftToKernel = SigBit(SIGTRAP) | SigBit(SIGSYS) | kNeverBlocked;
// These too, until someone blocks one: then it may have to stay pending, or be waited for.
constexpr SigSet kLeftUntilBlocked = SigBit(SIGFPE) | SigBit(SIGILL) | SigBit(SIGABRT) | kStops;

constexpr unsigned long kEntryFlags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK | kSaRestorer;
constexpr int kLibcTimerSignal = 32;  // SIGTIMER, which is SIGCANCEL too
// Of those that the program ignores, who are to be kept while they are blocked need the entry too.
// For the others the kernel's own "ignore" means more: zombies, a terminal's errors.
constexpr SigSet kIgnoredByKernel = kLeftToKernel | SigBit(SIGCHLD) | SigBit(SIGTTIN) |
                                    SigBit(SIGTTOU) | SigBit(SIGSEGV) | SigBit(SIGBUS);

// Whatever the program makes of them: a bad address in a system call must be EFAULT, also where
// SIGSEGV is ignored; SIGSYS is one of the doors.
bool IsAlwaysOurs(int sig) {
  return sig == SIGSEGV || sig == SIGBUS || (sig == SIGSYS && g_sched.options.user_dispatch);
}

bool IsIgnore(const KernelSigaction& a) { return a.handler == reinterpret_cast<void*>(SIG_IGN); }

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

}  // namespace

KernelSigaction ActionOf(int sig) {
  LockGuard guard(g_action_lock);
  return g_actions[sig];
}

bool Ignores(int sig, const KernelSigaction& a) {
  return IsIgnore(a) || (!IsHandler(a) && (kIgnoredByDefault & SigBit(sig)));
}

bool IgnoredNow(int sig) { return Ignores(sig, ActionOf(sig)); }

void InstallInKernel(int sig, const KernelSigaction& a) {
  const KernelSigaction k = KernelAction(sig, a);
  RawSyscall(SYS_rt_sigaction, sig, &k, nullptr, sizeof(SigSet));
}

namespace {
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
}  // namespace

void NoteBlockedSlow(SigSet mask) {
  LockGuard guard(g_action_lock);
  NoteBlockedLocked(mask);
}

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

SigSet AdoptActions() {
  SigSet blocked = 0;
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
  return blocked;
}

int InstallKick() {
  const KernelSigaction kick = {reinterpret_cast<void*>(green_signal_entry),
                                kEntryFlags | SA_RESTART, reinterpret_cast<void*>(green_sigreturn),
                                ~kFaults};
  return static_cast<int>(
      RawSyscall(SYS_rt_sigaction, kKickSignal, &kick, nullptr, sizeof(SigSet)));
}

void RestoreActions() {
  g_action_lock.Reset();
  g_blocked_once.store(0, std::memory_order_relaxed);
  g_ignored.store(0, std::memory_order_relaxed);
  for (int sig = 1; sig <= 64; ++sig) {
    if (kNeverBlocked & SigBit(sig)) continue;
    RawSyscall(SYS_rt_sigaction, sig, &g_actions[sig], nullptr, sizeof(SigSet));
  }
}

}  // namespace signals

using namespace signals;

bool HasHandler(int sig) { return sig >= 1 && sig <= 64 && IsHandler(ActionOf(sig)); }

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

}  // namespace green
