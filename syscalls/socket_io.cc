#include "syscalls/socket_io.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

namespace green {
namespace {

// A datagram socket that was shut down says EAGAIN to a try, but 0 to a call that may wait. Its
// event has been seen by then: registering raises it.
bool EndsIfItWaits(int fd, FdState* s) {
  constexpr short kShutDown = POLLRDHUP;
  if (!(s->flags.load(std::memory_order_relaxed) & kNoSkip) || IsNonblocking(fd, s)) return false;
  pollfd p = {fd, kShutDown, 0};
  return RawSyscall(SYS_poll, &p, 1, 0) > 0 && (p.revents & kShutDown);
}

long ReceiveOnce(int fd, FdState* s, void* buf, size_t len, int flags, void* addr, void* addrlen) {
  const uint32_t sequence = SequenceIn(s);
  const bool stream = s->flags.load(std::memory_order_relaxed) & kStream;
  if (stream && len && KnownEmpty(fd, s, sequence)) return -EAGAIN;
  const bool registered = s->registered.load(std::memory_order_acquire);
  const long r = RawSyscall(SYS_recvfrom, fd, buf, len, flags | MSG_DONTWAIT, addr, addrlen);
  if (r == -EAGAIN && !stream && EndsIfItWaits(fd, s))
    return BlockingCall(SYS_recvfrom, fd, reinterpret_cast<long>(buf), static_cast<long>(len),
                        flags, reinterpret_cast<long>(addr), reinterpret_cast<long>(addrlen),
                        false);
  if (stream && registered && r > 0 && static_cast<size_t>(r) < len && !(flags & ~MSG_NOSIGNAL))
    NoteShortRead(s, sequence);
  return r;
}

// Where a partly transferred iovec goes on.
struct IovCursor {
  const iovec* iov;
  size_t count;
  size_t offset;
  void Advance(size_t n) {
    while (n) {
      iovec v;
      if (!count || !CopyIn(&v, iov)) return;
      const size_t left = v.iov_len - offset;
      if (n < left) {
        offset += n;
        return;
      }
      n -= left;
      offset = 0;
      ++iov;
      --count;
    }
  }
};

// A call that has transferred a part returns that, and an error that came meanwhile is left for the
// next call: a try would take it, and raise SIGPIPE.
bool ErrorWaits(int fd, short events) {
  pollfd p = {fd, 0, 0};
  return RawSyscall(SYS_poll, &p, 1, 0) > 0 && (p.revents & events);
}

// Where urgent data interrupts the stream, a receive that has a part ends; one that begins there
// skips them.
bool AtMark(int fd) {
  int at_mark = 0;
  return RawSyscall(SYS_ioctl, fd, SIOCATMARK, &at_mark) == 0 && at_mark;
}

bool BytesWait(int fd) {
  int bytes = 0;
  return RawSyscall(SYS_ioctl, fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

constexpr size_t kMaxVector = 1024;  // UIO_MAXIOV

// False for a vector that the kernel refuses.
bool TotalLength(const msghdr& msg, size_t* total) {
  *total = 0;
  for (size_t i = 0; i < msg.msg_iovlen; ++i) {
    iovec v;
    if (!CopyIn(&v, msg.msg_iov + i) || v.iov_len >> 46) return false;
    *total += v.iov_len;
  }
  return true;
}

}  // namespace

long Receive(int fd, FdState* s, void* buf, size_t len, int flags, void* addr, void* addrlen) {
  if (!(flags & MSG_WAITALL) || (flags & MSG_PEEK)) {
    return TryOrWait(fd, s, kIn, [&](int at, FdState* state) {
      return ReceiveOnce(at, state, buf, len, flags, addr, addrlen);
    });
  }
  // MSG_WAITALL: the kernel waits for the rest only on streams; elsewhere it is ignored.
  size_t done = 0;
  const bool stream = SocketIsStream(fd);
  for (;;) {
    const long r = TryOrWait(fd, s, kIn, [&](int at, FdState* state) -> long {
      if (done && (AtMark(at) || (ErrorWaits(at, POLLERR) && !BytesWait(at)))) return -EPIPE;
      return ReceiveOnce(at, state, static_cast<char*>(buf) + done, len - done,
                         flags & ~MSG_WAITALL, addr, addrlen);
    });
    if (r <= 0) return done ? static_cast<long>(done) : r;
    done += static_cast<size_t>(r);
    if (!stream || done == len || IsNonblocking(fd, s)) return static_cast<long>(done);
  }
}

bool SocketIsStream(int fd) {
  int type = 0;
  uint32_t size = sizeof type;
  return !RawSyscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_STREAM;
}

long Send(int fd, FdState* s, const void* buf, size_t len, int flags, const void* addr,
          long addrlen, bool part_sent) {
  size_t done = 0;
  for (;;) {
    const long r = TryOrWait(fd, s, kOut, [&](int at, FdState*) -> long {
      if (__builtin_expect(part_sent, 0) && ErrorWaits(at, POLLERR | POLLHUP)) return -EPIPE;
      const char* from = static_cast<const char*>(buf) + done;
      if (addr)  // perhaps a path
        return LookOutside(SYS_sendto, at, from, len - done, flags | MSG_DONTWAIT, addr, addrlen);
      return RawSyscall(SYS_sendto, at, from, len - done, flags | MSG_DONTWAIT, nullptr, 0);
    });
    if (__builtin_expect(r >= 0 && done + static_cast<size_t>(r) == len, 1))
      return static_cast<long>(len);
    if (r < 0) return done ? static_cast<long>(done) : r;
    done += static_cast<size_t>(r);
    if (IsNonblocking(fd, s)) return static_cast<long>(done);
    part_sent = true;
    flags |= MSG_NOSIGNAL;
  }
}

long ReceiveMessage(int fd, FdState* s, msghdr* msg, int flags) {
  if (flags & MSG_WAITALL) {
    auto wait = [&] {
      return BlockingCall(SYS_recvmsg, fd, reinterpret_cast<long>(msg), flags, 0, 0, 0, true);
    };
    msghdr header;
    size_t total;
    if (!CopyIn(&header, msg) || header.msg_iovlen > kMaxVector || !TotalLength(header, &total) ||
        total == 0)
      return wait();  // ends at once
    // Parks for the beginning; the kernel waits for the rest.
    const long first = TryOrWait(fd, s, kIn, [&](int at, FdState*) -> long {
      char byte;
      return RawSyscall(SYS_recvfrom, at, &byte, 1, MSG_PEEK | MSG_DONTWAIT, nullptr, nullptr);
    });
    if (first < 0 && first != kCannotWait) return first;
    return wait();
  }
  return TryOrWait(fd, s, kIn, [&](int at, FdState* state) -> long {
    const long r = RawSyscall(SYS_recvmsg, at, msg, flags | MSG_DONTWAIT);
    if (r == -EAGAIN && EndsIfItWaits(at, state))
      return BlockingCall(SYS_recvmsg, at, reinterpret_cast<long>(msg), flags, 0, 0, 0, false);
    return r;
  });
}

long SendMessage(int fd, FdState* s, const msghdr* user, int flags) {
  const long first = TryOrWait(fd, s, kOut, [&](int at, FdState*) {
    return LookOutside(SYS_sendmsg, at, user, flags | MSG_DONTWAIT);
  });
  if (first < 0) return first;
  msghdr msg;
  size_t total;
  if (!CopyIn(&msg, user)) return first;
  if (msg.msg_controllen) NoteShared();  // it may have carried descriptors
  if (!TotalLength(msg, &total) || static_cast<size_t>(first) >= total) return first;
  // A full stream took a part. The rest goes piece by piece, without the control data.
  size_t done = static_cast<size_t>(first);
  IovCursor rest = {msg.msg_iov, msg.msg_iovlen, 0};
  rest.Advance(done);
  while (done < total && rest.count) {
    if (IsNonblocking(fd, s)) break;
    iovec v;
    if (!CopyIn(&v, rest.iov)) break;
    const bool more = done + (v.iov_len - rest.offset) < total;
    const long r =
        Send(fd, s, static_cast<char*>(v.iov_base) + rest.offset, v.iov_len - rest.offset,
             flags | MSG_NOSIGNAL | (more ? MSG_MORE : 0), nullptr, 0, true);
    if (r < 0) break;
    done += static_cast<size_t>(r);
    const bool partial = static_cast<size_t>(r) < v.iov_len - rest.offset;
    rest.Advance(static_cast<size_t>(r));
    if (v.iov_len == 0) {
      ++rest.iov;
      --rest.count;
    }
    if (partial) break;
  }
  return static_cast<long>(done);
}

}  // namespace green
