#include "inspect/locks.h"

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>

#include <cstddef>

namespace green::inspect {
namespace {

using Rwlock = decltype(pthread_rwlock_t::__data);
using Condition = decltype(pthread_cond_t::__data);

// As in glibc's nptl/pthreadP.h and internal headers, which are not installed.
constexpr uint32_t kMutexContended = 2;
constexpr uint32_t kReaderShift = 3;  // of __readers
constexpr uint32_t kReadersWait = 4;  // a bit of it
constexpr uint32_t kFutexUsed = 2;    // of a rwlock's futexes; 1: not yet
constexpr uint32_t kWaiterShift = 3;  // of __wrefs
constexpr int kShared = 128;          // of semaphores and barriers
struct Semaphore {
  uint32_t value, waiters;
  int shared;
};
struct Barrier {
  uint32_t in, round, count;
  int shared;
  uint32_t out;
};
static_assert(sizeof(Barrier) <= sizeof(pthread_barrier_t) && sizeof(Semaphore) <= sizeof(sem_t));

bool Mutex(const Memory& memory, uint64_t at, const Owners& owners, Lock* lock) {
  uint64_t owner;  // a mutex has its owner's tid there, a FILE's lock its owner's thread pointer
  if (!memory.Read(at + offsetof(pthread_mutex_t, __data.__owner), &owner)) return false;
  if (const uint32_t tid = owners.by_thread_pointer(owner)) {
    *lock = {LockKind::kFileLock, at, tid, ""};
    return true;
  }
  const uint32_t tid = owners.by_tid(static_cast<uint32_t>(owner));
  if (tid) *lock = {LockKind::kMutex, at, tid, ""};
  return tid != 0;
}

bool RwlockAt(const Memory& memory, uint64_t at, const Owners& owners, Lock* lock) {
  Rwlock rw;
  if (!memory.Read(at, &rw) || rw.__pad3 || rw.__pad4 || rw.__rwelision || rw.__pad2 ||
      rw.__flags > PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP || (rw.__shared & ~kShared & ~1))
    return false;
  const uint32_t readers = rw.__readers >> kReaderShift;
  if (!rw.__cur_writer && !readers) return false;
  const uint32_t writer = owners.by_tid(static_cast<uint32_t>(rw.__cur_writer));
  if (rw.__cur_writer && !writer) return false;
  *lock = {LockKind::kRwlock, at, writer, ""};
  // While there is a writer, it is the readers that wait.
  if (!writer)
    lock->more = " held by " + std::to_string(readers) + (readers == 1 ? " reader" : " readers");
  return true;
}

bool ConditionAt(const Memory& memory, uint64_t at, int group, Lock* lock) {
  Condition c;
  if (!memory.Read(at, &c)) return false;
  const uint32_t waiters = c.__wrefs >> kWaiterShift;
  const uint64_t in_groups = uint64_t{c.__g_refs[0]} / 2 + c.__g_refs[1] / 2;
  if (c.__g_refs[group] / 2 == 0 || in_groups > waiters) return false;
  *lock = {LockKind::kCondition, at, 0, ", " + std::to_string(waiters) + " waiting"};
  return true;
}

bool SemaphoreAt(const Memory& memory, uint64_t at, Lock* lock) {
  Semaphore s;
  if (!memory.Read(at, &s) || s.value || !s.waiters || (s.shared & ~kShared)) return false;
  *lock = {LockKind::kSemaphore, at, 0, ", " + std::to_string(s.waiters) + " waiting"};
  return true;
}

bool BarrierAt(const Memory& memory, uint64_t at, Lock* lock) {
  Barrier b;
  if (!memory.Read(at, &b) || (b.shared & ~kShared)) return false;
  const uint32_t there = b.in - b.round;
  if (!there || there >= b.count) return false;
  *lock = {LockKind::kBarrier, at, 0,
           ", " + std::to_string(there) + " of " + std::to_string(b.count) + " there"};
  return true;
}

}  // namespace

Lock FindLock(const Memory& memory, const uint64_t* args, const Owners& owners) {
  const uint64_t at = args[0];
  const int op = static_cast<int>(args[1]) & FUTEX_CMD_MASK;
  const auto value = static_cast<uint32_t>(args[2]);
  Lock lock;
  uint32_t word;
  if (!memory.Read(at, &word)) return lock;
  // Robust and priority-inheritance mutexes keep the owner in the word itself.
  if (const uint32_t in_word = word & FUTEX_TID_MASK; in_word > kMutexContended)
    if (const uint32_t tid = owners.by_tid(in_word)) return {LockKind::kMutex, at, tid, ""};
  if (value == kMutexContended && Mutex(memory, at, owners, &lock)) return lock;
  if (op == FUTEX_WAIT) {
    BarrierAt(memory, at - offsetof(Barrier, round), &lock);
    return lock;
  }
  if (op != FUTEX_WAIT_BITSET) return lock;
  if (value == 0) {
    const uint64_t signals = at - offsetof(Condition, __g_signals);
    if (!ConditionAt(memory, signals, 0, &lock) && !ConditionAt(memory, signals - 4, 1, &lock))
      SemaphoreAt(memory, at, &lock);
  } else if ((value & ~1u) == kFutexUsed) {
    if (!RwlockAt(memory, at - offsetof(Rwlock, __wrphase_futex), owners, &lock))
      RwlockAt(memory, at - offsetof(Rwlock, __writers_futex), owners, &lock);
  } else if (value & kReadersWait) {
    RwlockAt(memory, at - offsetof(Rwlock, __readers), owners, &lock);
  }
  return lock;
}

}  // namespace green::inspect
