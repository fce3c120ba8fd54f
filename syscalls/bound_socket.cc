// A bound task's calls on sockets: the kernel's own, on its own thread. One that was interrupted on
// another task's behalf is made again; its SO_RCVTIMEO or SO_SNDTIMEO (socket(7)) would then begin
// anew, so the deadline is kept here.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "sched/open_numbers.h"
#include "syscalls/fd_info.h"
#include "syscalls/handlers.h"

namespace green {
namespace {

bool Sends(long nr) {
  return nr == SYS_sendto || nr == SYS_sendmsg || nr == SYS_sendmmsg || nr == SYS_write ||
         nr == SYS_writev || nr == SYS_connect;
}

}  // namespace

int64_t TransferTimeout(const SyscallFrame& f) {
  const int fd = ArgInt(f, 0);
  FdState* s = FdStateOf(fd);
  if (!s || !(KnowFd(fd, s) & kSocket) || IsNonblocking(fd, s)) return kNever;
  const int64_t timeout = TimeoutOf(fd, s, Sends(static_cast<long>(f.rax)) ? kOut : kIn);
  return timeout > 0 ? timeout : kNever;
}

long AwaitAgain(bool again, int fd, short events, int64_t timeout) {
  const int64_t deadline = DeadlineAfter(timeout);
  if (!again) return 1;
  const int64_t left = deadline - NowNs();
  if (left <= 0) return -EAGAIN;
  const KernelTimespec ts = {left / 1000000000, left % 1000000000};
  pollfd p = {fd, events, 0};
  const long r = BlockingCall(SYS_ppoll, reinterpret_cast<long>(&p), 1, reinterpret_cast<long>(&ts),
                              0, sizeof(SigSet), 0, false);
  return r == 0 ? -EAGAIN : r;
}

void StampIfTimed() {
  if (RawSyscall(SYS_prctl, PR_GET_SECCOMP) != 0)
    return StampTransfers();  // it may forbid the look
  const OpenNumbers open;
  for (int fd = 0; fd < OpenNumbers::kCount; ++fd) {
    if (!open.Has(fd)) continue;
    int64_t tv[2];
    for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
      uint32_t size = sizeof tv;
      if (RawSyscall(SYS_getsockopt, fd, SOL_SOCKET, option, tv, &size)) break;
      if (tv[0] | tv[1]) return StampTransfers();
    }
  }
}

long BoundTransfer(SyscallFrame& f, SigSet blocked) {
  Task* t = CurrentTask();
  const auto nr = static_cast<long>(f.rax);
  const bool again = t->interrupted == Interrupted::kForOthers || (t->frame & 1);
  if (__builtin_expect(again || TransfersAreStamped(), 0)) {
    t->interrupted = Interrupted::kNot;
    if (const int64_t timeout = TransferTimeout(f); timeout != kNever) {
      StampTransfers();  // set by another process, maybe
      const long r = AwaitAgain(again, ArgInt(f, 0), Sends(nr) ? POLLOUT : POLLIN, timeout);
      if (r < 0) return r;
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
