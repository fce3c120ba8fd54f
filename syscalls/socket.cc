// socket(2) family.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "syscalls/handlers.h"
#include "syscalls/socket_io.h"

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76  // Linux 6.5
#endif

namespace green {
namespace {

uint32_t FlagsOfType(int domain, int type) {
  uint32_t flags = kSocket;
  if ((domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_STREAM) flags |= kStream;
  if (type & SOCK_NONBLOCK) flags |= kNonblock;
  return flags;
}

// A timeout has been set. One below 0 means that nothing waits (sock_set_timeout), which
// getsockopt(2) cannot be asked for: it shows as none.
void NoteTimeout(FdState* s, bool sending, const void* user) {
  const uint32_t no_wait = sending ? kNoSendWait : kNoReceiveWait;
  int64_t seconds = 0;
  CopyIn(&seconds, user);
  s->flags.fetch_and(~uint32_t{kTimeoutsKnown | kHasTimeouts | no_wait}, std::memory_order_relaxed);
  if (seconds < 0) s->flags.fetch_or(no_wait, std::memory_order_relaxed);
  NoteTimeoutsChanged(s, seconds < 0);
}

// A socket that a parking call may handle; null: let the kernel answer.
FdState* IfSocket(int fd, FdState* s) { return s && (KnowFd(fd, s) & kSocket) ? s : nullptr; }
FdState* SocketOf(int fd) { return IfSocket(fd, FdStateOf(fd)); }

// What the reactor cannot watch blocks its carrier instead.
long OrBlock(const SyscallFrame& f, long r) { return r == kCannotWait ? BlockingRaw(f, false) : r; }

// A receive that waits for nothing, such as the one that programs try before they poll(2).
long ReceiveNow(const SyscallFrame& f) {
  const long r = Raw(f);
  if (r > 0) CountReadyCall();
  return r;
}

// What does not is refused at once, but to poll(2) may look like one that waits.
bool Listens(int fd) {
  int listens = 0;
  uint32_t size = sizeof listens;
  return !RawSyscall(SYS_getsockopt, fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) && listens;
}

// r: the new socket's number, of the listener's kind, or an error. Returns it.
long NoteAccepted(long r, const FdState* listener, int new_flags) {
  if (r >= 0)
    NoteNewFd(static_cast<int>(r), kSocket |
                                       (listener->flags.load(std::memory_order_relaxed) & kStream) |
                                       (new_flags & SOCK_NONBLOCK ? uint32_t{kNonblock} : 0u));
  return r;
}

// accept takes a number before it waits, and so fails at once where there is none.
bool NoNumberLeft(int fd) {
  const long copy = RawSyscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0);
  if (copy >= 0) RawSyscall(SYS_close, copy);
  return copy == -EMFILE;
}

long Accept(SyscallFrame& f, int new_flags) {
  const int fd = ArgInt(f, 0);
  FdState* s = SocketOf(fd);
  if (!s || (new_flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))) return Raw(f);  // refused at once
  if (IsNonblocking(fd, s)) {
    const long r = Raw(f);
    return NoteAccepted(r, s, new_flags);
  }
  bool first = true;
  const long r = TryOrWait(fd, s, kIn, [&](int at, FdState* state) -> long {
    // accept has no MSG_DONTWAIT: look first, one task at a time, so that the call finds what
    // the look saw. Another process may still be quicker: then the call waits, with the mark, and
    // the monitor helps. So others do not wait for it for ever.
    HeldByCall held;
    for (int i = 0; i < 1000 && state->accepting.exchange(true, std::memory_order_acquire); ++i)
      Yield();
    pollfd p = {at, POLLIN, 0};
    long got = RawSyscall(SYS_poll, &p, 1, 0);
    got = got == 0 && Listens(at)
              ? -EAGAIN
              : BlockingCall(static_cast<long>(f.rax), at, static_cast<long>(f.rsi),
                             static_cast<long>(f.rdx), static_cast<long>(f.r10), 0, 0, false);
    state->accepting.store(false, std::memory_order_release);
    if (got == -EAGAIN && first && NoNumberLeft(at)) got = -EMFILE;
    first = false;
    return got;
  });
  NoteAccepted(r, s, new_flags);
  return OrBlock(f, r);
}

}  // namespace

long SysSocket(SyscallFrame& f) {
  const long fd = Raw(f);
  if (fd >= 0)
    NoteNewFd(static_cast<int>(fd), FlagsOfType(ArgInt(f, 0), ArgInt(f, 1)) | kTimeoutsKnown);
  return fd;
}

long SysSocketpair(SyscallFrame& f) {
  const long r = Raw(f);
  int fds[2];
  if (r || !CopyIn(&fds, ArgAs<void*>(f, 3))) return r;
  uint32_t flags = FlagsOfType(ArgInt(f, 0), ArgInt(f, 1)) | kTimeoutsKnown;
  if ((ArgInt(f, 1) & 0xf) == SOCK_STREAM) flags |= kStream;
  for (int fd : fds) NoteNewFd(fd, flags);
  JoinPeers(fds[0], fds[1]);
  return r;
}

