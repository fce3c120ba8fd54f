#include "syscalls/rest.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "sched/signals.h"
#include "syscalls/fd_info.h"
#include "syscalls/iov_cursor.h"
#include "syscalls/socket_io.h"

namespace green {
namespace {

struct Part {
  long nr;
  long args[6];
  long length;
};

// A file of the call: still what its number meant, as far as libgreen has seen.
struct File {
  int fd = -1;
  FdState* s = nullptr;
  uint32_t generation = 0;
  mode_t mode = 0;

  File() = default;
  explicit File(long number) : fd(static_cast<int>(number)), s(FdStateOf(fd)) {
    if (!s) return;
    generation = s->generation.load(std::memory_order_acquire);
    struct stat st;
    if (!RawSyscall(SYS_fstat, fd, &st)) mode = st.st_mode;
  }
  bool IsSame() const { return !s || s->generation.load(std::memory_order_acquire) == generation; }
  bool IsSocket() const { return S_ISSOCK(mode); }
  bool IsPipe() const { return S_ISFIFO(mode); }
  bool IsRegular() const { return S_ISREG(mode); }
  bool IsStreamSocket() const { return IsSocket() && SocketIsStream(fd); }
  bool IsTerminal() const {
    char settings[64];  // as the kernel has them, 36 bytes
    return S_ISCHR(mode) && !RawSyscall(SYS_ioctl, fd, TCGETS, settings);
  }
  bool HasPackets() const { return RawSyscall(SYS_fcntl, fd, F_GETFL) & O_DIRECT; }
  bool Waits() const { return s && !IsNonblocking(fd, s); }
};

// More would raise SIGXFSZ where the call itself has stopped at the limit.
bool FileSizeIsLimited() {
  rlimit limit;
  return RawSyscall(SYS_prlimit64, 0, RLIMIT_FSIZE, nullptr, &limit) ||
         limit.rlim_cur != RLIM_INFINITY;
}

class Rest {
 public:
  Rest(long nr, const long* args, SigSet blocked) : nr_(nr), args_(args), blocked_(blocked) {}

  long OfBytes(long done);
  long OfMessages(long done);
  long OfEvents(long done);

 private:
  // The next part behind `done` bytes; false: none.
  bool Next(long done, Part* part) const;
  bool NextOfBuffer(long done, Part* part) const;
  bool NextOfVector(const iovec* iov, size_t count, int flags, long done, Part* part) const;
  // -errno or 0; *more: it came short, but not by itself.
  long Make(Part part, bool* more) const;
  // Only of files of which it is known that a signal cuts their calls short, and that two calls
  // move what one would have moved: no messages, no devices.
  bool IsInParts() const;
  bool MayGoOn() const;
  // Of a socket with a time-out, 0 for none: waits for `events` as long as there is time. Negative:
  // as AwaitAgain.
  long Await(const File& file, short events) const;
  bool Sends() const { return nr_ != SYS_recvfrom && nr_ != SYS_recvmsg && nr_ != SYS_recvmmsg; }

