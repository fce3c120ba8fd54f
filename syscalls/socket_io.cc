#include "syscalls/socket_io.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "syscalls/held_file.h"
#include "syscalls/iov_cursor.h"

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
  auto receive = [&] {
    return RawSyscall(SYS_recvfrom, fd, buf, len, flags | MSG_DONTWAIT, addr, addrlen);
  };
  if (s->flags.load(std::memory_order_relaxed) & kStream)
    return len ? ReadUnlessEmpty(fd, s, buf, flags & ~MSG_NOSIGNAL ? 0 : len, receive) : receive();
  const long r = receive();
  if (r == -EAGAIN && EndsIfItWaits(fd, s))
    return BlockingCall(SYS_recvfrom, fd, reinterpret_cast<long>(buf), static_cast<long>(len),
                        flags, reinterpret_cast<long>(addr), reinterpret_cast<long>(addrlen),
                        false);
  return r;
}

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

}  // namespace

bool SendMayGoOn(int fd) { return !ErrorWaits(fd, POLLERR | POLLHUP); }
bool ReceiveMayGoOn(int fd) { return !AtMark(fd) && (!ErrorWaits(fd, POLLERR) || BytesWait(fd)); }

long Receive(int fd, FdState* s, void* buf, size_t len, int flags, void* addr, void* addrlen) {
  if (!(flags & MSG_WAITALL) || (flags & MSG_PEEK)) {
    return TryOrWait(fd, s, kIn, [&](int at, FdState* state) {
      return ReceiveOnce(at, state, buf, len, flags, addr, addrlen);
    });
  }
  // MSG_WAITALL: the kernel waits for the rest only on streams; elsewhere it is ignored.
  size_t done = 0;
  const bool stream = SocketIsStream(fd);
  HeldFile file(fd, s, s->generation.load(std::memory_order_acquire), false);
  if (file.Result()) return file.Result();
  for (;;) {
    const long r = file.Try(kIn, [&](int at, FdState* state) -> long {
      if (done && !ReceiveMayGoOn(at)) return -EPIPE;
      return ReceiveOnce(at, state, static_cast<char*>(buf) + done, len - done,
                         flags & ~MSG_WAITALL, addr, addrlen);
    });
    if (r <= 0) return done ? static_cast<long>(done) : r;
    done += static_cast<size_t>(r);
    if (!stream || done == len || file.Nonblocking()) return static_cast<long>(done);
  }
}

bool SocketIsStream(int fd) {
  int type = 0;
  uint32_t size = sizeof type;
  return !RawSyscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_STREAM;
}

namespace {

// All of it, on a stream; what was sent before an error. `begun`: it goes on with what the caller's
// call has sent.
long SendAll(HeldFile& file, const void* buf, size_t len, int flags, bool begun) {
  size_t done = 0;
  for (;;) {
    const long r = file.Try(kOut, [&](int at, FdState*) -> long {
      if (begun && !SendMayGoOn(at)) return -EPIPE;
      return RawSyscall(SYS_sendto, at, static_cast<const char*>(buf) + done, len - done,
                        flags | MSG_DONTWAIT, nullptr, 0);
    });
    if (r < 0) return done ? static_cast<long>(done) : r;
    done += static_cast<size_t>(r);
    if (done == len || file.Nonblocking()) return static_cast<long>(done);
    begun = true;
    flags |= MSG_NOSIGNAL;
  }
}

}  // namespace

long Send(int fd, FdState* s, const void* buf, size_t len, int flags, const void* addr,
          long addrlen) {
  auto attempt = [&](int at, FdState*) -> long {
    if (addr)  // perhaps a path
      return LookOutside(SYS_sendto, at, buf, len, flags | MSG_DONTWAIT, addr, addrlen);
    return RawSyscall(SYS_sendto, at, buf, len, flags | MSG_DONTWAIT, nullptr, 0);
  };
  const uint32_t generation = s->generation.load(std::memory_order_acquire);
  const long first = TryOnce(fd, s, kOut, attempt);
  if (__builtin_expect(first == static_cast<long>(len), 1)) return first;
  if ((first < 0 && first != -EAGAIN) || IsNonblocking(fd, s)) return first;
  if (addr && first < 0) return TryOrWait(fd, s, kOut, attempt);  // datagrams
  HeldFile file(fd, s, generation, first > 0);
  if (file.Result()) return first > 0 ? first : file.Result();
  const size_t done = first > 0 ? static_cast<size_t>(first) : 0;
  const long more = SendAll(file, static_cast<const char*>(buf) + done, len - done,
                            done ? flags | MSG_NOSIGNAL : flags, done);
  return more < 0 ? first > 0 ? first : more : static_cast<long>(done) + more;
}

