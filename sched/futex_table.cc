#include "sched/futex_table.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include "arch/x86_64/user_memory.h"
#include "base/list.h"
#include "base/raw_syscall.h"
#include "sched/monitor.h"
#include "sched/pi_waits.h"
#include "sched/scheduler.h"

namespace green {
namespace {

struct alignas(32) Bucket {
  SpinLock lock;
  ListHead waiters;
};

struct Waiter : ListNode {
  Task* task;
  uint32_t* word;
  uint32_t bitset;
  uint32_t* pi_target;  // of FUTEX_WAIT_REQUEUE_PI
  std::atomic<Bucket*> bucket;
  std::atomic<uint32_t> woken;  // 1 woken, 2 woken with the PI lock in hand
  bool pi;
};

constexpr uint32_t kBuckets = 4096;
Bucket g_buckets[kBuckets];

Bucket* BucketOf(const uint32_t* word) {
  const uint64_t h = (reinterpret_cast<uint64_t>(word) >> 2) * 0x9E3779B97F4A7C15ull;
  return &g_buckets[h >> 52];
}
static_assert(kBuckets == 1u << (64 - 52));

bool Misaligned(const uint32_t* word) { return reinterpret_cast<uintptr_t>(word) & 3; }

// The order of a bucket's waiters: by real-time priority, then first come.
int Rank(const Task* t) { return t->bound && IsRealTime(t->policy) ? t->priority : 0; }

__attribute__((noinline)) void EnlistRealTime(Bucket* b, Waiter* w, int rank) {
  b->waiters.Init();
  ListNode* p = b->waiters.node.next;
  while (p != b->waiters.End() && Rank(static_cast<Waiter*>(p)->task) >= rank) p = p->next;
  ListHead::InsertBefore(p, w);
}

void Enlist(Bucket* b, Waiter* w) {
  w->bucket.store(b, std::memory_order_release);
  if (const int rank = Rank(w->task); __builtin_expect(rank, 0))
    EnlistRealTime(b, w, rank);
  else
    b->waiters.PushBack(w);
}

// Locks the bucket the waiter is in now.
Bucket* LockBucketOf(Waiter* w) {
  for (;;) {
    Bucket* b = w->bucket.load(std::memory_order_acquire);
    b->lock.Lock();
    if (w->bucket.load(std::memory_order_relaxed) == b) return b;
    b->lock.Unlock();
  }
}

class TwoBuckets {
 public:
  TwoBuckets(Bucket* a, Bucket* b) : low_(a < b ? a : b), high_(a < b ? b : a) {
    low_->lock.Lock();
    if (high_ != low_) high_->lock.Lock();
  }
  ~TwoBuckets() {
    if (high_ != low_) high_->lock.Unlock();
    low_->lock.Unlock();
  }