  const long nr_;
  const long* const args_;
  const SigSet blocked_;
  File in_, out_;
};

// A socket's, with what it must not do where the whole call has done something.
void SetSend(Part* part, long fd, const void* at, size_t length, int flags) {
  *part = {SYS_sendto,
           {fd, reinterpret_cast<long>(at), static_cast<long>(length),
            (flags & ~MSG_FASTOPEN) | MSG_NOSIGNAL, 0, 0},
           static_cast<long>(length)};
}

bool Rest::NextOfBuffer(long done, Part* part) const {
  const char* at = reinterpret_cast<const char*>(args_[1]) + done;
  const size_t left = static_cast<size_t>(args_[2] - done);
  if (args_[2] <= done) return false;
  if (nr_ == SYS_sendto || (nr_ == SYS_write && out_.IsSocket())) {
    SetSend(part, args_[0], at, left, nr_ == SYS_sendto ? static_cast<int>(args_[3]) : 0);
  } else {
    *part = {nr_,
             {args_[0], reinterpret_cast<long>(at), static_cast<long>(left), args_[3], 0, 0},
             static_cast<long>(left)};
  }
  return true;
}

// One buffer at a time.
bool Rest::NextOfVector(const iovec* iov, size_t count, int flags, long done, Part* part) const {
  size_t total;
  if (!TotalLength(iov, count, &total) || total <= static_cast<size_t>(done)) return false;
  IovCursor at = {iov, count, 0};
  at.Advance(static_cast<size_t>(done));
  iovec v;
  for (;; ++at.iov, --at.count) {
    if (!at.count || !CopyIn(&v, at.iov)) return false;
    if (v.iov_len) break;
  }
  char* base = static_cast<char*>(v.iov_base) + at.offset;
  const size_t left = v.iov_len - at.offset;
  const bool more = static_cast<size_t>(done) + left < total;
  if (nr_ == SYS_recvmsg) {
    *part = {SYS_recvfrom,
             {args_[0], reinterpret_cast<long>(base), static_cast<long>(left), flags, 0, 0},
             static_cast<long>(left)};
  } else if (nr_ == SYS_sendmsg || out_.IsSocket()) {
    SetSend(part, args_[0], base, left, more ? (flags & ~MSG_EOR) | MSG_MORE : flags);
  } else {
    *part = {SYS_write,
             {args_[0], reinterpret_cast<long>(base), static_cast<long>(left), 0, 0, 0},
             static_cast<long>(left)};
  }
  return true;
}

bool Rest::Next(long done, Part* part) const {
  switch (nr_) {
    case SYS_write:
    case SYS_sendto:
    case SYS_recvfrom: return NextOfBuffer(done, part);
    case SYS_getrandom: {
      if (args_[1] <= done) return false;
      const long left = args_[1] - done;
      *part = {nr_, {args_[0] + done, left, args_[2], 0, 0, 0}, left};
      return true;
    }
    case SYS_writev:
      return NextOfVector(reinterpret_cast<const iovec*>(args_[1]), static_cast<size_t>(args_[2]),
                          0, done, part);
    case SYS_sendmsg:
    case SYS_recvmsg: {
      msghdr msg;
      return CopyIn(&msg, reinterpret_cast<const void*>(args_[1])) &&
             NextOfVector(msg.msg_iov, msg.msg_iovlen, static_cast<int>(args_[2]), done, part);
    }
    // The kernel has moved the offsets on.
    case SYS_sendfile:
    case SYS_splice:
    case SYS_copy_file_range: {
      const int at = nr_ == SYS_sendfile ? 3 : 4;
      *part = {nr_, {args_[0], args_[1], args_[2], args_[3], args_[4], args_[5]}, args_[at] - done};
      part->args[at] = part->length;
      return part->length > 0;
    }
  }
  return false;
}

long Rest::Await(const File& file, short events) const {
  if (!file.IsSocket()) return 0;
  const int64_t timeout = TimeoutOf(file.fd, file.s, events == POLLOUT ? kOut : kIn);
  return timeout <= 0 || timeout == kNever ? 0 : AwaitAgain(true, file.fd, events, timeout);
}

bool Rest::IsInParts() const {
  switch (nr_) {
    case SYS_getrandom: return true;
    case SYS_recvfrom:
    case SYS_recvmsg: return in_.Waits() && in_.IsStreamSocket();
    case SYS_sendto:
    case SYS_sendmsg: return out_.Waits() && out_.IsStreamSocket();
    case SYS_write:
    case SYS_writev:
      if (!out_.Waits()) return false;
      if (out_.IsPipe()) return nr_ == SYS_write || !out_.HasPackets();
      return out_.IsStreamSocket() || out_.IsTerminal();
    // To a pipe they move what there is room for, and splice(2) from one what is there.
    case SYS_sendfile:
    case SYS_splice:
    case SYS_copy_file_range:
      if (nr_ == SYS_splice && !in_.IsPipe()) return false;
      if (out_.IsRegular()) return !FileSizeIsLimited();
      return out_.Waits() && out_.IsStreamSocket();
  }
  return false;
}

bool Rest::MayGoOn() const {
  if (!in_.IsSame() || !out_.IsSame()) return false;
  if (out_.IsSocket() && !SendMayGoOn(out_.fd)) return false;
  if (in_.IsSocket() && !ReceiveMayGoOn(in_.fd)) return false;
  if (nr_ == SYS_splice) {
    pollfd p = {in_.fd, POLLIN, 0};
    if (RawSyscall(SYS_poll, &p, 1, 0) <= 0 || !(p.revents & POLLIN)) return false;
  }
  return true;
}

long Rest::Make(Part part, bool* more) const {
  for (;;) {
    if (!MayGoOn()) return 0;
    long r = Sends() ? Await(out_, POLLOUT) : Await(in_, POLLIN);
    const bool timed = r > 0;
    if (timed && (part.nr == SYS_sendto || part.nr == SYS_recvfrom)) part.args[3] |= MSG_DONTWAIT;
    if (r >= 0) {
      r = BlockingPart(part.nr, part.args, blocked_);
      *more = r > 0 && (timed || IsCutShort(CurrentTask()));
      if (r == -EAGAIN && timed) continue;
    }
    if (r > kRestart || r < kRestartNoHandler) return r;
    if (CarrierAttention()) RouteNoted();
    ObeyKick();
    ObeyBinding();
    if (HasDeliverable(CurrentTask())) return -EINTR;
  }
}

long Rest::OfBytes(long done) {
  switch (nr_) {
    case SYS_recvmsg:
    case SYS_recvfrom: in_ = File(args_[0]); break;
    case SYS_sendfile:
    case SYS_splice:
    case SYS_copy_file_range:
      out_ = File(nr_ == SYS_sendfile ? args_[0] : args_[2]);
      in_ = File(nr_ == SYS_sendfile ? args_[1] : args_[0]);
      break;
    case SYS_getrandom: break;
    default: out_ = File(args_[0]);
  }
  if (!IsInParts()) return done;
  Part part;
  while (Next(done, &part)) {
    bool more;
    const long r = Make(part, &more);
    if (r <= 0) break;
    done += r;
    if (r < part.length && !more) break;
  }
  return done;
}

// recvmmsg(2) that a signal has ended behind a message keeps that as the socket's error, for the
// next call. False: there is another error.
bool ForgetInterruption(int fd) {
  pollfd p = {fd, 0, 0};
  if (RawSyscall(SYS_poll, &p, 1, 0) <= 0 || !(p.revents & POLLERR)) return true;
  int error = 0;
  uint32_t size = sizeof error;
  RawSyscall(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return !error || error == EINTR || error == -kRestart;
}

// The last of the messages may be one of which a part is done.
long Rest::OfMessages(long done) {
  const auto messages = reinterpret_cast<mmsghdr*>(args_[1]);
  File& file = Sends() ? out_ : in_;
  file = File(args_[0]);
  if (!file.Waits()) return done;
  for (;;) {
    mmsghdr& last = messages[done - 1];
    unsigned length;
    if (!green_load32(&last.msg_len, &length)) return done;
    const long one[6] = {args_[0], reinterpret_cast<long>(&last.msg_hdr), args_[3], 0, 0, 0};
    const long whole = RestOfTransfer(Sends() ? SYS_sendmsg : SYS_recvmsg, one,
                                      static_cast<long>(length), blocked_);
    if (whole != static_cast<long>(length)) CopyOut(&last.msg_len, static_cast<unsigned>(whole));
    if (done >= args_[2]) return done;
    if (!Sends() && !ForgetInterruption(file.fd)) return done;
    CurrentTask()->frame &= ~uintptr_t{1};  // the socket's time-out is each message's
    const Part part = {
        nr_,
        {args_[0], reinterpret_cast<long>(messages + done), args_[2] - done, args_[3], args_[4], 0},
        args_[2] - done};
    bool more;
    const long r = Make(part, &more);
    if (r > 0) done += r;
    if (r <= 0 || !more) return done;
  }
}

bool IsLocal(int fd) {
  int domain = 0;
  uint32_t size = sizeof domain;
  return !RawSyscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) &&
         domain == AF_UNIX;
}

// Events of aio.
long Rest::OfEvents(long done) {
  constexpr long kEventSize = 32;
  while (done < args_[1]) {
    KernelTimespec ts;
    const void* timeout = TimeLeftOf(reinterpret_cast<void*>(args_[4]), &ts);
    const Part part = {nr_,
                       {args_[0], args_[1] - done, args_[2] - done, args_[3] + done * kEventSize,
                        reinterpret_cast<long>(timeout), args_[5]},
                       args_[1] - done};
    bool more;
    const long r = Make(part, &more);
    if (r > 0) done += r;
    if (r <= 0 || !more) break;
  }
  return done;
}

}  // namespace

long RestOfTransfer(long nr, const long* args, long done, SigSet blocked) {
  Rest rest(nr, args, blocked);
  // Of a MSG_ZEROCOPY the program counts the calls.
  constexpr int kNoWait = MSG_DONTWAIT | MSG_PEEK | MSG_OOB | MSG_ERRQUEUE | MSG_ZEROCOPY;
  switch (nr) {
    case SYS_write:
    case SYS_writev:
    case SYS_sendfile:
    case SYS_splice:
    case SYS_copy_file_range:
    case SYS_getrandom: return rest.OfBytes(done);
    case SYS_sendto: return args[3] & kNoWait ? done : rest.OfBytes(done);
    case SYS_sendmsg: {
      // What came with the first byte has gone with it, but for protocols that want it with each.
      msghdr msg;
      if ((args[2] & kNoWait) || !CopyIn(&msg, reinterpret_cast<const void*>(args[1]))) return done;
      return msg.msg_controllen && !IsLocal(static_cast<int>(args[0])) ? done : rest.OfBytes(done);
    }
    case SYS_recvfrom:
      return (args[3] & MSG_WAITALL) && !(args[3] & kNoWait) ? rest.OfBytes(done) : done;
    case SYS_recvmsg: {
      if (!(args[2] & MSG_WAITALL) || (args[2] & kNoWait)) return done;
      // With control data it ends where those of another message would come.
      msghdr msg;
      if (!CopyIn(&msg, reinterpret_cast<const void*>(args[1])) || msg.msg_control) return done;
      return rest.OfBytes(done);
    }
    case SYS_sendmmsg:
    case SYS_recvmmsg: return args[3] & (kNoWait | MSG_WAITFORONE) ? done : rest.OfMessages(done);
    case SYS_io_getevents:
    case SYS_io_pgetevents: return rest.OfEvents(done);
  }
  return done;
}

}  // namespace green
