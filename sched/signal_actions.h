// What the program wants done with each signal, and what the kernel is told. Private to the
// signals' own files.
#pragma once

#include <signal.h>

#include "base/spin_lock.h"
#include "sched/scheduler.h"
#include "sched/signals.h"

namespace green::signals {

using Handler = void (*)(int, void*, void*);

inline constexpr SigSet kNeverBlocked = SigBit(SIGKILL) | SigBit(SIGSTOP);
inline constexpr SigSet kFaults = SigBit(SIGSEGV) | SigBit(SIGBUS) | SigBit(SIGFPE) |
                                  SigBit(SIGILL) | SigBit(SIGTRAP) | SigBit(SIGSYS);
inline constexpr SigSet kStops = SigBit(SIGTSTP) | SigBit(SIGTTIN) | SigBit(SIGTTOU);

// Written under it.
extern SpinLock g_action_lock;
extern KernelSigaction g_actions[65];
extern std::atomic<SigSet> g_blocked_once;
extern std::atomic<SigSet> g_ignored;

inline bool IsHandler(const KernelSigaction& a) {
  return a.handler != reinterpret_cast<void*>(SIG_DFL) &&
         a.handler != reinterpret_cast<void*>(SIG_IGN);
}

KernelSigaction ActionOf(int sig);
bool Ignores(int sig, const KernelSigaction& a);
bool IgnoredNow(int sig);
void SetActionLocked(int sig, const KernelSigaction& action);
// The default action, by the kernel's own hand, so that status and core are right.
void DefaultAction(int sig);
void InstallInKernel(int sig, const KernelSigaction& a);

// Some task blocks these, or will in a handler.
void NoteBlockedSlow(SigSet mask);
inline void NoteBlocked(SigSet mask) {
  // With this one it is libc's own, around a few instructions, as in every pthread_create.
  if (mask & SigBit(kKickSignal)) return;
  const SigSet noted = g_blocked_once.load(std::memory_order_relaxed);
  if (__builtin_expect((mask & ~noted) == 0, 1)) return;
  NoteBlockedSlow(mask);
}

// As found at the program's first thread. What is blocked in its handlers.
SigSet AdoptActions();
int InstallKick();  // 0 or -errno
// The kernel's own again, in a forked child.
void RestoreActions();

}  // namespace green::signals
