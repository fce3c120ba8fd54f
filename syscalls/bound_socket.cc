// A bound task's calls on sockets: the kernel's own, on its own thread. One that was interrupted on
// another task's behalf is made again; its SO_RCVTIMEO or SO_SNDTIMEO (socket(7)) would then begin
// anew, so from the first interruption on the deadline is kept here.
#include <poll.h>

#include "syscalls/fd_info.h"
#include "syscalls/handlers.h"

namespace green {
namespace {

bool Sends(long nr) {
  return nr == SYS_sendto || nr == SYS_sendmsg || nr == SYS_sendmmsg || nr == SYS_write ||
         nr == SYS_writev;
}

// 1 when the call is to be made now.
long AwaitTimed(int fd, short events, int64_t timeout) {
  KernelTimespec ts;
  const int64_t left = DeadlineAfter(timeout) - NowNs();
  if (left <= 0) return -EAGAIN;
  ts = {left / 1000000000, left % 1000000000};
  pollfd p = {fd, events, 0};
  const long r = BlockingCall(SYS_ppoll, reinterpret_cast<long>(&p), 1, reinterpret_cast<long>(&ts),
                              0, sizeof(SigSet), 0, false);
  return r == 0 ? -EAGAIN : r;
}

}  // namespace

long BoundTransfer(SyscallFrame& f, SigSet blocked) {
  Task* t = CurrentTask();
  const auto nr = static_cast<long>(f.rax);
  if (__builtin_expect(t->interrupted == Interrupted::kForOthers || (t->frame & 1), 0)) {
    t->interrupted = Interrupted::kNot;
    const int fd = ArgInt(f, 0);
    FdState* s = FdStateOf(fd);
    if (s && (KnowFd(fd, s) & kSocket) && !IsNonblocking(fd, s)) {
      const int64_t timeout = TimeoutOf(fd, s, Sends(nr) ? kOut : kIn);
      if (timeout > 0 && timeout != kNever)
        if (const long r = AwaitTimed(fd, Sends(nr) ? POLLOUT : POLLIN, timeout); r < 0) return r;
    }
  }
  return BlockingCall(nr, static_cast<long>(f.rdi), static_cast<long>(f.rsi),
                      static_cast<long>(f.rdx), static_cast<long>(f.r10), static_cast<long>(f.r8),
                      static_cast<long>(f.r9), false, blocked);
}

long SysBoundSocket(SyscallFrame& f) { return BoundTransfer(f, 0); }

long SysBoundAccept(SyscallFrame& f) {
  const long r = BoundTransfer(f, 0);
  if (r >= 0) NoteUnknownFd(static_cast<int>(r));
  return r;
}

long SysBoundSendmsg(SyscallFrame& f) {
  NoteShared();  // it may carry descriptors
  return BoundTransfer(f, 0);
}

}  // namespace green