 private:
  Bucket* low_;
  Bucket* high_;
};

// Parks until woken, out of time or interrupted; the waiter is in no bucket afterwards.
__attribute__((always_inline)) inline long Sleep(Waiter* w, int64_t deadline) {
  Task* cur = w->task;
  Count(CurrentWorker()->parked_futex);
  if (deadline == kNever) {
    while (!w->woken.load(std::memory_order_acquire) &&
           !cur->attention.load(std::memory_order_acquire))
      Park(WaitReason::kFutex);
  } else {
    while (!w->woken.load(std::memory_order_acquire) &&
           !cur->attention.load(std::memory_order_acquire) && NowNs() < deadline)
      ParkUntil(WaitReason::kFutex, deadline);
  }
  if (w->woken.load(std::memory_order_acquire)) return 0;
  Bucket* b = LockBucketOf(w);
  const bool late = w->woken.load(std::memory_order_relaxed);
  if (!late) w->Unlink();
  b->lock.Unlock();
  if (late) return 0;
  return deadline != kNever && !cur->attention.load(std::memory_order_acquire) ? -ETIMEDOUT
                                                                               : -EINTR;
}

// A lock that its holder takes again at once is held at nearly every moment at which the holder is
// preempted: who was woken for it finds it taken, time after time. So who has waited long runs as
// soon as it is woken, while the word is free; natively a long sleeper preempts its waker too.
bool HasWaitedLong(const Task* t) { return CoarseMs() - t->since_ms >= g_monitor.long_wait_ms; }

// Tasks to unpark once the lock is released. Chained through queue_next would clash with the run
// queue, so a small array and a second round.
struct WakeList {
  static constexpr int kMax = 32;
  Task* tasks[kMax];
  int n = 0;
  bool Full() const { return n == kMax; }
  void Add(Waiter* w, uint32_t how) {
    Task* t = w->task;
    w->Unlink();
    w->woken.store(how, std::memory_order_release);
    tasks[n++] = t;
  }
  void Go() {
    if (n == 1) {
      Unpark(tasks[0]);
    } else {
      for (int i = 0; i < n; ++i) UnparkLater(tasks[i]);
    }
    n = 0;
  }
};

// Applies FUTEX_WAKE_OP's operation; 0, or -errno. *old gets the former value.
long ApplyOp(uint32_t* word, uint32_t encoded, uint32_t* old) {
  const int op = (encoded >> 28) & 7;
  int32_t arg = static_cast<int32_t>(encoded << 8) >> 20;
  if (encoded & (FUTEX_OP_OPARG_SHIFT << 28)) arg = static_cast<int32_t>(1u << (arg & 31));
  if (!green_load32(word, old)) return -EFAULT;
  for (;;) {
    uint32_t next;
    switch (op) {
      case FUTEX_OP_SET: next = static_cast<uint32_t>(arg); break;
      case FUTEX_OP_ADD: next = *old + static_cast<uint32_t>(arg); break;
      case FUTEX_OP_OR: next = *old | static_cast<uint32_t>(arg); break;
      case FUTEX_OP_ANDN: next = *old & ~static_cast<uint32_t>(arg); break;
      case FUTEX_OP_XOR: next = *old ^ static_cast<uint32_t>(arg); break;
      default: return -ENOSYS;
    }
    bool done;
    if (!green_cas32(word, old, next, &done)) return -EFAULT;
    if (done) return 0;
  }
}

bool Compare(uint32_t encoded, uint32_t old) {
  const int32_t arg = static_cast<int32_t>(encoded << 20) >> 20;
  const auto v = static_cast<int32_t>(old);
  switch ((encoded >> 24) & 15) {
    case FUTEX_OP_CMP_EQ: return v == arg;
    case FUTEX_OP_CMP_NE: return v != arg;
    case FUTEX_OP_CMP_LT: return v < arg;
    case FUTEX_OP_CMP_LE: return v <= arg;
    case FUTEX_OP_CMP_GT: return v > arg;
    default: return v >= arg;
  }
}

bool Matches(const Waiter* w, const uint32_t* word, uint32_t bitset) {
  return w->word == word && (w->bitset & bitset) && !w->pi && !w->pi_target;
}

// One waiter of word, which is then in no bucket; null if there is none.
Task* TakeOne(Bucket* b, const uint32_t* word, uint32_t bitset) {
  LockGuard guard(b->lock);
  for (ListNode* p = b->waiters.Front(); p && p != b->waiters.End(); p = p->next) {
    auto w = static_cast<Waiter*>(p);
    if (!Matches(w, word, bitset)) continue;
    Task* t = w->task;
    w->Unlink();
    w->woken.store(1, std::memory_order_release);
    return t;
  }
  return nullptr;
}

// Under the bucket's lock: wakes up to count - list.n waiters of word.
void Collect(Bucket* b, uint32_t* word, int count, uint32_t bitset, WakeList& list, int* woken) {
  for (ListNode* p = b->waiters.Front(); p && p != b->waiters.End() && *woken < count;) {
    auto w = static_cast<Waiter*>(p);
    p = p->next;
    if (!Matches(w, word, bitset)) continue;
    if (list.Full()) return;
    list.Add(w, 1);
    ++*woken;
  }
}

Waiter* FirstPi(Bucket* b, uint32_t* word) {
  for (ListNode* p = b->waiters.Front(); p && p != b->waiters.End(); p = p->next) {
    auto w = static_cast<Waiter*>(p);
    if (w->word == word && w->pi) return w;
  }
  return nullptr;
}

// Under the lock. Takes the lock word for tid if it has no owner, else marks it contended.
// 1 taken, 0 enlisting is in order, or -errno.
long TryTakePi(uint32_t* word, uint32_t tid) {
  uint32_t v;
  if (!green_load32(word, &v)) return -EFAULT;
  for (;;) {
    const uint32_t owner = v & FUTEX_TID_MASK;
    if (owner == tid) return -EDEADLK;
    if (owner && !FindTask(owner) && !(v & FUTEX_OWNER_DIED)) return -ESRCH;
    const uint32_t next = owner ? v | FUTEX_WAITERS : tid | (v & ~FUTEX_TID_MASK);
    bool done;
    if (!green_cas32(word, &v, next, &done)) return -EFAULT;
    if (done) return owner ? 0 : 1;
  }
}

__attribute__((noinline)) long WakeMany(Bucket* b, uint32_t* word, int count, uint32_t bitset) {
  int woken = 0;
  for (;;) {
    WakeList list;
    b->lock.Lock();
    Collect(b, word, count, bitset, list, &woken);
    b->lock.Unlock();
    const bool more = list.Full();
    list.Go();
    if (!more || woken >= count) return woken;
  }
}

}  // namespace

long FutexWait(uint32_t* word, uint32_t value, uint32_t bitset, int64_t deadline) {
  if (Misaligned(word) || !bitset) return -EINVAL;
  Bucket* b = BucketOf(word);
  Waiter w;
  w.task = CurrentTask();
  w.word = word;
  w.bitset = bitset;
  w.pi_target = nullptr;
  w.pi = false;
  w.woken.store(0, std::memory_order_relaxed);
  b->lock.Lock();
  uint32_t now;
  const bool readable = green_load32(word, &now);
  if (!readable || now != value) {
    b->lock.Unlock();
    return readable ? -EAGAIN : -EFAULT;
  }
  Enlist(b, &w);
  b->lock.Unlock();
  return Sleep(&w, deadline);
}

long FutexWake(uint32_t* word, int count, uint32_t bitset) {
  if (Misaligned(word) || !bitset) return -EINVAL;
  Bucket* b = BucketOf(word);
  if (count > 1) return WakeMany(b, word, count, bitset);
  // Less than one counts as one, as the kernel has it.
  Task* t = TakeOne(b, word, bitset);
  if (!t) return 0;
  const bool waited_long = HasWaitedLong(t);
  Unpark(t);
  if (__builtin_expect(waited_long, 0)) AskToGiveWay();
  return 1;
}

long FutexRequeue(uint32_t* from, uint32_t* to, int wake, int requeue, const uint32_t* compare) {
  if (wake < 0 || requeue < 0 || Misaligned(from) || Misaligned(to)) return -EINVAL;
  Bucket* a = BucketOf(from);
  Bucket* b = BucketOf(to);
  int woken = 0, moved = 0;
  for (;;) {
    WakeList list;
    {
      TwoBuckets locked(a, b);
      if (compare) {
        uint32_t now;
        if (!green_load32(from, &now)) return -EFAULT;
        if (now != *compare) {
          if (woken) return woken;
          return -EAGAIN;
        }
      }
      if (wake) Collect(a, from, wake, FUTEX_BITSET_MATCH_ANY, list, &woken);
      if (!list.Full()) {
        for (ListNode* p = a->waiters.Front(); p && p != a->waiters.End() && moved < requeue;) {
          auto w = static_cast<Waiter*>(p);
          p = p->next;
          if (!Matches(w, from, FUTEX_BITSET_MATCH_ANY)) continue;
          ++moved;
          if (from == to) continue;
          w->Unlink();
          w->word = to;
          Enlist(b, w);
        }
      }
    }
    const bool more = list.Full();
    list.Go();
    compare = nullptr;  // it held; later rounds belong to the same operation
    if (!more) return woken + moved;
  }
}

long FutexWakeOp(uint32_t* word1, uint32_t* word2, int wake1, int wake2, uint32_t op) {
  if (Misaligned(word1) || Misaligned(word2)) return -EINVAL;
  uint32_t old;
  {
    // Both locks: a waiter on word2 that read the old value is enlisted before we look.
    TwoBuckets locked(BucketOf(word1), BucketOf(word2));
    if (long r = ApplyOp(word2, op, &old)) return r;
  }
  long woken = FutexWake(word1, wake1, FUTEX_BITSET_MATCH_ANY);
  if (Compare(op, old)) woken += FutexWake(word2, wake2, FUTEX_BITSET_MATCH_ANY);
  return woken;
}

long FutexLockPi(uint32_t* word, int64_t deadline, bool try_only) {
  if (Misaligned(word)) return -EINVAL;
  Task* cur = CurrentTask();
  Bucket* b = BucketOf(word);
  const PiWait wait(word);
  b->lock.Lock();
  const long r = TryTakePi(word, cur->tid);
  if (r != 0 || try_only) {
    b->lock.Unlock();
    return r == 1 ? 0 : r ? r : -EAGAIN;
  }
  Waiter w;
  w.task = cur;
  w.word = word;
  w.bitset = FUTEX_BITSET_MATCH_ANY;
  w.pi_target = nullptr;
  w.pi = true;
  w.woken.store(0, std::memory_order_relaxed);
  Enlist(b, &w);
  b->lock.Unlock();
  const long s = Sleep(&w, deadline);
  // The last waiter that gave up leaves FUTEX_WAITERS set: the owner then unlocks by call.
  return s;
}

long FutexUnlockPi(uint32_t* word) {
  if (Misaligned(word)) return -EINVAL;
  Task* cur = CurrentTask();
  Bucket* b = BucketOf(word);
  Task* next = nullptr;
  {
    LockGuard guard(b->lock);
    uint32_t v;
    if (!green_load32(word, &v)) return -EFAULT;
    if ((v & FUTEX_TID_MASK) != cur->tid) return -EPERM;
    Waiter* w = FirstPi(b, word);
    uint32_t value = 0;
    if (w) {
      next = w->task;
      value = next->tid;
      w->Unlink();
      if (FirstPi(b, word)) value |= FUTEX_WAITERS;
    }
    bool done = false;
    while (!done)
      if (!green_cas32(word, &v, value, &done)) return -EFAULT;
    if (w) w->woken.store(2, std::memory_order_release);
  }
  if (next) Unpark(next);
  return 0;
}

long FutexWaitRequeuePi(uint32_t* cond, uint32_t value, int64_t deadline, uint32_t* mutex) {
  if (Misaligned(cond) || Misaligned(mutex) || cond == mutex) return -EINVAL;
  Bucket* b = BucketOf(cond);
  const PiWait wait(mutex);
  Waiter w;
  w.task = CurrentTask();
  w.word = cond;
  w.bitset = FUTEX_BITSET_MATCH_ANY;
  w.pi_target = mutex;
  w.pi = false;
  w.woken.store(0, std::memory_order_relaxed);
  b->lock.Lock();
  uint32_t now;
  const bool readable = green_load32(cond, &now);
  if (!readable || now != value) {
    b->lock.Unlock();
    return readable ? -EAGAIN : -EFAULT;
  }
  Enlist(b, &w);
  b->lock.Unlock();
  return Sleep(&w, deadline);
}

long FutexCmpRequeuePi(uint32_t* cond, uint32_t* mutex, int requeue, uint32_t value) {
  if (requeue < 0 || Misaligned(cond) || Misaligned(mutex) || cond == mutex) return -EINVAL;
  Bucket* a = BucketOf(cond);
  Bucket* b = BucketOf(mutex);
  Task* got_lock = nullptr;
  int done = 0;
  {
    TwoBuckets locked(a, b);
    uint32_t now;
    if (!green_load32(cond, &now)) return -EFAULT;
    if (now != value) return -EAGAIN;
    for (ListNode* p = a->waiters.Front(); p && p != a->waiters.End() && done <= requeue;) {
      auto w = static_cast<Waiter*>(p);
      p = p->next;
      if (w->word != cond) continue;
      if (w->pi_target != mutex) return -EINVAL;
      const long r = TryTakePi(mutex, w->task->tid);
      if (r < 0) return done ? done : r;
      ++done;
      w->Unlink();
      if (r == 1) {
        got_lock = w->task;
        w->woken.store(2, std::memory_order_release);
        continue;
      }
      w->word = mutex;
      w->pi = true;
      w->pi_target = nullptr;
      Enlist(b, w);
    }
  }
  if (got_lock) Unpark(got_lock);
  return done;
}

void FutexOwnerDied(uint32_t* word, uint32_t tid, bool pi) {
  if (Misaligned(word)) return;
  Bucket* b = BucketOf(word);
  Task* next = nullptr;
  bool wake = false;
  {
    LockGuard guard(b->lock);
    uint32_t v;
    if (!green_load32(word, &v)) return;
    for (bool done = false; !done;) {
      if ((v & FUTEX_TID_MASK) != tid) return;
      Waiter* w = pi ? FirstPi(b, word) : nullptr;
      const uint32_t value =
          FUTEX_OWNER_DIED | (w ? w->task->tid | FUTEX_WAITERS : v & FUTEX_WAITERS);
      if (!green_cas32(word, &v, value, &done)) return;
      if (!done) continue;
      wake = !pi && (v & FUTEX_WAITERS);
      if (w) {
        next = w->task;
        w->Unlink();
        w->woken.store(2, std::memory_order_release);
      }
    }
  }
  if (next) Unpark(next);
  if (wake) FutexWake(word, 1, FUTEX_BITSET_MATCH_ANY);
}

void FutexOwnerEnded(uint32_t tid) {
  while (uint32_t* word = AwaitedOf(tid)) FutexOwnerDied(word, tid, true);
}

constinit std::atomic<uint8_t> green_futex_places{0};

void BeginFutexes(bool native) {
  green_futex_places.store(native ? kNative : 0, std::memory_order_relaxed);
}

void EndNativeFutexes() {
  if (!(FutexesElsewhere() & kNative)) return;
  green_futex_places.fetch_or(kSomeInKernel, std::memory_order_seq_cst);
  green_futex_places.fetch_and(static_cast<uint8_t>(~kNative), std::memory_order_seq_cst);
  RawSyscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

void ResetFutexTableAfterFork() {
  BeginFutexes(false);
  ResetPiWaitsAfterFork();
  for (auto& b : g_buckets) {
    b.lock.Reset();
    b.waiters.node.next = b.waiters.node.prev = nullptr;
  }
}

}  // namespace green
