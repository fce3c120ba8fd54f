#include "syscalls/fd_info.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace green {
namespace {

std::atomic<uint32_t> g_flag_epoch{1};
std::atomic<uint32_t> g_share_epoch{1};
std::atomic<uint32_t> g_timeout_epoch{0};
// A timeout below 0 was set through a number made here; through a copy, too. getsockopt(2) does not
// tell of it, so that other numbers for the same socket let the kernel wait, or not.
constexpr uint8_t kBelowZero = 1, kBelowZeroByCopy = 2;
std::atomic<uint8_t> g_timeouts_below_zero{0};

int SocketOption(int fd, int option, int fallback) {
  int value = fallback;
  uint32_t size = sizeof value;
  return RawSyscall(SYS_getsockopt, fd, SOL_SOCKET, option, &value, &size) ? fallback : value;
}

bool IsTcp(int domain, int type) {
  return (domain == AF_INET || domain == AF_INET6) && type == SOCK_STREAM;
}

bool IsPrivate(const FdState* s, uint32_t flags) {
  return (flags & kPrivate) && s->share_epoch.load(std::memory_order_relaxed) ==
                                   g_share_epoch.load(std::memory_order_relaxed);
}

}  // namespace

uint32_t KnowFdSlow(int fd, FdState* s) {
  struct stat st;
  s->flags.fetch_and(~uint32_t{kOpened}, std::memory_order_relaxed);
  uint32_t before = s->flags.fetch_or(kLooking, std::memory_order_relaxed) | kLooking;
  if (LookOutside(SYS_fstat, fd, &st)) {
    s->flags.fetch_and(~uint32_t{kLooking}, std::memory_order_relaxed);
    return 0;
  }
  uint32_t flags = kKnown;
  switch (st.st_mode & S_IFMT) {
    case S_IFSOCK:
      flags |= kSocket;
      if (IsTcp(SocketOption(fd, SO_DOMAIN, 0), SocketOption(fd, SO_TYPE, 0))) flags |= kStream;
      break;
    case S_IFIFO: flags |= kPipe; break;
    case S_IFREG:
    case S_IFDIR:
    case S_IFBLK: flags |= kRegular; break;
    default:
      flags |= RegisterFd(fd) == 0 ? kOther : kRegular;
      if (!(st.st_mode & S_IFMT)) flags |= kAnonymous;
  }
  // Kept only if the number is that file's still.
  flags |= before & ~uint32_t{kLooking};
  s->flags.compare_exchange_strong(before, flags, std::memory_order_relaxed);
  return flags;
}

bool IsNonblocking(int fd, FdState* s) {
  const uint32_t epoch = g_flag_epoch.load(std::memory_order_acquire);
  const bool current = s->flag_epoch.load(std::memory_order_acquire) == epoch;
  const uint32_t flags = s->flags.load(std::memory_order_relaxed);
  if ((flags & kNonblockKnown) && current) return flags & kNonblock;
  const long got = RawSyscall(SYS_fcntl, fd, F_GETFL);
  const bool nonblock = !IsError(got) && (got & O_NONBLOCK);
  if (IsPrivate(s, flags)) {
    // The bit before the epoch that vouches for it, and not if the flags changed since we asked:
    // a reader would take the old answer for the new one, and park on a non-blocking file.
    LockGuard guard(s->lock);
    if (g_flag_epoch.load(std::memory_order_acquire) == epoch) {
      if (nonblock)
        s->flags.fetch_or(kNonblock, std::memory_order_relaxed);
      else
        s->flags.fetch_and(~uint32_t{kNonblock}, std::memory_order_relaxed);
      s->flags.fetch_or(kNonblockKnown, std::memory_order_relaxed);
      s->flag_epoch.store(epoch, std::memory_order_release);
    }
  }
  return nonblock;
}

bool ShortReadsMeanEmpty(int fd, FdState* s) {
  const uint32_t flags = s->flags.load(std::memory_order_relaxed);
  if (!(flags & kStream) || (flags & kNoSkip)) return false;
  // Who shares a pipe may give it packets (O_DIRECT), who shares a socket pair may send
  // descriptors: reads are short at their ends, too.
  if (s->peer.load(std::memory_order_relaxed) && !IsPrivate(s, flags)) return false;
  return !IsNonblocking(fd, s);
}

