// poll(2), ppoll(2), select(2), pselect6(2): ask without waiting; if nothing is ready, enlist with
// every descriptor, park, delist, ask again.
#include <poll.h>
#include <sys/select.h>

#include "sched/signals.h"
#include "syscalls/fd_info.h"
#include "syscalls/handlers.h"
#include "syscalls/scratch.h"
#include "syscalls/temporary_mask.h"

namespace green {
namespace {

struct Watched {
  FdWaiter waiter;
  int fd;
  uint32_t in, out;
  bool enlisted;
};

uint32_t Directions(short events) {
  uint32_t d = 0;
  if (events & (POLLIN | POLLRDNORM | POLLRDBAND | POLLRDHUP)) d |= kIn;
  if (events & (POLLOUT | POLLWRNORM | POLLWRBAND)) d |= kOut;
  if (events & POLLPRI) d |= kPri;
  return d ? d : kPri;  // hang-up and error are always of interest, and raise all three
}

void Watch(Watched& w, int fd, uint32_t directions) {
  w.fd = fd;
  w.waiter.events = directions;
  w.waiter.next = w.waiter.prev = nullptr;
  w.enlisted = false;
  FdState* s = FdStateOf(fd);
  w.in = s ? SequenceIn(s) : 0;
  w.out = s ? SequenceOut(s) : 0;
}

// Waits until one of n watched descriptors may be ready. 0: ask again; -EINTR, -ETIMEDOUT;
// kCannotWait.
long WaitAny(Watched* w, size_t n, int64_t deadline) {
  Task* cur = CurrentTask();
  long result = 0;
  bool moved = false;
  size_t enlisted = 0;
  for (size_t i = 0; i < n && !moved && !result; ++i) {
    w[i].waiter.task = cur;
    const int r = EnlistFd(w[i].fd, &w[i].waiter, w[i].in, w[i].out);
    if (r == 1)
      moved = true;
    else if (r == 0)
      w[i].enlisted = true, ++enlisted;
    else if (r != -EPERM || (w[i].waiter.events & (kIn | kOut)))
      result = kCannotWait;  // EPERM: always ready, as asking has told; or refused by a filter
  }
  if (!moved && !result) {
    Count(CurrentWorker()->parked_fd);
    LookSoon();
    for (;;) {
      bool fired = false;
      for (size_t i = 0; i < n && !fired; ++i)
        fired = w[i].enlisted && w[i].waiter.fired.load(std::memory_order_acquire);
      if (fired) break;
      if (cur->attention.load(std::memory_order_acquire)) {
        result = -EINTR;
        break;
      }
      if (deadline != kNever && NowNs() >= deadline) {
        result = -ETIMEDOUT;
        break;
      }
      ParkUntil(enlisted ? WaitReason::kFd : WaitReason::kSleep, deadline);
    }
  }
  for (size_t i = 0; i < n; ++i) {
    if (!w[i].enlisted) continue;
    DelistFd(&w[i].waiter);
    const int moved = MovedFd(w[i].waiter, w[i].fd);
    if (moved >= 0) ReleaseMoved(moved);  // poll looks the number up again, as the kernel does
  }
  return result;
}

// Asks without waiting, but outside: a driver or a file system may take its time. Even so the
// kernel says EINTR when nothing is ready and a signal comes, which may be a kick, one for another
// task, or one that is to wait (HeldByCall). -EINTR when nothing is ready and a handler of this
// task ran.
template <typename Ask>
long AskOutside(Ask ask) {
  Task* t = CurrentTask();
  long r;
  do {
    t->handled = 0;
    LeaveGreen();
    r = ask();
    EnterGreen();
  } while (r == -EINTR && !t->handled);
  return r == 0 && t->handled ? -EINTR : r;
}

long PollNow(pollfd* fds, size_t n) {
  return AskOutside([&] { return RawSyscall(SYS_poll, fds, n, 0); });
}

long Poll(pollfd* fds, size_t n, int64_t timeout) {
  long r = PollNow(fds, n);
  if (r > 0) CountReadyCall();
  if (r != 0 || timeout == 0) return r;
  const int64_t deadline = DeadlineAfter(timeout);
  const HeldByCall held;  // a handler that jumps would leave the memory behind
  Scratch<Watched, 4> watched(n);
  if (!watched.Ok()) return -ENOMEM;
  for (;;) {
    size_t count = 0;
    for (size_t i = 0; i < n; ++i) {
      pollfd p;
      if (!CopyIn(&p, fds + i)) return -EFAULT;
      if (p.fd >= 0) Watch(watched[count++], p.fd, Directions(p.events));
    }
    r = PollNow(fds, n);
    if (r != 0) return r;
    const long w = WaitAny(watched.Data(), count, deadline);
    if (w == -ETIMEDOUT) return PollNow(fds, n);
    if (w == -EINTR) return kRestartNoHandler;
    if (w == kCannotWait) return w;
  }
}

constexpr int kMaxSelect = 1 << 16;

struct FdSets {
  uint64_t* user[3];
  uint64_t* asked[3];
  size_t words;
};

bool Copy(uint64_t* to, const uint64_t* from, size_t words) {
  return green_copy(to, from, words * 8);
}

long Select(int n, uint64_t* in, uint64_t* out, uint64_t* except, int64_t timeout) {
  if (n < 0) return -EINVAL;
  if (n > kMaxSelect) n = kMaxSelect;
  const size_t words = (static_cast<size_t>(n) + 63) / 64;
  const HeldByCall held;  // as in Poll
  Scratch<uint64_t, 48> memory(words * 3);
  if (!memory.Ok()) return -ENOMEM;
  FdSets sets = {{in, out, except}, {}, words};
  size_t watched_fds = 0;
  for (size_t k = 0; k < 3; ++k) {
    sets.asked[k] = memory.Data() + k * words;
    for (size_t i = 0; i < words; ++i) sets.asked[k][i] = 0;
    if (sets.user[k] && !Copy(sets.asked[k], sets.user[k], words)) return -EFAULT;
  }
  if (n % 64 && words)
    for (auto& set : sets.asked) set[words - 1] &= (uint64_t{1} << (n % 64)) - 1;
  for (size_t i = 0; i < words; ++i)
    watched_fds += static_cast<size_t>(
        __builtin_popcountl(sets.asked[0][i] | sets.asked[1][i] | sets.asked[2][i]));
  const int64_t deadline = timeout == 0 ? 0 : DeadlineAfter(timeout);
  Scratch<Watched, 4> watched(watched_fds);
  if (!watched.Ok()) return -ENOMEM;
  for (;;) {
    size_t count = 0;
    for (size_t i = 0; i < words && timeout != 0; ++i) {
      uint64_t any = sets.asked[0][i] | sets.asked[1][i] | sets.asked[2][i];
      for (; any; any &= any - 1) {
        const int bit = __builtin_ctzl(any);
        uint32_t d = 0;
        if (sets.asked[0][i] >> bit & 1) d |= kIn;
        if (sets.asked[1][i] >> bit & 1) d |= kOut;
        if (sets.asked[2][i] >> bit & 1) d |= kPri;
        Watch(watched[count++], static_cast<int>(i * 64) + bit, d);
      }
    }
    KernelTimespec zero = {0, 0};
    const long r = AskOutside([&] {
      zero = {0, 0};
      return RawSyscall(SYS_select, n, in, out, except, &zero);
    });
    if (r > 0) CountReadyCall();
    if (r != 0 || timeout == 0) return r;
    const long w = WaitAny(watched.Data(), count, deadline);
    // The kernel's empty answer stands in the program's sets; ask anew with what it asked.
    if (w == -ETIMEDOUT) return 0;
    for (size_t k = 0; k < 3; ++k)
      if (sets.user[k] && !Copy(sets.user[k], sets.asked[k], words)) return -EFAULT;
    if (w == -EINTR) return kRestartNoHandler;
    if (w == kCannotWait) return w;
  }
}

// What is left of a timeout goes back to the program where the kernel does so.
int64_t Left() {
  const int64_t deadline = CurrentTask()->op_deadline;
  if (!(CurrentTask()->frame & 1) || deadline == kNever) return -1;
  const int64_t left = deadline - NowNs();
  return left > 0 ? left : 0;
}

void WriteBack(void* user, int64_t unit) {
  const int64_t left = Left();
  if (!user || left < 0) return;
  const KernelTimespec ts = {left / 1000000000, left % 1000000000 / unit};
  CopyOut(user, ts);
}

// tv_nsec or tv_usec by unit. False: an error is in *error.
bool ReadTimeout(void* user, int64_t unit, int64_t* ns, long* error) {
  *ns = kNever;
  if (!user) return true;
  KernelTimespec ts;
  if (!CopyIn(&ts, user)) {
    *error = -EFAULT;
    return false;
  }
  if (unit == 1000 && ts.sec >= 0 && ts.nsec >= 0 && ts.nsec >= 1000000) {
    ts.sec += ts.nsec / 1000000;  // select(2) normalises
    ts.nsec %= 1000000;
  }
  ts.nsec *= unit;
  if (!ValidTimespec(ts)) {
    *error = -EINVAL;
    return false;
  }
  *ns = ToNs(ts);
  return true;
}

using Poller = long (*)(const SyscallFrame&, int64_t timeout);

long PollOrBlock(const SyscallFrame& f, int64_t timeout) {
  const long r = Poll(ArgAs<pollfd*>(f, 0), static_cast<uint32_t>(f.rsi), timeout);
  return r == kCannotWait ? BlockingRaw(f, true) : r;
}

long SelectOrBlock(const SyscallFrame& f, int64_t timeout) {
  const long r = Select(ArgInt(f, 0), ArgAs<uint64_t*>(f, 1), ArgAs<uint64_t*>(f, 2),
                        ArgAs<uint64_t*>(f, 3), timeout);
  return r == kCannotWait ? BlockingRaw(f, true) : r;
}

// A bound task's.
long PollInKernel(const SyscallFrame& f, int64_t timeout) {
  KernelTimespec ts;
  return InterruptibleCall(SYS_ppoll, static_cast<long>(f.rdi), static_cast<long>(f.rsi),
                           reinterpret_cast<long>(TimeLeft(timeout, &ts)), 0, 0, 0);
}

long SelectInKernel(const SyscallFrame& f, int64_t timeout) {
  KernelTimespec ts;
  return InterruptibleCall(SYS_pselect6, static_cast<long>(f.rdi), static_cast<long>(f.rsi),
                           static_cast<long>(f.rdx), static_cast<long>(f.r10),
                           reinterpret_cast<long>(TimeLeft(timeout, &ts)), 0);
}

int64_t FromMs(int ms) { return ms < 0 ? kNever : int64_t{ms} * 1000000; }

bool Ended(long r) { return r > kRestart || r < kRestartNoHandler; }

long Ppoll(SyscallFrame& f, Poller poll) {
  int64_t timeout;
  long error;
  if (!ReadTimeout(ArgAs<void*>(f, 2), 1, &timeout, &error)) return error;
  TemporaryMask mask(ArgAs<void*>(f, 3), f.r8);
  if (mask.Error()) return mask.Error();
  const long r = poll(f, timeout);
  if (Ended(r)) WriteBack(ArgAs<void*>(f, 2), 1);
  return mask.Finish(r);
}

long OldSelect(SyscallFrame& f, Poller select) {
  int64_t timeout;
  long error;
  if (!ReadTimeout(ArgAs<void*>(f, 4), 1000, &timeout, &error)) return error;
  const long r = select(f, timeout);
  if (Ended(r)) WriteBack(ArgAs<void*>(f, 4), 1000);
  return r;
}

long Pselect6(SyscallFrame& f, Poller select) {
  int64_t timeout;
  long error;
  if (!ReadTimeout(ArgAs<void*>(f, 4), 1, &timeout, &error)) return error;
  struct {
    void* set;
    size_t size;
  } pack = {nullptr, 0};
  if (f.r9 && !CopyIn(&pack, ArgAs<void*>(f, 5))) return -EFAULT;
  TemporaryMask mask(pack.set, pack.size);
  if (mask.Error()) return mask.Error();
  const long r = select(f, timeout);
  if (Ended(r)) WriteBack(ArgAs<void*>(f, 4), 1);
  return mask.Finish(r);
}

}  // namespace

long SysPoll(SyscallFrame& f) { return PollOrBlock(f, FromMs(ArgInt(f, 2))); }
long SysPpoll(SyscallFrame& f) { return Ppoll(f, PollOrBlock); }
long SysSelect(SyscallFrame& f) { return OldSelect(f, SelectOrBlock); }
long SysPselect6(SyscallFrame& f) { return Pselect6(f, SelectOrBlock); }

// Not as ppoll, at whose end the kernel reads the clock and tells what was left.
long SysBoundPoll(SyscallFrame& f) {
  KernelTimespec ts;
  return InterruptibleCall(SYS_poll, static_cast<long>(f.rdi), static_cast<long>(f.rsi),
                           MsLeft(TimeLeft(FromMs(ArgInt(f, 2)), &ts)), 0, 0, 0);
}
long SysBoundPpoll(SyscallFrame& f) { return Ppoll(f, PollInKernel); }
long SysBoundSelect(SyscallFrame& f) { return OldSelect(f, SelectInKernel); }
long SysBoundPselect6(SyscallFrame& f) { return Pselect6(f, SelectInKernel); }

}  // namespace green
