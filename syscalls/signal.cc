// The signal calls, answered for tasks (sched/signals.h tells the protocol).
#include <signal.h>

#include "sched/altstack.h"
#include "sched/signals.h"
#include "syscalls/handlers.h"
#include "syscalls/temporary_mask.h"

namespace green {
namespace {

void* SigHandler(void (*special)(int)) { return reinterpret_cast<void*>(special); }

bool ValidSignal(int sig) { return sig >= 0 && sig <= 64; }

uint32_t Pid() { return static_cast<uint32_t>(RawSyscall(SYS_getpid)); }

// A thread-directed signal; group < 0: any process's (tkill).
long SendToThread(const SyscallFrame& f, int group, uint32_t tid, int sig, const SigInfo& info) {
  if (!ValidSignal(sig)) return -EINVAL;
  Task* t = FindTask(tid);
  if (!t || (group >= 0 && static_cast<uint32_t>(group) != Pid())) {
    // Another process's thread. One of ours is not the program's, or not any more.
    return tid >= kFirstTid || IsCarrier(tid) ? -ESRCH : Raw(f);
  }
  if (sig == 0) return 0;
  return SendToTask(t, sig, info, tid);
}

}  // namespace

long SysSigaction(SyscallFrame& f) {
  if (f.r10 != sizeof(SigSet)) return -EINVAL;
  KernelSigaction action, old;
  if (f.rsi && !CopyIn(&action, ArgAs<void*>(f, 1))) return -EFAULT;
  // What was sent under the old action is handled by it, or dropped with it.
  const bool handles =
      f.rsi && action.handler != SigHandler(SIG_DFL) && action.handler != SigHandler(SIG_IGN);
  const SigSet bit = ValidSignal(ArgInt(f, 0)) && f.rdi ? SigBit(ArgInt(f, 0)) : 0;
  if (f.rsi && !handles) FetchAllSignals(bit);
  if (f.rsi && HasHandler(ArgInt(f, 0))) {
    if (handles) FetchSignals(bit);
    if (HasDeliverable(CurrentTask())) return kRestartAlways;
  }
  const long r = SetAction(ArgInt(f, 0), f.rsi ? &action : nullptr, &old);
  if (r == 0 && f.rdx && !CopyOut(ArgAs<void*>(f, 2), old)) return -EFAULT;
  return r;
}

// alarm, setitimer, timer_settime, timer_delete: what expired before is handled before they return.
long SysChangeTimer(SyscallFrame& f) {
  const long r = Raw(f);
  FetchSignals(~SigSet{0});
  return r;
}

long SysSigprocmask(SyscallFrame& f) {
  if (f.r10 != sizeof(SigSet)) return -EINVAL;
  Task* t = CurrentTask();
  const SigSet old = t->mask;
  if (f.rsi) {
    SigSet set;
    if (!CopyIn(&set, ArgAs<void*>(f, 1))) return -EFAULT;
    switch (ArgInt(f, 0)) {
      case SIG_BLOCK: set = old | set; break;
      case SIG_UNBLOCK: set = old & ~set; break;
      case SIG_SETMASK: break;
      default: return -EINVAL;
    }
    SetTaskMask(t, set);
    HoldUnaccepted(t->mask & ~old);
  }
  if (f.rdx && !CopyOut(ArgAs<void*>(f, 2), old)) return -EFAULT;
  return 0;
}

long SysSigpending(SyscallFrame& f) {
  if (f.rsi > sizeof(SigSet)) return -EINVAL;
  Task* t = CurrentTask();
  FetchAllSignals(t->mask);
  const SigSet set = (PendingOf(t) | PendingInKernel()) & t->mask;
  return CopyOut(ArgAs<void*>(f, 0), set) ? 0 : -EFAULT;
}

long SysSigaltstack(SyscallFrame& f) {
  Task* t = CurrentTask();
  const uint64_t sp = f.ProgramRsp();
  const stack_t old = DescribeAltstack(t, sp);
  if (f.rdi) {
    stack_t wanted;
    if (!CopyIn(&wanted, ArgAs<void*>(f, 0))) return -EFAULT;
    if (const long r = SetAltstack(t, wanted, sp)) return r;
  }
  if (f.rsi && !CopyOut(ArgAs<void*>(f, 1), old)) return -EFAULT;
  return 0;
}

long SysKill(SyscallFrame& f) {
  const int pid = ArgInt(f, 0), sig = ArgInt(f, 1);
  // A thread's number stands for its process, as natively.
  const bool ours =
      pid > 0 && (static_cast<uint32_t>(pid) == Pid() || FindTask(static_cast<uint32_t>(pid)));
  if (!ours || sig < 0 || sig > 64) return Raw(f);
  if (sig == SIGKILL || sig == SIGSTOP) return RawSyscall(SYS_kill, Pid(), sig);
  return sig ? SendToProcess(sig, MakeSigInfo(sig, SI_USER)) : 0;
}

// If it is to this very process, it is handled before the call returns, as one sent by kill.
long SysPidfdSendSignal(SyscallFrame& f) {
  const long r = Raw(f);
  if (r == 0 && f.rsi && ValidSignal(ArgInt(f, 1))) FetchAllSignals(SigBit(ArgInt(f, 1)));
  return r;
}

long SysSigqueueinfo(SyscallFrame& f) {
  SigInfo info;
  const int sig = ArgInt(f, 1);
  if (static_cast<uint32_t>(f.rdi) != Pid() || sig <= 0 || sig > 64 || sig == SIGKILL ||
      sig == SIGSTOP)
    return Raw(f);
  if (!CopyIn(&info, ArgAs<void*>(f, 2))) return -EFAULT;
  reinterpret_cast<int*>(info.bytes)[0] = sig;
  return SendToProcess(sig, info);
}

long SysTkill(SyscallFrame& f) {
  if (ArgInt(f, 0) <= 0) return -EINVAL;
  return SendToThread(f, -1, static_cast<uint32_t>(f.rdi), ArgInt(f, 1),
                      MakeSigInfo(ArgInt(f, 1), SI_TKILL));
}

long SysTgkill(SyscallFrame& f) {
  if (ArgInt(f, 0) <= 0 || ArgInt(f, 1) <= 0) return -EINVAL;
  return SendToThread(f, ArgInt(f, 0), static_cast<uint32_t>(f.rsi), ArgInt(f, 2),
                      MakeSigInfo(ArgInt(f, 2), SI_TKILL));
}

long SysTgsigqueueinfo(SyscallFrame& f) {
  if (ArgInt(f, 0) <= 0 || ArgInt(f, 1) <= 0) return -EINVAL;
  SigInfo info;
  if (!CopyIn(&info, ArgAs<void*>(f, 3))) return -EFAULT;
  reinterpret_cast<int*>(info.bytes)[0] = ArgInt(f, 2);
  return SendToThread(f, ArgInt(f, 0), static_cast<uint32_t>(f.rsi), ArgInt(f, 2), info);
}

long SysPause(SyscallFrame&) {
  Task* t = CurrentTask();
  while (!t->attention.load(std::memory_order_acquire)) Park(WaitReason::kSignal);
  return kRestartNoHandler;
}

long SysSigsuspend(SyscallFrame& f) {
  TemporaryMask mask(ArgAs<void*>(f, 0), f.rsi);
  if (mask.Error()) return mask.Error();
  Task* t = CurrentTask();
  while (!t->attention.load(std::memory_order_acquire)) Park(WaitReason::kSignal);
  return kRestartNoHandler;
}

long SysSigtimedwait(SyscallFrame& f) {
  if (f.r10 != sizeof(SigSet)) return -EINVAL;
  SigSet set;
  if (!CopyIn(&set, ArgAs<void*>(f, 0))) return -EFAULT;
  set &= ~(SigBit(SIGKILL) | SigBit(SIGSTOP));
  int64_t deadline = kNever;
  if (f.rdx) {
    KernelTimespec ts;
    if (const long wrong = ReadTimespec(ArgAs<void*>(f, 2), &ts)) return wrong;
    deadline = DeadlineAfter(ToNs(ts));
  }
  Task* t = CurrentTask();
  SigInfo info;
  t->waiting_for.store(set, std::memory_order_seq_cst);
  int sig;
  long r = 0;
  bool fetched = false;
  // Accepting first, then looking: a sender sees the one or we the other.
  while (!(sig = TakePending(t, set, &info))) {
    AcceptHeld(set);
    if (HasDeliverable(t)) {
      r = kRestartNoHandler;
      break;
    }
    if (deadline != kNever && NowNs() >= deadline) {
      if (!fetched) {
        fetched = true;
        FetchAllSignals(set);
        continue;
      }
      r = -EAGAIN;
      break;
    }
    // HasDeliverable has cleared a flag that only announced one of `set`, so look again.
    if (PendingOf(t) & set) continue;
    ParkUntil(WaitReason::kSignal, deadline);
  }
  t->waiting_for.store(0, std::memory_order_seq_cst);
  PassOn(set & t->mask);
  if (!sig) return r;
  if (f.rsi && !CopyOut(ArgAs<void*>(f, 1), info)) return -EFAULT;
  return sig;
}

}  // namespace green
