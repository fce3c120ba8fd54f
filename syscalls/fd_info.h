// What is known of a file descriptor, so that a call on it costs no more than natively.
#pragma once

#include "sched/reactor.h"
#include "syscalls/call.h"

namespace green {

// Flags of fd, found out on first use. EBADF shows as 0.
uint32_t KnowFd(int fd, FdState* s);
// Does its open file description have O_NONBLOCK? Cached only for files that no other process
// can have (made here, not inherited or passed on), until any F_SETFL or FIONBIO.
bool IsNonblocking(int fd, FdState* s);
// SO_RCVTIMEO / SO_SNDTIMEO in ns, kNever when none.
int64_t TimeoutOf(int fd, FdState* s, uint32_t direction);

// A number has just been created as this kind of file by the calling task.
void NoteNewFd(int fd, uint32_t flags);
// As some kind of file.
void NoteUnknownFd(int fd);
// Some description's flags have changed; another process has got some description.
void NoteFlagsChanged();
void NoteShared();

// A bound task's call as the program made it (bound_socket.cc); `blocked` as in BlockingCall.
long BoundTransfer(SyscallFrame& f, SigSet blocked);

// The loop of every blocking call on an fd: try, wait, retry. `attempt(fd)` returns -EAGAIN when
// it would block; fd is the program's, or a private number for the same file if the program's
// was closed while we waited. kCannotWait: the reactor cannot watch this fd.
inline constexpr long kCannotWait = -2000000;

template <typename Attempt>
long TryOrWait(int fd, FdState* s, uint32_t direction, Attempt attempt) {
  int moved = -1;
  long r;
  for (;;) {
    const uint32_t generation = s->generation.load(std::memory_order_acquire);
    const uint32_t sequence = direction == kOut ? SequenceOut(s) : SequenceIn(s);
    r = attempt(fd, s);
    if (__builtin_expect(r != -EAGAIN, 1)) {
      if (r > 0 && direction == kIn) CountReadyCall();
      break;
    }
    if (IsNonblocking(fd, s)) break;
    const int64_t timeout = TimeoutOf(fd, s, direction);
    const int64_t deadline = timeout == kNever ? kNever : DeadlineAfter(timeout);
    int now_at;
    const int w = WaitFd(fd, direction, sequence, deadline, &now_at);
    if (__builtin_expect(now_at >= 0, 0)) {
      if (moved >= 0) ReleaseMoved(moved);
      fd = moved = now_at;
      s = FdStateOf(fd);
    } else if (__builtin_expect(s->generation.load(std::memory_order_acquire) != generation, 0)) {
      r = -EBADF;  // closed between the try and the wait: as if before the call
      break;
    }
    if (__builtin_expect(w < 0, 0)) {
      r = w == -EINTR ? timeout == kNever ? kRestart : kRestartNoHandler
          : w == -ETIMEDOUT ? -EAGAIN
                            : kCannotWait;
      break;
    }
  }
  if (__builtin_expect(moved >= 0, 0)) ReleaseMoved(moved);
  return r;
}

}  // namespace green
