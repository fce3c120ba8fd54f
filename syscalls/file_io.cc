// read(2), write(2) and their vector forms, on whatever the descriptor is.
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/append.h"
#include "syscalls/handlers.h"
#include "syscalls/held_file.h"
#include "syscalls/plain.h"
#include "syscalls/signal_fd.h"
#include "syscalls/socket_io.h"
#include "syscalls/tty_signals.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

namespace green {
namespace {

// EPERM: a seccomp filter that does not know the call. The plain call tells if it is meant.
bool Unsupported(long r) { return r == -EOPNOTSUPP || r == -ENOSYS || r == -EPERM; }

// Whether poll(2) says POLLOUT of this file once a write would not wait. Many devices never say it,
// and take every write at once: /dev/kmsg, fanotify's answers.
bool TellsWritable(int fd) {
  termios tty;
  if (!LookOutside(SYS_ioctl, fd, TCGETS, &tty)) return true;
  constexpr char kWanted[] = "anon_inode:[eventfd]";
  constexpr long kLength = sizeof kWanted - 1;
  char link[32], target[kLength + 1];
  AppendNumber(AppendText(link, "/proc/self/fd/"), static_cast<uint32_t>(fd));
  return RawSyscall(SYS_readlink, link, target, sizeof target) == kLength &&
         !memcmp(target, kWanted, kLength);
}

// Whether poll(2) says POLLIN of this file when a read would not wait, and only then. A terminal
// that is read byte by byte ends reads also without a byte, after a time, or with fewer than
// poll(2) waits for (termios(3): MIN and TIME).
bool TellsReadable(int fd) {
  termios tty;
  return LookOutside(SYS_ioctl, fd, TCGETS, &tty) || (tty.c_lflag & ICANON) || tty.c_cc[VMIN] == 1;
}

// Whether fd is the slave of a pty whose master has been closed: who waits then is told EIO, who
// comes later finds the file hung up and reads nothing.
bool MasterClosed(int fd) {
  constexpr unsigned kFirstSlave = 136, kLastSlave = 143;  // major numbers
  struct stat st;
  pollfd p = {fd, 0, 0};
  return RawSyscall(SYS_poll, &p, 1, 0) > 0 && (p.revents & POLLERR) &&
         !LookOutside(SYS_fstat, fd, &st) && S_ISCHR(st.st_mode) &&
         major(st.st_rdev) >= kFirstSlave && major(st.st_rdev) <= kLastSlave;
}

// For files that know no RWF_NOWAIT (ttys, many devices): look, then call; another reader may be
// quicker, then the monitor takes the worker.
long LookThenCall(const SyscallFrame& f, int fd, FdState* s, uint32_t direction) {
  if (IsNonblocking(fd, s)) return Raw(f);
  // Buffers too small for an eventfd, timerfd or the like are refused at once.
  if (f.rdx < 8 && (s->flags.load(std::memory_order_relaxed) & kAnonymous))
    return BlockingRaw(f, false);
  bool waited = false;
  const long r = TryOrWait(fd, s, direction, [&](int at, FdState*) -> long {
    pollfd p = {at, static_cast<short>(direction == kOut ? POLLOUT : POLLIN), 0};
    const long ready = LookOutside(SYS_poll, &p, 1, 0);
    if (ready == 0 || ready == -EINTR) {  // EINTR: not ready, and a kick came
      waited = true;
      return (direction == kOut ? TellsWritable(at) : TellsReadable(at)) ? -EAGAIN : kCannotWait;
    }
    const long done =
        BlockingCall(static_cast<long>(f.rax), at, static_cast<long>(f.rsi),
                     static_cast<long>(f.rdx), static_cast<long>(f.r10), static_cast<long>(f.r8),
                     static_cast<long>(f.r9), false, BlockedTtySignals());
    return done == 0 && waited && direction == kIn && MasterClosed(at) ? -EIO : done;
  });
  return r == kCannotWait ? BlockingRaw(f, false) : r;
}

// Pipes, eventfds and other files at the current position. `room`: in a vector of one, else 0.
long ReadNowait(const SyscallFrame& f, int fd, FdState* s, const iovec* iov, long count,
                size_t room) {
  if (s->flags.load(std::memory_order_relaxed) & kNoNowaitRead) return LookThenCall(f, fd, s, kIn);
  const long r = TryOrWait(fd, s, kIn, [&](int at, FdState* state) -> long {
    return ReadUnlessEmpty(at, state, room ? iov->iov_base : nullptr, room, [&] {
      return RawSyscall(SYS_preadv2, at, iov, count, -1, -1, RWF_NOWAIT);
    });
  });
  if (r == kCannotWait) return BlockingRaw(f, false);
  if (Unsupported(r)) {
    s->flags.fetch_or(kNoNowaitRead, std::memory_order_relaxed);
    return LookThenCall(f, fd, s, kIn);
  }
  return r;
}

// A pipe took `first` bytes, or says EAGAIN: a blocking write goes on until all is written.
__attribute__((noinline)) long WriteRest(const SyscallFrame& f, int fd, FdState* s,
                                         uint32_t generation, const char* buf, size_t len,
                                         long first) {
  if (IsNonblocking(fd, s)) return first;
  size_t done = first > 0 ? static_cast<size_t>(first) : 0;
  long r;
  {
    HeldFile file(fd, s, generation, done > 0);
    r = file.Result();
    while (!r) {
      r = file.Try(kOut, [&](int at, FdState*) {
        const iovec v = {const_cast<char*>(buf) + done, len - done};
        return RawSyscall(SYS_pwritev2, at, &v, 1, -1, -1, RWF_NOWAIT);
      });
      if (r <= 0) break;
      done += static_cast<size_t>(r);
      if (done >= len || file.Nonblocking()) break;
      r = 0;
    }
  }
  if (done) return static_cast<long>(done);
  return r == kCannotWait ? BlockingRaw(f, false) : r;
}

long WriteNowait(const SyscallFrame& f, int fd, FdState* s, const char* buf, size_t len) {
  if (s->flags.load(std::memory_order_relaxed) & kNoNowaitWrite)
    return LookThenCall(f, fd, s, kOut);
  const uint32_t generation = s->generation.load(std::memory_order_acquire);
  const long first = TryOnce(fd, s, kOut, [&](int at, FdState*) {
    const iovec v = {const_cast<char*>(buf), len};
    return RawSyscall(SYS_pwritev2, at, &v, 1, -1, -1, RWF_NOWAIT);
  });
  if (__builtin_expect(first == static_cast<long>(len), 1)) return first;
  if (Unsupported(first)) {
    s->flags.fetch_or(kNoNowaitWrite, std::memory_order_relaxed);
    return LookThenCall(f, fd, s, kOut);
  }
  if (first <= 0 && first != -EAGAIN) return first;
  return WriteRest(f, fd, s, generation, buf, len, first);
}

// Nothing, or more than there is memory: the calls that only try (recvfrom, preadv2) judge such
// sizes differently from read and write, which do not wait for them.
bool NotForTrying(uint64_t size) { return __builtin_expect(size - 1 >= uint64_t{1} << 46, 0); }

// The same of a vector; true also where it cannot be read.
bool NotForTrying(const iovec* vector, uint64_t count) {
  uint64_t total = 0;
  for (uint64_t i = 0; i < count; ++i) {
    iovec v;
    if (i == 1024 || !CopyIn(&v, vector + i) || v.iov_len >> 46) return true;
    total += v.iov_len;
  }
  return NotForTrying(total);
}

}  // namespace

long SysRead(SyscallFrame& f) {
  const int fd = ArgInt(f, 0);
  FdState* s = FdStateOf(fd);
  if (!s || NotForTrying(f.rdx)) return BlockingRaw(f, false);
  BeginRead(s);
  if (IsPlainTransfer(s->flags.load(std::memory_order_relaxed))) return PlainCall(f);
  const uint32_t flags = KnowFd(fd, s);
  if (flags & kSocket) {
    const long r = Receive(fd, s, ArgAs<void*>(f, 1), f.rdx, 0, nullptr, nullptr);
    return r == kCannotWait ? BlockingRaw(f, false) : r;
  }
  if (!(flags & (kPipe | kOther))) return BlockingRaw(f, false);
  if ((flags & kAnonymous) && CurrentTask()->pending.load(std::memory_order_relaxed))
    if (const long r = ReadOwnSignals(fd, ArgAs<void*>(f, 1), f.rdx)) return r;
  const iovec v = {ArgAs<void*>(f, 1), f.rdx};
  return ReadNowait(f, fd, s, &v, 1, f.rdx);
}

long SysWrite(SyscallFrame& f) {
  const int fd = ArgInt(f, 0);
  FdState* s = FdStateOf(fd);
  if (!s || NotForTrying(f.rdx)) return BlockingRaw(f, false);
  if (IsPlainTransfer(s->flags.load(std::memory_order_relaxed))) return PlainCall(f);
  const uint32_t flags = KnowFd(fd, s);
  if (flags & kSocket) {
    const long r = Send(fd, s, ArgAs<void*>(f, 1), f.rdx, 0, nullptr, 0);
    return r == kCannotWait ? BlockingRaw(f, false) : r;
  }
  if (!(flags & (kPipe | kOther))) return BlockingRaw(f, false);
  return WriteNowait(f, fd, s, ArgAs<const char*>(f, 1), f.rdx);
}

long SysReadv(SyscallFrame& f) {
  const int fd = ArgInt(f, 0);
  FdState* s = FdStateOf(fd);
  if (!s) return Raw(f);
  BeginRead(s);
  if (IsPlainTransfer(s->flags.load(std::memory_order_relaxed))) return PlainCall(f);
  const uint32_t flags = KnowFd(fd, s);
  if (flags & kSocket) {
    if (NotForTrying(ArgAs<iovec*>(f, 1), f.rdx)) return BlockingRaw(f, false);
    msghdr msg = {};
    msg.msg_iov = ArgAs<iovec*>(f, 1);
    msg.msg_iovlen = f.rdx;
    const long r = ReceiveMessage(fd, s, &msg, 0);
    return r == kCannotWait ? BlockingRaw(f, false) : r;
  }
  if (!(flags & (kPipe | kOther))) return BlockingRaw(f, false);
  return ReadNowait(f, fd, s, ArgAs<const iovec*>(f, 1), ArgInt(f, 2), 0);
}

long SysWritev(SyscallFrame& f) {
  const int fd = ArgInt(f, 0);
  FdState* s = FdStateOf(fd);
  if (!s) return Raw(f);
  if (IsPlainTransfer(s->flags.load(std::memory_order_relaxed))) return PlainCall(f);
  const uint32_t flags = KnowFd(fd, s);
  if (flags & kSocket) {
    if (NotForTrying(ArgAs<iovec*>(f, 1), f.rdx)) return BlockingRaw(f, false);
    msghdr msg = {};
    msg.msg_iov = ArgAs<iovec*>(f, 1);
    msg.msg_iovlen = f.rdx;
    const long r = SendMessage(fd, s, &msg, 0);
    return r == kCannotWait ? BlockingRaw(f, false) : r;
  }
  if (!(flags & kPipe)) return BlockingRaw(f, false);
  if (IsNonblocking(fd, s)) return Raw(f);
  const auto vector = ArgAs<const iovec*>(f, 1);
  if (NotForTrying(vector, f.rdx)) return BlockingRaw(f, false);
  // Refused at once if it is the other end.
  if (const long r = RawSyscall(SYS_pwritev2, fd, vector, 0, -1, -1, 0)) return r;
  // A pipe: without waiting if it all fits, else the monitor's business.
  if (!(flags & kNoNowaitWrite)) {
    size_t total = 0;
    for (uint64_t i = 0; i < f.rdx && i < 1024; ++i) {
      iovec v;
      if (!CopyIn(&v, ArgAs<iovec*>(f, 1) + i)) return Raw(f);
      total += v.iov_len;
    }
    if (total <= 4096) {
      const long r = TryOrWait(fd, s, kOut, [&](int at, FdState*) {
        return RawSyscall(SYS_pwritev2, at, f.rsi, f.rdx, -1, -1, RWF_NOWAIT);
      });
      if (!Unsupported(r) && r != kCannotWait) return r;
    }
  }
  return LookThenCall(f, fd, s, kOut);
}

long SysBoundTransfer(SyscallFrame& f) {
  if (f.rax == SYS_read && CurrentTask()->pending.load(std::memory_order_relaxed))
    if (const long r = ReadOwnSignals(ArgInt(f, 0), ArgAs<void*>(f, 1), f.rdx)) return r;
  const SigSet blocked = BlockedTtySignals();
  const int fd = ArgInt(f, 0);
  FdState* s = blocked ? FdStateOf(fd) : nullptr;
  return BoundTransfer(f, s && (KnowFd(fd, s) & kOther) ? blocked : 0);
}

long SysPreadv2(SyscallFrame& f) {
  if (static_cast<int>(f.r9) & RWF_NOWAIT) return Raw(f);
  return BlockingRaw(f, false);
}

long SysPwritev2(SyscallFrame& f) { return SysPreadv2(f); }

}  // namespace green
