#include "sched/reactor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/check.h"
#include "base/raw_syscall.h"
#include "sched/carrier.h"
#include "sched/state.h"

namespace green {

std::atomic<FdState*> green_fd_chunks[kMaxFds / kFdChunk];
// Zeroes without code that writes them: the pages of what is not used are never touched.
alignas(4096) constinit FdState green_first_fds[kFdChunk] = {};

namespace {

constexpr int kBatch = static_cast<int>(kReactorBatch);
constexpr uint32_t kAllEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;

int g_epoll = -1;
int g_wake = -1;

uint64_t Pack(int fd, uint32_t generation) {
  return static_cast<uint64_t>(generation) << 32 | static_cast<uint32_t>(fd);
}

long EpollAdd(int fd, uint32_t generation) {
  epoll_event ev;
  ev.events = kAllEvents;
  ev.data.u64 = Pack(fd, generation);
  long r = RawSyscall(SYS_epoll_ctl, g_epoll, EPOLL_CTL_ADD, fd, &ev);
  // A duplicate that outlives a closed number keeps its registration under that number; it comes
  // up when the number is used for the same open file again. MOD re-arms it.
  if (r == -EEXIST) r = RawSyscall(SYS_epoll_ctl, g_epoll, EPOLL_CTL_MOD, fd, &ev);
  return r;
}

// Under s->lock.
int RegisterLocked(int fd, FdState* s) {
  if (s->registered.load(std::memory_order_relaxed)) return 0;
  const long r = EpollAdd(fd, s->generation.load(std::memory_order_relaxed));
  if (r == -EPERM) s->flags.fetch_or(kUnpollable, std::memory_order_relaxed);
  if (r) return static_cast<int>(r);
  s->registered.store(true, std::memory_order_release);
  return 0;
}

bool Moved(const FdState* s, uint32_t events, uint32_t in, uint32_t out) {
  if ((events & (kIn | kPri)) && SequenceIn(s) != in) return true;
  return (events & kOut) && SequenceOut(s) != out;
}

constexpr int kWakeBatch = 16;

// Under s->lock. Delists waiters for `events`; a waiter may be gone as soon as it is marked as
// fired, so its task is read first.
int TakeWaiters(FdState* s, uint32_t events, Task** batch, int most = kWakeBatch) {
  int n = 0;
  if (s->waiters.Empty()) return 0;
  for (ListNode* p = s->waiters.Front(); p != s->waiters.End() && n < most;) {
    auto w = static_cast<FdWaiter*>(p);
    p = p->next;
    if (!(w->events & events)) continue;
    batch[n++] = w->task;
    w->Unlink();
    w->fired.store(true, std::memory_order_release);
  }
  return n;
}

void WakeWaiters(FdState* s, uint32_t events) {
  for (;;) {
    Task* batch[kWakeBatch];
    int n;
    {
      LockGuard guard(s->lock);
      n = TakeWaiters(s, events, batch);
    }
    for (int i = 0; i < n; ++i) UnparkLater(batch[i]);
    if (n < kWakeBatch) return;
  }
}

void OnEvent(const epoll_event& ev) {
  const int fd = static_cast<int>(ev.data.u64 & 0xffffffff);
  FdState* s = FdStateOf(fd);
  uint32_t events = 0;
  if (ev.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) events |= kIn;
  if (ev.events & EPOLLPRI) events |= kPri | kIn;
  if (ev.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) events |= kOut;
  if (ev.events & (EPOLLHUP | EPOLLERR)) events |= kPri;
  Task* batch[kWakeBatch];
  int n;
  {
    LockGuard guard(s->lock);
    if (s->generation.load(std::memory_order_relaxed) != ev.data.u64 >> 32) return;
    if (ev.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI))
      s->flags.fetch_or(kNoSkip, std::memory_order_relaxed);
    // Written under the lock only: no read-modify-write needed.
    if (events & (kIn | kPri)) s->sequence_in.store(SequenceIn(s) + 1, std::memory_order_release);
    if (events & kOut) s->sequence_out.store(SequenceOut(s) + 1, std::memory_order_release);
    n = TakeWaiters(s, events, batch);
  }
  for (int i = 0; i < n; ++i) UnparkLater(batch[i]);
  if (n == kWakeBatch) WakeWaiters(s, events);
}

// The lines that waking will touch, asked for before the first is needed: with thousands of
// connections they are in no near cache.
void Prefetch(const epoll_event* events, long n) {
  for (long i = 0; i < n; ++i)
    if (FdState* s = FdStateOf(static_cast<int>(events[i].data.u64 & 0xffffffff)))
      __builtin_prefetch(s, 1);
  for (long i = 0; i < n; ++i)
    if (FdState* s = FdStateOf(static_cast<int>(events[i].data.u64 & 0xffffffff)))
      if (s->waiters.node.next) __builtin_prefetch(s->waiters.node.next, 1);
}

// Where libgreen's own descriptors go: away from the numbers that programs close by hand or count
// on to be the lowest free one. Not higher, as a fork copies the kernel's table up to the highest
// number in use (dup_fd in fs/file.c): for 20,000, 40 us of 150.
constexpr uint64_t kOwnFds = 2, kOwnFrom = 1024;

// At best they are above the soft limit, which keeps the program from as many numbers as natively.
// It is raised for as long as they are made, while the process has one thread.
class RoomForOwn {
 public:
  RoomForOwn() {
    RawSyscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit_);
    if (limit_.rlim_cur >= kOwnFrom + kOwnFds) return;
    rlimit more = limit_;
    more.rlim_cur += kOwnFds;
    if (more.rlim_max < more.rlim_cur) more.rlim_max = more.rlim_cur;
    raised_ = RawSyscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &more, nullptr) == 0;
  }
  ~RoomForOwn() {
    if (raised_) RawSyscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit_, nullptr);
  }
  RoomForOwn(const RoomForOwn&) = delete;
  RoomForOwn& operator=(const RoomForOwn&) = delete;
  uint64_t From() const {
    if (limit_.rlim_cur >= kOwnFrom + kOwnFds) return kOwnFrom;
    if (raised_) return limit_.rlim_cur;
    return limit_.rlim_cur > 64 ? limit_.rlim_cur - 8 : 3;
  }

 private:
  rlimit limit_ = {};
  bool raised_ = false;
};

