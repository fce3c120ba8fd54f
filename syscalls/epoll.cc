// epoll_wait(2) and its kin: the program's epoll instance is itself watched by the reactor.
#include "syscalls/fd_info.h"
#include "syscalls/handlers.h"
#include "syscalls/temporary_mask.h"

namespace green {
namespace {

long Wait(const SyscallFrame& f, int64_t timeout) {
  const int fd = ArgInt(f, 0);
  auto ask = [&] { return RawSyscall(SYS_epoll_wait, fd, f.rsi, f.rdx, 0); };
  FdState* s = FdStateOf(fd);
  if (!s || timeout == 0) return ask();
  const int64_t deadline = DeadlineAfter(timeout);
  for (;;) {
    const uint32_t generation = s->generation.load(std::memory_order_acquire);
    const uint32_t sequence = SequenceIn(s);
    const long r = ask();
    if (r > 0) CountReadyCall();
    if (r != 0) return r;
    int moved;
    const int w = WaitFd(fd, kIn, sequence, deadline, &moved);
    if (moved >= 0) ReleaseMoved(moved);
    if (w == -EINTR) return kRestartNoHandler;
    if (w == -ETIMEDOUT) return ask();
    if (w < 0) return kCannotWait;
    if (s->generation.load(std::memory_order_acquire) != generation) return -EBADF;
  }
}

// A bound task's.
long WaitInKernel(const SyscallFrame& f, int64_t timeout) {
  KernelTimespec ts;
  KernelTimespec* left = TimeLeft(timeout, &ts);
  if (f.rax == SYS_epoll_pwait2)
    return InterruptibleCall(SYS_epoll_pwait2, static_cast<long>(f.rdi), static_cast<long>(f.rsi),
                             static_cast<long>(f.rdx), reinterpret_cast<long>(left), 0, 0);
  return InterruptibleCall(SYS_epoll_wait, static_cast<long>(f.rdi), static_cast<long>(f.rsi),
                           static_cast<long>(f.rdx), MsLeft(left), 0, 0);
}

long WaitOrBlock(const SyscallFrame& f, int64_t timeout) {
  const long r = Wait(f, timeout);
  return r == kCannotWait ? BlockingRaw(f, true) : r;
}

int64_t FromMs(int ms) { return ms < 0 ? kNever : int64_t{ms} * 1000000; }

using Waiter = long (*)(const SyscallFrame&, int64_t timeout);

long Pwait(SyscallFrame& f, int64_t timeout, Waiter wait) {
  TemporaryMask mask(ArgAs<void*>(f, 4), f.r9);
  if (mask.Error()) return mask.Error();
  return mask.Finish(wait(f, timeout));
}

long Pwait2(SyscallFrame& f, Waiter wait) {
  int64_t timeout = kNever;
  if (f.r10) {
    KernelTimespec ts;
    if (const long wrong = ReadTimespec(ArgAs<void*>(f, 3), &ts)) return wrong;
    timeout = ToNs(ts);
  }
  return Pwait(f, timeout, wait);
}

}  // namespace

long SysEpollWait(SyscallFrame& f) { return WaitOrBlock(f, FromMs(ArgInt(f, 3))); }
long SysEpollPwait(SyscallFrame& f) { return Pwait(f, FromMs(ArgInt(f, 3)), WaitOrBlock); }
long SysEpollPwait2(SyscallFrame& f) { return Pwait2(f, WaitOrBlock); }

long SysBoundEpollWait(SyscallFrame& f) { return WaitInKernel(f, FromMs(ArgInt(f, 3))); }
long SysBoundEpollPwait(SyscallFrame& f) { return Pwait(f, FromMs(ArgInt(f, 3)), WaitInKernel); }
long SysBoundEpollPwait2(SyscallFrame& f) { return Pwait2(f, WaitInKernel); }

}  // namespace green