long ReceiveMessage(int fd, FdState* s, msghdr* msg, int flags) {
  if (flags & MSG_WAITALL) {
    auto wait = [&](int at) {
      return BlockingCall(SYS_recvmsg, at, reinterpret_cast<long>(msg), flags, 0, 0, 0, true);
    };
    msghdr header;
    size_t total;
    if (!CopyIn(&header, msg) || !TotalLength(header.msg_iov, header.msg_iovlen, &total) ||
        total == 0)
      return wait(fd);  // ends at once
    // Parks for the beginning; the kernel waits for the rest.
    HeldFile file(fd, s, s->generation.load(std::memory_order_acquire), false);
    if (file.Result() == -EBADF) return -EBADF;
    const long first = file.Try(kIn, [&](int at, FdState*) -> long {
      char byte;
      return RawSyscall(SYS_recvfrom, at, &byte, 1, MSG_PEEK | MSG_DONTWAIT, nullptr, nullptr);
    });
    if (first < 0 && first != kCannotWait) return first;
    return wait(file.At());
  }
  return TryOrWait(fd, s, kIn, [&](int at, FdState* state) -> long {
    const long r = RawSyscall(SYS_recvmsg, at, msg, flags | MSG_DONTWAIT);
    if (r == -EAGAIN && EndsIfItWaits(at, state))
      return BlockingCall(SYS_recvmsg, at, reinterpret_cast<long>(msg), flags, 0, 0, 0, false);
    return r;
  });
}

long ReceiveMessages(int fd, FdState* s, mmsghdr* messages, uint32_t count, int flags,
                     int64_t deadline) {
  // To poll(2) an entry in the error queue looks like an error of the socket's, which ends the
  // call. Only the kernel tells them apart.
  if (count > 1 && !(flags & MSG_WAITFORONE) && ErrorWaits(fd, POLLERR)) return kCannotWait;
  HeldFile file(fd, s, s->generation.load(std::memory_order_acquire), false);
  if (file.Result()) return file.Result();
  uint32_t done = 0;
  for (;;) {
    // What is there, in one call: an error of a later message is kept by the kernel for the next
    // call.
    const long r = file.Try(kIn, [&](int at, FdState* state) -> long {
      if (done && ErrorWaits(at, POLLERR)) return -EPIPE;
      const int64_t left = deadline == kNever ? 0 : deadline - NowNs();
      KernelTimespec ts = {left > 0 ? left / 1000000000 : 0, left > 0 ? left % 1000000000 : 0};
      const long got = LookOutside(SYS_recvmmsg, at, messages + done, count - done,
                                   flags | MSG_DONTWAIT, deadline == kNever ? nullptr : &ts);
      if (got == -EAGAIN && EndsIfItWaits(at, state))
        return BlockingCall(SYS_recvmmsg, at, reinterpret_cast<long>(messages + done), 1, flags, 0,
                            0, false);
      return got;
    });
    if (r <= 0) return done ? done : r;
    done += static_cast<uint32_t>(r);
    if (done >= count || (flags & MSG_WAITFORONE) || file.Nonblocking()) return done;
    if (deadline != kNever && NowNs() >= deadline) return done;
  }
}

long SendMessage(int fd, FdState* s, const msghdr* user, int flags) {
  msghdr msg;
  const bool readable = CopyIn(&msg, user);
  // It may carry descriptors; before, as others may take them at once.
  if (readable && msg.msg_controllen) NoteShared();
  auto attempt = [&](int at, FdState*) {
    return LookOutside(SYS_sendmsg, at, user, flags | MSG_DONTWAIT);
  };
  const uint32_t generation = s->generation.load(std::memory_order_acquire);
  long first = TryOnce(fd, s, kOut, attempt);
  if ((first < 0 && first != -EAGAIN) || IsNonblocking(fd, s)) return first;
  size_t total;
  if (!readable || !TotalLength(msg.msg_iov, msg.msg_iovlen, &total)) total = 0;
  if (first > 0 && static_cast<size_t>(first) >= total) return first;
  HeldFile file(fd, s, generation, first > 0);
  if (file.Result()) return first > 0 ? first : file.Result();
  if (first < 0) first = file.Try(kOut, attempt);
  if (first < 0) return first;
  // A full stream took a part. The rest goes piece by piece, without the control data.
  size_t done = static_cast<size_t>(first);
  IovCursor rest = {msg.msg_iov, msg.msg_iovlen, 0};
  rest.Advance(done);
  while (done < total && rest.count) {
    if (file.Nonblocking()) break;
    iovec v;
    if (!CopyIn(&v, rest.iov)) break;
    const size_t left = v.iov_len - rest.offset;
    const bool more = done + left < total;
    const long r = SendAll(file, static_cast<char*>(v.iov_base) + rest.offset, left,
                           flags | MSG_NOSIGNAL | (more ? MSG_MORE : 0), true);
    if (r < 0) break;
    done += static_cast<size_t>(r);
    rest.Advance(static_cast<size_t>(r));
    if (v.iov_len == 0) {
      ++rest.iov;
      --rest.count;
    }
    if (static_cast<size_t>(r) < left) break;
  }
  return static_cast<long>(done);
}

}  // namespace green
