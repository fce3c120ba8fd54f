// What is known of a file descriptor, so that a call on it costs no more than natively.
#pragma once

#include "sched/reactor.h"
#include "syscalls/call.h"

namespace green {

// Flags of fd, found out on first use. EBADF shows as 0.
uint32_t KnowFdSlow(int fd, FdState* s);
inline uint32_t KnowFd(int fd, FdState* s) {
  const uint32_t flags = s->flags.load(std::memory_order_relaxed);
  return __builtin_expect(flags & kKnown, 1) ? flags : KnowFdSlow(fd, s);
}
// Does its open file description have O_NONBLOCK? Cached only for files that no other process
// can have (made here, not inherited or passed on), until any F_SETFL or FIONBIO.
bool IsNonblocking(int fd, FdState* s);
// SO_RCVTIMEO / SO_SNDTIMEO in ns, kNever when none, kAskKernel where only the kernel knows.
inline constexpr int64_t kAskKernel = -1;
int64_t TimeoutOf(int fd, FdState* s, uint32_t direction);

// Whether [buf, buf + room) can be written, as its first `got` bytes (at least 1) have been: it
// ends in the page of the last of them, or lies on the caller's own stack, below libc's thread
// structure.
inline bool SurelyWritable(const void* buf, size_t got, size_t room) {
  constexpr uintptr_t kPage = 4096, kNear = 1 << 20;
  const auto begin = reinterpret_cast<uintptr_t>(buf);
  if (((begin + got - 1) ^ (begin + room - 1)) < kPage) return true;
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  const Task* t = CurrentTask();
  return t->stack && t->fs_base - here < kNear && begin >= here && begin + room <= t->fs_base;
}

// After a read that came back short from a stream there is nothing left until the next event, so
// the try that would fail is skipped. `sequence` is SequenceIn from before the read or the try.
// Only for registered fds (else the event would not come) and not after end of file, error or
// urgent data, which hide behind a short read. Nor on non-blocking descriptors: their program may
// have learned from the kernel, by poll(2), of data whose event the reactor has not fetched, and
// would be told EAGAIN for ever.
bool ShortReadsMeanEmpty(int fd, FdState* s);
inline bool KnownEmpty(int fd, FdState* s, uint32_t sequence) {
  return s->drained_at.load(std::memory_order_relaxed) == sequence + 1 &&
         ShortReadsMeanEmpty(fd, s);
}

// `read`, without waiting, into [buf, buf + room), unless it is known to be in vain. `room` 0: what
// comes proves nothing. Nor does what comes short if the rest of the room may be one that cannot be
// written: then data may have been left.
template <typename Read>
long ReadUnlessEmpty(int fd, FdState* s, const void* buf, size_t room, Read read) {
  const uint32_t sequence = SequenceIn(s);
  if (KnownEmpty(fd, s, sequence)) return -EAGAIN;
  const bool registered = s->registered.load(std::memory_order_acquire);
  const long got = read();
  if (got > 0 && registered && static_cast<size_t>(got) < room &&
      SurelyWritable(buf, static_cast<size_t>(got), room))
    s->drained_at.store(sequence + 1, std::memory_order_relaxed);
  return got;
}

// First thing in a read that may wait, as others run meanwhile: the number may be another file's
// then, as if the call had come later.
inline void BeginRead(FdState* s) {
  if (__builtin_expect(s->peer.load(std::memory_order_relaxed) != 0, 0)) LetPeerWrite(s);
}

// A number has just been created as this kind of file by the calling task.
void NoteNewFd(int fd, uint32_t flags);
// As some kind of file.
void NoteUnknownFd(int fd);
// By its path. Most are regular files, read or written once or twice: asking what it is would cost
// more than natively. So transfers are made by the kernel as if it were one, until one lasts.
void NoteOpenedFd(int fd);
// A number has just been closed or become another file. It was forgotten before, but a task may
// have looked at the old file in between. What is known of a new one by then may be lost.
void NoteClosed(int fd);
// They have been set through s; other numbers may mean the same socket.
void NoteTimeoutsChanged(FdState* s, bool below_zero);
// Some description's flags have changed; another process has got some description.
void NoteFlagsChanged();
void NoteShared();

// A bound task's call as the program made it (bound_socket.cc); `blocked` as in BlockingCall.
long BoundTransfer(SyscallFrame& f, SigSet blocked);
// The time-out of its socket in ns, kNever when none, or nothing waits. Inside libgreen.
int64_t TransferTimeout(const SyscallFrame& f);
// Such a call begins, or is made `again`: 1 when it is to be made now, -EAGAIN when its time is
// over.
long AwaitAgain(bool again, int fd, short events, int64_t timeout);
// Once some socket has a time-out it is to be known when such a call began (dispatch.cc).
void StampTransfers();
bool TransfersAreStamped();
// When libgreen starts: if one has now.
void StampIfTimed();

// The loop of every blocking call on an fd: try, wait, retry. `attempt(fd)` returns -EAGAIN when
// it would block; fd is the program's, or a private number for the same file if the program's
// was closed while we waited. kCannotWait: the reactor cannot watch this fd.
inline constexpr long kCannotWait = -2000000;

// One try, and what is done behind one that succeeded.
template <typename Attempt>
long TryOnce(int fd, FdState* s, uint32_t direction, Attempt attempt) {
  const long r = attempt(fd, s);
  if (__builtin_expect(r > 0, 1)) {
    if (s->peer.load(std::memory_order_relaxed)) WakePeer(s, direction ^ (kIn | kOut));
    if (direction == kIn) CountReadyCall();
  }
  return r;
}

template <typename Attempt>
long TryOrWait(int fd, FdState* s, uint32_t direction, Attempt attempt) {
  int moved = -1, ended = 0;
  long r;
  for (;;) {
    const uint32_t generation = s->generation.load(std::memory_order_acquire);
    const uint32_t sequence = direction == kOut ? SequenceOut(s) : SequenceIn(s);
    r = TryOnce(fd, s, direction, attempt);
    if (__builtin_expect(r != -EAGAIN, 1)) break;
    if (__builtin_expect(ended != 0, 0)) {
      if (ended == -EINTR) r = TimeoutOf(fd, s, direction) == kNever ? kRestart : kRestartNoHandler;
      break;
    }
    if (IsNonblocking(fd, s)) break;
    const int64_t timeout = TimeoutOf(fd, s, direction);
    if (__builtin_expect(timeout == kAskKernel, 0)) {
      r = kCannotWait;
      break;
    }
    const int64_t deadline = timeout == kNever ? kNever : DeadlineAfter(timeout);
    int now_at;
    const int w = WaitFd(fd, direction, sequence, deadline, &now_at);
    if (direction == kIn && s->peer.load(std::memory_order_relaxed)) NoteVainRead(s);
    if (__builtin_expect(now_at >= 0, 0)) {
      if (moved >= 0)
        ReleaseMoved(moved);
      else
        ++CurrentTask()->held_by_call;  // HeldByCall: nobody else would release it
      fd = moved = now_at;
      s = FdStateOf(fd);
    } else if (__builtin_expect(s->generation.load(std::memory_order_acquire) != generation, 0)) {
      r = -EBADF;  // closed between the try and the wait: as if before the call
      break;
    }
    if (__builtin_expect(w < 0, 0)) {
      if (w != -EINTR && w != -ETIMEDOUT) {
        r = kCannotWait;
        break;
      }
      // What came is taken, as by the kernel, though its event has not been fetched.
      s->drained_at.store(0, std::memory_order_relaxed);
      ended = w;
    }
  }
  if (__builtin_expect(moved >= 0, 0)) {
    ReleaseMoved(moved);
    --CurrentTask()->held_by_call;
  }
  return r;
}

}  // namespace green