int ToHighFd(long fd, uint64_t from) {
  const long high = RawSyscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, from);
  if (IsError(high)) return static_cast<int>(fd);
  RawSyscall(SYS_close, fd);
  return static_cast<int>(high);
}

// A copy above libgreen's own numbers, or just below, or else where there is room.
long CopyHigh(int fd) {
  const int top = g_epoll < g_wake ? g_wake : g_epoll;
  long r = -EINVAL;
  for (const int from : {top + 1, top - 64, 64}) {
    r = RawSyscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, from);
    if (r != -EINVAL && r != -EMFILE) break;
  }
  return r;
}

}  // namespace

FdState* FdStateOfSlow(int fd) {
  constexpr size_t kSize = sizeof(FdState) * kFdChunk;
  auto& slot = green_fd_chunks[static_cast<uint32_t>(fd) / kFdChunk];
  if (static_cast<uint32_t>(fd) < kFdChunk) {
    slot.store(green_first_fds, std::memory_order_release);
    return &green_first_fds[fd];
  }
  const long p = RawSyscall(SYS_mmap, 0, kSize, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (IsError(p)) return nullptr;
  FdState* chunk = nullptr;
  if (slot.compare_exchange_strong(chunk, reinterpret_cast<FdState*>(p), std::memory_order_acq_rel))
    chunk = reinterpret_cast<FdState*>(p);
  else
    RawSyscall(SYS_munmap, p, kSize);
  return chunk + static_cast<uint32_t>(fd) % kFdChunk;
}

int RegisterFd(int fd) {
  FdState* s = FdStateOf(fd);
  if (!s) return -EBADF;
  if (s->registered.load(std::memory_order_acquire)) return 0;
  LockGuard guard(s->lock);
  return RegisterLocked(fd, s);
}

int EnlistFd(int fd, FdWaiter* w, uint32_t in, uint32_t out) {
  FdState* s = FdStateOf(fd);
  if (!s) return -EBADF;
  LockGuard guard(s->lock);
  const int r = RegisterLocked(fd, s);
  if (r) return r;
  if (Moved(s, w->events, in, out)) return 1;
  w->fired.store(false, std::memory_order_relaxed);
  w->fd.store(fd, std::memory_order_relaxed);
  s->waiters.PushBack(w);
  Count(CurrentWorker()->fds_enlisted);
  return 0;
}

void DelistFd(FdWaiter* w) {
  Count(CurrentWorker()->fds_delisted);
  if (w->fired.load(std::memory_order_acquire)) return;
  for (;;) {
    const int fd = w->fd.load(std::memory_order_acquire);
    LockGuard guard(FdStateOf(fd)->lock);
    if (w->fd.load(std::memory_order_relaxed) != fd) continue;
    if (w->Linked()) w->Unlink();
    return;
  }
}

int WaitFd(int fd, uint32_t direction, uint32_t sequence, int64_t deadline, int* moved_fd) {
  Task* cur = CurrentTask();
  FdWaiter w;
  w.task = cur;
  w.events = direction;
  *moved_fd = -1;
  const int r = EnlistFd(fd, &w, sequence, sequence);
  if (__builtin_expect(r != 0, 0)) return r == 1 ? 0 : r;
  Count(CurrentWorker()->parked_fd);
  LookSoon();
  int result = 0;
  while (!w.fired.load(std::memory_order_acquire)) {
    if (cur->attention.load(std::memory_order_acquire)) {
      result = -EINTR;
      break;
    }
    if (deadline != kNever && NowNs() >= deadline) {
      result = -ETIMEDOUT;
      break;
    }
    ParkUntil(WaitReason::kFd, deadline);
  }
  DelistFd(&w);
  *moved_fd = MovedFd(w, fd);
  return result;
}

void WakePeer(FdState* s, uint32_t direction) {
  FdState* peer = FdStateOf(s->peer.load(std::memory_order_relaxed) - 1);
  if (!peer) return;
  if (direction & kIn) {
    peer->drained_at.store(0, std::memory_order_relaxed);
    peer->written.store(true, std::memory_order_relaxed);
  }
  // Who is about to enlist, unseen, has registered: the event wakes it. And an idle worker that
  // sleeps in the reactor is awake by now for that event.
  if (peer->waiters.Empty() || g_sched.idle_count.load(std::memory_order_relaxed)) return;
  // One: of thousands that read the same pipe a byte is for one, and the event wakes the others.
  Task* first;
  int n;
  {
    LockGuard guard(peer->lock);
    n = TakeWaiters(peer, direction, &first, 1);
  }
  if (n) Unpark(first);
}

void LetPeerWrite(FdState* s) {
  constexpr uint8_t kAlwaysVain = 0xfe;
  auto reads = static_cast<uint8_t>(s->vain_reads.load(std::memory_order_relaxed) << 1);
  if (reads == kAlwaysVain && !s->written.load(std::memory_order_relaxed)) {
    const bool soon = LetFewRun();
    // Not if it has waited in vain, or behind others, or for what was there before.
    reads = soon && s->written.load(std::memory_order_relaxed) ? kAlwaysVain | 1 : 0;
  }
  s->vain_reads.store(reads, std::memory_order_relaxed);
  s->written.store(false, std::memory_order_relaxed);
}

void JoinPeers(int one, int other) {
  FdState *a = FdStateOf(one), *b = FdStateOf(other);
  if (!a || !b) return;
  a->peer.store(other + 1, std::memory_order_relaxed);
  b->peer.store(one + 1, std::memory_order_relaxed);
}

namespace {

std::atomic<uint32_t> g_private_numbers{0};

}  // namespace

int MakePrivateNumber(int fd) {
  const auto copy = static_cast<int>(CopyHigh(fd));
  if (copy < 0) return copy;
  FdState* s = FdStateOf(copy);
  if (!s) {
    RawSyscall(SYS_close, copy);
    return -EMFILE;
  }
  g_private_numbers.fetch_add(1, std::memory_order_relaxed);
  s->moved_here = 1;
  return copy;
}

void ReleaseMoved(int fd) {
  FdState* s = FdStateOf(fd);
  {
    LockGuard guard(s->lock);
    // The program may have made the number its own meanwhile.
    if (!s->moved_here || --s->moved_here) return;
  }
  g_private_numbers.fetch_sub(1, std::memory_order_relaxed);
  ForgetFd(fd);
  RawSyscall(SYS_close, fd);
}

namespace {

// Under s->lock. The waiters of `fd`, which is about to be closed, go on at a private number for
// the same open file. Without a free number they are woken, and their calls fail with EBADF.
void MoveWaiters(int fd, FdState* s) {
  const int copy = MakePrivateNumber(fd);
  if (copy < 0) {
    Task* batch[kWakeBatch];
    while (const int n = TakeWaiters(s, kIn | kOut | kPri, batch))
      for (int i = 0; i < n; ++i) Unpark(batch[i]);
    while (ListNode* p = s->waiters.Front()) {  // those that only hold the file
      p->Unlink();
      static_cast<FdWaiter*>(p)->fired.store(true, std::memory_order_release);
    }
    return;
  }
  FdState* to = FdStateOf(copy);
  LockGuard guard(to->lock);  // nobody else knows that number yet
  to->flags.store(s->flags.load(std::memory_order_relaxed) & ~uint32_t{kPrivate | kNonblockKnown},
                  std::memory_order_relaxed);
  to->receive_timeout = s->receive_timeout;
  to->send_timeout = s->send_timeout;
  to->moved_here = 0;
  while (ListNode* p = s->waiters.Front()) {
    auto w = static_cast<FdWaiter*>(p);
    w->Unlink();
    to->waiters.PushBack(w);
    w->fd.store(copy, std::memory_order_release);
    ++to->moved_here;
  }
  RegisterLocked(copy, to);
}

}  // namespace

void ForgetFd(int fd) {
  FdState* s = FdStateOf(fd);
  if (!s) return;
  LockGuard guard(s->lock);
  if (!s->waiters.Empty()) MoveWaiters(fd, s);
  if (IsPrivateNumber(*s)) {  // dup2 makes it the program's
    s->moved_here = 0;
    g_private_numbers.fetch_sub(1, std::memory_order_relaxed);
  }
  if (s->registered.load(std::memory_order_relaxed)) {
    // Explicitly: a duplicate of the description may live on and keep it in the epoll set.
    epoll_event ev;
    RawSyscall(SYS_epoll_ctl, g_epoll, EPOLL_CTL_DEL, fd, &ev);
    s->registered.store(false, std::memory_order_relaxed);
  }
  s->generation.fetch_add(1, std::memory_order_release);
  s->sequence_in.fetch_add(1, std::memory_order_release);
  s->sequence_out.fetch_add(1, std::memory_order_release);
  s->flags.store(0, std::memory_order_relaxed);
  s->drained_at.store(0, std::memory_order_relaxed);
  s->peer.store(0, std::memory_order_relaxed);
}

void ConfirmFd(int fd) {
  FdState* s = FdStateOf(fd);
  LockGuard guard(s->lock);
  if (!s->registered.load(std::memory_order_relaxed)) return;
  epoll_event ev;
  ev.events = kAllEvents;
  ev.data.u64 = Pack(fd, s->generation.load(std::memory_order_relaxed));
  if (RawSyscall(SYS_epoll_ctl, g_epoll, EPOLL_CTL_MOD, fd, &ev) == 0) return;  // the new file
  s->registered.store(false, std::memory_order_relaxed);
  s->generation.fetch_add(1, std::memory_order_release);
  s->sequence_in.fetch_add(1, std::memory_order_release);
  s->sequence_out.fetch_add(1, std::memory_order_release);
  Task* batch[kWakeBatch];
  while (const int n = TakeWaiters(s, kIn | kOut | kPri, batch))
    for (int i = 0; i < n; ++i) Unpark(batch[i]);
}

namespace {
// The first number from `from` to `last` whose state is one that `wanted` wants, or last + 1.
template <typename Wanted>
uint32_t FindFd(uint32_t from, uint32_t last, Wanted wanted) {
  for (uint32_t fd = from; fd <= last; ++fd) {
    const FdState* chunk = green_fd_chunks[fd / kFdChunk].load(std::memory_order_acquire);
    if (!chunk)
      fd |= kFdChunk - 1;
    else if (wanted(chunk[fd % kFdChunk]))
      return fd;
  }
  return last + 1;
}
}  // namespace

void ForKnownFds(uint32_t first, uint32_t last, void (*fn)(int fd)) {
  if (last >= kMaxFds) last = kMaxFds - 1;
  const auto known = [](const FdState& s) {
    return !IsPrivateNumber(s) && (s.flags.load(std::memory_order_relaxed) ||
                                   s.registered.load(std::memory_order_relaxed));
  };
  for (uint32_t fd = first; (fd = FindFd(fd, last, known)) <= last; ++fd) fn(static_cast<int>(fd));
}

int PollReactor(int64_t timeout_ns) {
  g_sched.polls.store(g_sched.polls.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  epoll_event events[kBatch];
  KernelTimespec ts = {timeout_ns / 1000000000, timeout_ns % 1000000000};
  long n;
  if (timeout_ns == 0)
    n = RawSyscall(SYS_epoll_wait, g_epoll, events, kBatch, 0);
  else
    n = RawSyscall(SYS_epoll_pwait2, g_epoll, events, kBatch, timeout_ns < 0 ? nullptr : &ts,
                   nullptr, 0);
  if (n == -ENOSYS)  // before Linux 5.11: milliseconds, rounded up
    n = RawSyscall(SYS_epoll_wait, g_epoll, events, kBatch,
                   timeout_ns < 0 ? -1 : static_cast<int>((timeout_ns + 999999) / 1000000));
  if (n > 4) Prefetch(events, n);
  bool woken = false;
  for (long i = 0; i < n; ++i) {
    if (events[i].data.u64 >> 32 == ~0u) {
      uint64_t count;
      RawSyscall(SYS_read, g_wake, &count, sizeof count);
      woken = true;
    } else {
      OnEvent(events[i]);
    }
  }
  // It was meant for the one that sleeps here: a look in passing must not eat it.
  if (woken) {
    const Worker* poller = g_sched.poller.load(std::memory_order_seq_cst);
    if (poller && poller != CurrentWorker()) WakeReactor();
  }
  return n > 0 ? static_cast<int>(n) : 0;
}

void WakeReactor() {
  const uint64_t one = 1;
  RawSyscall(SYS_write, g_wake, &one, sizeof one);
}

bool ReactorHasWaiters() {
  // Each worker's counts have one writer; a task may enlist on one and delist on another.
  uint64_t balance = 0;
  for (uint32_t i = 0; i < WorkerCount(); ++i) {
    const Worker* w = WorkerAt(i);
    balance += w->fds_enlisted.load(std::memory_order_relaxed) -
               w->fds_delisted.load(std::memory_order_relaxed);
  }
  return balance != 0;
}

uint32_t NextOwnFd(uint32_t from) {
  uint32_t next = kMaxFds;
  for (const int fd : {g_epoll, g_wake})
    if (const auto own = static_cast<uint32_t>(fd); own >= from && own < next) next = own;
  return g_private_numbers.load(std::memory_order_relaxed) && from < next
             ? FindFd(from, next - 1, IsPrivateNumber)
             : next;
}

void MoveReactorFds() {
  // Registrations belong to the open file, not to the number; sleepers hold the file itself. The
  // old numbers stay valid until the program's call replaces the one it wants.
  const long epoll = CopyHigh(g_epoll);
  const long wake = CopyHigh(g_wake);
  if (!IsError(epoll)) g_epoll = static_cast<int>(epoll);
  if (!IsError(wake)) {
    epoll_event ev;
    ev.events = EPOLLIN | EPOLLET;
    ev.data.u64 = Pack(static_cast<int>(wake), ~0u);
    RawSyscall(SYS_epoll_ctl, g_epoll, EPOLL_CTL_ADD, wake, &ev);
    g_wake = static_cast<int>(wake);
  }
}

bool IsReactorFd(int fd) { return fd >= 0 && (fd == g_epoll || fd == g_wake); }

int StartReactor() {
  const RoomForOwn room;
  long r = RawSyscall(SYS_epoll_create1, EPOLL_CLOEXEC);
  if (IsError(r)) return static_cast<int>(r);
  g_epoll = ToHighFd(r, room.From());
  r = RawSyscall(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (IsError(r)) {
    RawSyscall(SYS_close, g_epoll);
    g_epoll = -1;
    return static_cast<int>(r);
  }
  g_wake = ToHighFd(r, room.From());
  epoll_event ev;
  ev.events = EPOLLIN | EPOLLET;
  ev.data.u64 = Pack(g_wake, ~0u);
  r = RawSyscall(SYS_epoll_ctl, g_epoll, EPOLL_CTL_ADD, g_wake, &ev);
  if (IsError(r)) {  // a seccomp filter
    RawSyscall(SYS_close, g_wake);
    RawSyscall(SYS_close, g_epoll);
    g_epoll = g_wake = -1;
  }
  return IsError(r) ? static_cast<int>(r) : 0;
}

namespace {

// A file that a call of the parent's holds would stay open here.
void ClosePrivateNumbers() {
  uint32_t left = g_private_numbers.exchange(0, std::memory_order_relaxed);
  for (int fd = 0; left && fd < static_cast<int>(kMaxFds); ++fd) {
    FdState* chunk = green_fd_chunks[fd / kFdChunk].load(std::memory_order_relaxed);
    if (!chunk)
      fd |= kFdChunk - 1;
    else if (chunk[fd % kFdChunk].moved_here && left--)
      RawSyscall(SYS_close, fd);
  }
}

}  // namespace

void ResetReactorAfterFork() {
  ClosePrivateNumbers();
  // The epoll instance is shared with the parent: only our references to it are dropped.
  RawSyscall(SYS_close, g_epoll);
  RawSyscall(SYS_close, g_wake);
  g_epoll = g_wake = -1;
  for (auto& slot : green_fd_chunks)
    if (FdState* chunk = slot.load(std::memory_order_relaxed))
      RawSyscall(SYS_madvise, chunk, sizeof(FdState) * kFdChunk, MADV_DONTNEED);
}

}  // namespace green
