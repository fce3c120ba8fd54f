// Calls that make, copy, close or reconfigure descriptors.
#include <fcntl.h>
#include <sys/ioctl.h>

#include "syscalls/file_owner.h"
#include "syscalls/handlers.h"
#include "syscalls/plain.h"
#include "syscalls/tty_signals.h"

namespace green {
namespace {

// For a call that closes `target` on success, then perhaps makes it another file.
template <typename Call>
long Replacing(int target, Call call) {
  FdState* s = FdStateOf(target);
  const bool known = s && (s->flags.load(std::memory_order_relaxed) ||
                           s->registered.load(std::memory_order_relaxed));
  if (known) ForgetFd(target);
  const long r = call();
  NoteClosed(target);
  return r;
}

}  // namespace

long SysClose(SyscallFrame& f) {
  const int fd = ArgInt(f, 0);
  FdState* s = FdStateOf(fd);
  if (s && IsPlainClose(s)) {
    s->flags.store(0, std::memory_order_relaxed);
    const long r = RawOutside(f);
    NoteClosed(fd);
    return r;
  }
  if (IsReactorFd(fd) || (s && IsPrivateNumber(*s)))
    return -EBADF;  // the program has no such descriptor
  return Replacing(fd, [&] { return RawOutside(f); });
}

long SysCloseRange(SyscallFrame& f) {
  const auto first = static_cast<uint32_t>(f.rdi), last = static_cast<uint32_t>(f.rsi);
  const auto flags = static_cast<uint32_t>(f.rdx);
  if (first > last) return -EINVAL;
  if (flags & 4u) return Raw(f);  // CLOSE_RANGE_CLOEXEC closes nothing now
  ForKnownFds(first, last, ForgetFd);
  // In pieces around libgreen's own descriptors.
  long r = 0;
  uint32_t from = first, own;
  for (; !r && (own = NextOwnFd(from)) <= last && own < kMaxFds; from = own + 1)
    if (own > from) r = LookOutside(SYS_close_range, from, own - 1, flags);
  if (!r && from <= last) r = LookOutside(SYS_close_range, from, last, flags);
  ForKnownFds(first, last, NoteClosed);
  return r;
}

long SysDup(SyscallFrame& f) { return Raw(f); }

long SysDup2(SyscallFrame& f) {
  if (ArgInt(f, 0) == ArgInt(f, 1)) return Raw(f);
  if (IsReactorFd(ArgInt(f, 1))) MoveReactorFds();
  return Replacing(ArgInt(f, 1), [&] { return RawOutside(f); });
}

long SysDup3(SyscallFrame& f) {
  if (ArgInt(f, 0) == ArgInt(f, 1)) return Raw(f);
  if (IsReactorFd(ArgInt(f, 1))) MoveReactorFds();
  return Replacing(ArgInt(f, 1), [&] { return RawOutside(f); });
}

namespace {
long NewPipe(const SyscallFrame& f, int how) {
  const long r = Raw(f);
  int fds[2];
  if (r || !CopyIn(&fds, ArgAs<void*>(f, 0))) return r;
  uint32_t flags = kPipe;
  if (how & O_NONBLOCK) flags |= kNonblock;
  if (!(how & ~(O_NONBLOCK | O_CLOEXEC))) flags |= kStream;  // not packets, not notifications
  for (int fd : fds) NoteNewFd(fd, flags);
  JoinPeers(fds[0], fds[1]);
  return r;
}
}  // namespace

long SysPipe(SyscallFrame& f) { return NewPipe(f, 0); }
long SysPipe2(SyscallFrame& f) { return NewPipe(f, ArgInt(f, 1)); }

long SysIoctl(SyscallFrame& f) {
  const SigSet blocked = BlockedTtySignals();
  BlockInKernel(blocked);
  LeaveGreen();  // as RawOutside
  const long r = Raw(f);
  UnblockInKernel(blocked);
  EnterGreen();
  if (static_cast<uint32_t>(f.rsi) == FIONBIO && r == 0) NoteFlagsChanged();
  return r;
}

long SysFcntl(SyscallFrame& f) {
  if (long r; FileOwnerCall(f, &r)) return r;
  switch (ArgInt(f, 1)) {
    case F_SETFL: {
      if (f.rdx & O_DIRECT) NoteShared();  // packets: see KnownEmpty; others may write them at once
      const long r = Raw(f);
      NoteFlagsChanged();
      return r;
    }
    case F_SETLKW:
    case F_OFD_SETLKW: {
      // Without waiting first: uncontended locks need no handoff.
      const long r = LookOutside(SYS_fcntl, f.rdi, ArgInt(f, 1) - 1, f.rdx);
      if (r != -EAGAIN && r != -EACCES && r != -EINTR) return r;
      return BlockingRaw(f, true);
    }
    default: return RawOutside(f);  // F_GETLK, F_SETLK and leases ask the file system
  }
}

long SysFlock(SyscallFrame& f) {
  const int kLockNb = 4;  // LOCK_NB
  const long r = LookOutside(SYS_flock, f.rdi, f.rsi | kLockNb);
  if (r != -EINTR && (r != -EAGAIN || (f.rsi & kLockNb))) return r;
  return BlockingRaw(f, true);
}

}  // namespace green