int64_t TimeoutOf(int fd, FdState* s, uint32_t direction) {
  uint32_t flags = s->flags.load(std::memory_order_relaxed);
  if (!(flags & kSocket)) return kNever;
  const uint32_t epoch = g_timeout_epoch.load(std::memory_order_acquire);
  if (__builtin_expect(!(flags & kTimeoutsKnown) || s->timeout_epoch != epoch, 0)) {
    if (flags & (kNoReceiveWait | kNoSendWait))
      g_timeouts_below_zero.fetch_or(kBelowZeroByCopy, std::memory_order_relaxed);
    s->flags.fetch_and(~uint32_t{kHasTimeouts | kNoReceiveWait | kNoSendWait},
                       std::memory_order_relaxed);
    s->timeout_epoch = epoch;
    int64_t tv[2];
    uint32_t size = sizeof tv;
    s->receive_timeout = s->send_timeout = 0;
    if (!RawSyscall(SYS_getsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, tv, &size))
      s->receive_timeout = tv[0] * 1000000000 + tv[1] * 1000;
    size = sizeof tv;
    if (!RawSyscall(SYS_getsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, tv, &size))
      s->send_timeout = tv[0] * 1000000000 + tv[1] * 1000;
    s->flags.fetch_or(kTimeoutsKnown | (s->receive_timeout || s->send_timeout ? kHasTimeouts : 0u),
                      std::memory_order_relaxed);
    flags = s->flags.load(std::memory_order_relaxed);
  }
  if (flags & (direction == kOut ? kNoSendWait : kNoReceiveWait)) return 0;
  const int64_t t = !(flags & kHasTimeouts) ? 0
                    : direction == kOut     ? s->send_timeout
                                            : s->receive_timeout;
  if (t) return t;
  const uint8_t below = g_timeouts_below_zero.load(std::memory_order_relaxed);
  if (__builtin_expect(below != 0, 0) && ((below & kBelowZeroByCopy) || !(flags & kPrivate)))
    return kAskKernel;
  return kNever;
}

void NoteTimeoutsChanged(FdState* s, bool below_zero) {
  StampTransfers();
  if (below_zero) {
    const bool made_here = s->flags.load(std::memory_order_relaxed) & kPrivate;
    g_timeouts_below_zero.fetch_or(made_here ? kBelowZero : kBelowZeroByCopy,
                                   std::memory_order_relaxed);
  }
  s->timeout_epoch = g_timeout_epoch.fetch_add(1, std::memory_order_acq_rel) + 1;
}

void NoteNewFd(int fd, uint32_t flags) {
  FdState* s = FdStateOf(fd);
  if (!s) return;
  // Its last close may have gone past us (close_range by number, an unpatched site).
  if (s->registered.load(std::memory_order_relaxed)) ForgetFd(fd);
  s->flag_epoch.store(g_flag_epoch.load(std::memory_order_acquire), std::memory_order_relaxed);
  s->share_epoch.store(g_share_epoch.load(std::memory_order_acquire), std::memory_order_relaxed);
  s->receive_timeout = s->send_timeout = 0;
  s->timeout_epoch = g_timeout_epoch.load(std::memory_order_acquire);
  s->drained_at.store(0, std::memory_order_relaxed);
  s->peer.store(0, std::memory_order_relaxed);
  s->flags.store(flags | kKnown | kPrivate | kNonblockKnown, std::memory_order_release);
}

void NoteClosed(int fd) {
  FdState* s = FdStateOf(fd);
  if (!s) return;
  const uint32_t flags = s->flags.load(std::memory_order_relaxed);
  if (flags && !(flags & kPrivate)) s->flags.store(0, std::memory_order_relaxed);
  if (s->registered.load(std::memory_order_relaxed)) ConfirmFd(fd);
}

void NoteUnknownFd(int fd) {
  FdState* s = FdStateOf(fd);
  if (s &&
      (s->flags.load(std::memory_order_relaxed) || s->registered.load(std::memory_order_relaxed)))
    ForgetFd(fd);
}

void NoteOpenedFd(int fd) {
  NoteUnknownFd(fd);
  if (FdState* s = FdStateOf(fd)) s->flags.store(kOpened, std::memory_order_release);
}

void NoteFlagsChanged() { g_flag_epoch.fetch_add(1, std::memory_order_acq_rel); }
void NoteShared() {
  g_share_epoch.fetch_add(1, std::memory_order_acq_rel);
  NoteFlagsChanged();
}

}  // namespace green
