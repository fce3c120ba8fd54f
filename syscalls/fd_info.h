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
// Some description's flags have changed; another process has got some description.
void NoteFlagsChanged();
void NoteShared();

// The loop of every blocking call on an fd: try, wait, retry. `attempt` returns -EAGAIN when it
// would block. kCannotWait: the reactor cannot watch this fd.
inline constexpr long kCannotWait = -2000000;
template <typename Attempt>
long TryOrWait(int fd, FdState* s, uint32_t direction, Attempt attempt) {
  for (;;) {
    const uint32_t generation = s->generation.load(std::memory_order_acquire);
    const uint32_t sequence = direction == kOut ? SequenceOut(s) : SequenceIn(s);
    const long r = attempt();
    if (__builtin_expect(r != -EAGAIN, 1)) return r;
    if (IsNonblocking(fd, s)) return -EAGAIN;
    const int64_t timeout = TimeoutOf(fd, s, direction);
    const int64_t deadline = timeout == kNever ? kNever : DeadlineAfter(timeout);
    const int w = WaitFd(fd, direction, sequence, deadline);
    if (__builtin_expect(w < 0, 0)) {
      if (w == -EINTR) return timeout == kNever ? kRestart : kRestartNoHandler;
      if (w == -ETIMEDOUT) return -EAGAIN;
      return kCannotWait;
    }
    // The number was closed while we waited. It may be another file by now: not ours to read.
    if (s->generation.load(std::memory_order_acquire) != generation) return -EBADF;
  }
}

}  // namespace green
