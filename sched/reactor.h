// Waiting for file descriptors: one epoll instance, edge-triggered, one registration per fd.
//
// Protocol, for each direction of an fd:
//   waiter: s = Sequence(fd, dir); try the call; on EAGAIN: WaitFd(fd, dir, s).
//   WaitFd, under the fd's lock: registers the fd if it is not; if the sequence moved since s,
//     returns at once; else enlists and parks.
//   event:  under the fd's lock: sequence += 1; every waiter of that direction is delisted and
//     unparked.
//   Registration itself raises an event if the fd is ready then, so a first wait loses nothing.
//   close: natively a blocked call keeps the open file and goes on waiting for it, whatever becomes
//     of the number. So ForgetFd duplicates the description to a private number if there are
//     waiters, moves them to that number's state (both locks; FdWaiter::fd tells) and bumps the
//     generation (late events of the old registration are told by it and dropped). The last
//     task that was moved closes the private number (ReleaseMoved).
// Lock order: fd lock, then none (Unpark happens after it is released).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "arch/x86_64/layout.h"
#include "base/list.h"
#include "base/spin_lock.h"
#include "sched/task.h"

namespace green {

inline constexpr uint32_t kIn = 1;  // bit of each direction
inline constexpr uint32_t kOut = 2;
inline constexpr uint32_t kPri = 4;

struct FdWaiter : ListNode {
  Task* task;
  uint32_t events;  // 0: holds the file only
  std::atomic<bool> fired;
  std::atomic<int> fd;  // where it is enlisted; changes when that number is closed meanwhile
};

enum FdFlags : uint32_t {
  kKnown = 1,  // type is valid
  kSocket = 2,
  kPipe = 4,
  kRegular = 8,
  kOther = 16,   // char devices, eventfd and the like
  kStream = 32,  // a stream socket or pipe: a short read means empty
  kNonblockKnown = 64,
  kNonblock = 128,
  kTimeoutsKnown = 256,
  kHasTimeouts = 512,
  kUnpollable = 1024,  // epoll refused it: always ready
  kPrivate = 2048,     // made by this process and never shared: its flags may be cached
  kEpoll = 4096,
  kNoNowaitRead = 8192,  // RWF_NOWAIT is refused
  kNoNowaitWrite = 32768,
  kNoReceiveWait = 1 << 17,  // SO_RCVTIMEO, SO_SNDTIMEO below 0: no waiting at all
  kNoSendWait = 1 << 18,
  kAnonymous = 65536,  // eventfd, timerfd, inotify, ...: no file type
  kOpened = 1 << 19,   // by its path, and not looked at: all calls on it were short so far
  kThreads = 1 << 21,  // it is /proc/self/task
  kLooking = 1 << 20,  // a task asks the kernel what it is: a close meanwhile clears this
  kNoSkip = 16384,     // end of file, error or urgent data seen: a short read proves nothing
};

// One cache line for a wait and its wake-up.
struct alignas(64) FdState {
  SpinLock lock;
  std::atomic<bool> registered;
  std::atomic<bool> accepting;  // a task is between accept's look and its call
  std::atomic<uint32_t> flags;
  std::atomic<uint32_t> sequence_in, sequence_out;
  std::atomic<uint32_t> drained_at;  // sequence_in at which a read came back short, +1; 0 = none
  std::atomic<uint32_t> generation;
  std::atomic<uint32_t> flag_epoch, share_epoch;  // syscalls/fd_info.h
  ListHead waiters;
  uint32_t moved_here;    // of a private number: whose calls go on at it; under the lock
  std::atomic<int> peer;  // the other end of a pipe or socket pair made here, +1; 0 = unknown
  // Of such an end: a bit for each of the last reads, set if it found nothing at first; and
  // whether a task has written to the other end since the last of them.
  std::atomic<uint8_t> vain_reads;
  std::atomic<bool> written;
  int64_t receive_timeout, send_timeout;  // ns, 0 = none
  uint32_t timeout_epoch;
};

static_assert(sizeof(FdState) == 1 << GREEN_FD_SIZE_BITS);
static_assert(offsetof(FdState, registered) == GREEN_FD_REGISTERED);
static_assert(offsetof(FdState, flags) == GREEN_FD_FLAGS);
static_assert(GREEN_FD_REGISTERED < 8 && GREEN_FD_FLAGS < 8);  // tested together
static_assert(GREEN_FD_THREADS == kThreads);
static_assert(GREEN_FD_OPENED == kOpened && GREEN_FD_PLAIN == (kRegular | kOpened));

inline constexpr uint32_t kFdChunk = 1 << GREEN_FD_CHUNK_BITS;
inline constexpr uint32_t kMaxFds = GREEN_FD_COUNT;
extern "C" __attribute__((visibility("hidden"))) std::atomic<FdState*>
    green_fd_chunks[kMaxFds / kFdChunk];
extern "C" __attribute__((visibility("hidden")))
FdState green_first_fds[kFdChunk];  // the first one
FdState* FdStateOfSlow(int fd);

// Null for numbers the table cannot hold.
inline FdState* FdStateOf(int fd) {
  const auto number = static_cast<uint32_t>(fd);
  if (__builtin_expect(number >= kMaxFds, 0)) return nullptr;
  FdState* chunk = green_fd_chunks[number / kFdChunk].load(std::memory_order_acquire);
  return __builtin_expect(chunk != nullptr, 1) ? chunk + number % kFdChunk : FdStateOfSlow(fd);
}
inline uint32_t SequenceIn(const FdState* s) {
  return s->sequence_in.load(std::memory_order_acquire);
}
inline uint32_t SequenceOut(const FdState* s) {
  return s->sequence_out.load(std::memory_order_acquire);
}

// 0: try again; -EINTR: a signal may be deliverable; -ETIMEDOUT: the deadline passed;
// -EPERM: this kind of fd cannot be waited for; other -errno from the registration.
// *moved_fd: -1, or the private number at which to go on, to be given to ReleaseMoved.
int WaitFd(int fd, uint32_t direction, uint32_t sequence, int64_t deadline, int* moved_fd);
void ReleaseMoved(int fd);
// A private number for the file that fd means now: nobody closes it before it is given to
// ReleaseMoved, and a forked child does not keep it. Or -errno.
int MakePrivateNumber(int fd);

// For waits on several fds: each Enlist after the sequences were read; then park; then Delist
// all. 1 when the sequence moved (do not park), 0 when enlisted, -errno as above.
int EnlistFd(int fd, FdWaiter* w, uint32_t sequence_in, uint32_t sequence_out);
void DelistFd(FdWaiter* w);
// After DelistFd: whether w had been moved; if so the caller gives the number to ReleaseMoved.
inline int MovedFd(const FdWaiter& w, int enlisted) {
  const int fd = w.fd.load(std::memory_order_relaxed);
  return fd == enlisted ? -1 : fd;
}
// What a call on s has just put in, or made room for, is for who waits at the other end of the same
// pipe or socket pair: on a busy machine it goes on without a look at the reactor, whose event
// comes, too, later. A hint: a stale peer's waiters try once in vain. On carriers with a worker.
void WakePeer(FdState* s, uint32_t direction);
// Before a read of such an end, which may be closed then: if the last few found nothing at first,
// it is likely that a task which is ready now has yet to write, so it goes first, and the try that
// would fail is spared. Only where few are ready, as the reader comes behind them.
void LetPeerWrite(FdState* s);
// It found nothing, and has waited.
inline void NoteVainRead(FdState* s) {
  s->vain_reads.store(s->vain_reads.load(std::memory_order_relaxed) | 1, std::memory_order_relaxed);
  s->written.store(false, std::memory_order_relaxed);
}
// Two new ends of one pipe or socket pair.
void JoinPeers(int one, int other);

// Makes sure that events arrive for fd. 0 or -errno (-EPERM: always ready).
int RegisterFd(int fd);

// The number fd is about to be closed or replaced.
void ForgetFd(int fd);
// After it was: a task that began to wait in between registered the old file under this number.
void ConfirmFd(int fd);
// Calls fn for every number from first to last of which something is known, but libgreen's own.
void ForKnownFds(uint32_t first, uint32_t last, void (*fn)(int fd));

// Events that one look brings at most.
constexpr uint32_t kReactorBatch = 128;

// Polls the kernel; woken tasks go to the current worker. timeout in ns, -1 = until woken.
// Returns the number of tasks unparked. Only carriers with a worker, on the scheduler's stack or
// on a task's with timeout 0.
int PollReactor(int64_t timeout_ns);
void WakeReactor();
bool ReactorHasWaiters();

int StartReactor();
void ResetReactorAfterFork();
// True for fd numbers that are libgreen's own: the reactor's, and those of MakePrivateNumber.
bool IsReactorFd(int fd);
inline bool IsPrivateNumber(const FdState& s) {
  return __atomic_load_n(&s.moved_here, __ATOMIC_RELAXED) != 0;
}
// The first of either from `from` on, or kMaxFds.
uint32_t NextOwnFd(uint32_t from);
// The program wants one of those numbers for itself: libgreen takes others.
void MoveReactorFds();

}  // namespace green