long SysSetsockopt(SyscallFrame& f) {
  if (ArgInt(f, 1) == SOL_SOCKET && (ArgInt(f, 2) == SO_PASSCRED || ArgInt(f, 2) == SO_PASSPIDFD))
    NoteShared();  // see KnownEmpty; messages may come at once
  const long r = Raw(f);
  FdState* s = FdStateOf(ArgInt(f, 0));
  if (!s || r) return r;
  if (ArgInt(f, 1) == SOL_SOCKET) {
    const int option = ArgInt(f, 2);
    if (option == SO_RCVTIMEO_OLD || option == SO_SNDTIMEO_OLD || option == SO_RCVTIMEO_NEW ||
        option == SO_SNDTIMEO_NEW)
      NoteTimeout(s, option == SO_SNDTIMEO_OLD || option == SO_SNDTIMEO_NEW, ArgAs<void*>(f, 3));
  } else if (ArgInt(f, 1) == IPPROTO_TCP && ArgInt(f, 2) == TCP_ULP) {
    s->flags.fetch_and(~uint32_t{kStream}, std::memory_order_relaxed);  // records, not bytes
  }
  return r;
}

// Made once more, on another task's behalf, it gets what is left of SO_SNDTIMEO, and ends as the
// first would have.
long SysConnect(SyscallFrame& f) {
  const bool again = CurrentTask()->frame & 1;
  if (const int64_t timeout = TransferTimeout(f); timeout != kNever) {
    const long r = AwaitAgain(again, ArgInt(f, 0), POLLOUT, timeout);
    if (r < 0) return r == -EAGAIN ? -EINPROGRESS : r;
  }
  return BlockingRaw(f, false);
}

long SysAccept(SyscallFrame& f) { return Accept(f, 0); }
long SysAccept4(SyscallFrame& f) { return Accept(f, ArgInt(f, 3)); }

namespace {
// Null for what the kernel answers at once, or knows better.
FdState* SocketToReceive(int fd, int flags) {
  if (flags & (MSG_DONTWAIT | MSG_OOB | MSG_ERRQUEUE)) return nullptr;
  FdState* s = FdStateOf(fd);
  if (s) BeginRead(s);
  return IfSocket(fd, s);
}
}  // namespace

long SysRecvfrom(SyscallFrame& f) {
  const int fd = ArgInt(f, 0), flags = ArgInt(f, 3);
  FdState* s = SocketToReceive(fd, flags);
  if (!s) return ReceiveNow(f);
  return OrBlock(
      f, Receive(fd, s, ArgAs<void*>(f, 1), f.rdx, flags, ArgAs<void*>(f, 4), ArgAs<void*>(f, 5)));
}

long SysSendto(SyscallFrame& f) {
  const int fd = ArgInt(f, 0), flags = ArgInt(f, 3);
  FdState* s = SocketOf(fd);
  if (!s || (flags & MSG_DONTWAIT)) return Raw(f);
  return OrBlock(
      f, Send(fd, s, ArgAs<void*>(f, 1), f.rdx, flags, ArgAs<void*>(f, 4), ArgAs<long>(f, 5)));
}

long SysRecvmsg(SyscallFrame& f) {
  const int fd = ArgInt(f, 0), flags = ArgInt(f, 2);
  FdState* s = SocketToReceive(fd, flags);
  if (!s) return ReceiveNow(f);
  return OrBlock(f, ReceiveMessage(fd, s, ArgAs<msghdr*>(f, 1), flags));
}

long SysSendmsg(SyscallFrame& f) {
  const int fd = ArgInt(f, 0), flags = ArgInt(f, 2);
  FdState* s = SocketOf(fd);
  if (!s || (flags & MSG_DONTWAIT)) {
    NoteShared();
    return Raw(f);
  }
  return OrBlock(f, SendMessage(fd, s, ArgAs<msghdr*>(f, 1), flags));
}

long SysRecvmmsg(SyscallFrame& f) {
  const int fd = ArgInt(f, 0), flags = ArgInt(f, 3);
  FdState* s = SocketOf(fd);
  if (!s || (flags & (MSG_DONTWAIT | MSG_OOB | MSG_ERRQUEUE | MSG_WAITALL)))
    return BlockingRaw(f, false);
  int64_t deadline = kNever;
  KernelTimespec ts;
  if (f.r8) {
    if (const long wrong = ReadTimespec(ArgAs<void*>(f, 4), &ts)) return wrong;
    deadline = DeadlineAfter(ToNs(ts));
  }
  const long done =
      ReceiveMessages(fd, s, ArgAs<mmsghdr*>(f, 1), static_cast<uint32_t>(f.rdx), flags, deadline);
  if (done == kCannotWait) return BlockingRaw(f, false);
  if (f.r8 && done > 0) {
    const int64_t left = deadline == kNever ? ToNs(ts) : deadline - NowNs();
    const KernelTimespec out = {left > 0 ? left / 1000000000 : 0, left > 0 ? left % 1000000000 : 0};
    CopyOut(ArgAs<void*>(f, 4), out);
  }
  return done;
}

long SysSendmmsg(SyscallFrame& f) {
  const int fd = ArgInt(f, 0), flags = ArgInt(f, 3);
  auto messages = ArgAs<mmsghdr*>(f, 1);
  const auto count = static_cast<uint32_t>(f.rdx);
  FdState* s = SocketOf(fd);
  if (!s || (flags & MSG_DONTWAIT)) {
    NoteShared();
    return Raw(f);
  }
  const uint32_t generation = s->generation.load(std::memory_order_acquire);
  long done = 0;
  for (; done < static_cast<long>(count); ++done) {
    if (done && s->generation.load(std::memory_order_acquire) != generation) break;
    const long r = SendMessage(fd, s, &messages[done].msg_hdr, flags);
    if (r == kCannotWait) return done ? done : BlockingRaw(f, false);
    if (r < 0) return done ? done : r;
    const auto length = static_cast<uint32_t>(r);
    if (!CopyOut(&messages[done].msg_len, length)) return done ? done : -EFAULT;
  }
  return done;
}

}  // namespace green
