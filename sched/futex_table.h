// Futexes in the process's private memory: futex(2) without the kernel.
//
// Wait/wake recipe: a waiter enlists under its bucket's lock *and reads the word under that
// lock*; a waker changes the word first and takes the lock after. So either the waiter reads the
// new value and does not sleep, or the waker finds it enlisted.
// A waiter node lives on the waiter's stack. Whoever delists it (waker: sets `woken`; the waiter
// itself after a time-out or signal) does so under the lock of the bucket that `bucket` names;
// requeue changes `bucket` under both locks, so the waiter rereads it after locking.
// After `woken` is set the node may vanish at any time: the waker reads the task before.
// Lock order: of two buckets, the lower address first; then none.
//
// As long as every task is bound, nobody but priority-inheritance waiters is in the table: the
// others wait in the kernel (kNative), and the assembly entry makes their calls (entry.S). With the
// first green task that ends, for good: from then on waiters enlist here, and wakers look in both
// places (kSomeInKernel), for the sake of those that sleep in the kernel already.
//   ends:   kNative off, kSomeInKernel on; membarrier; the first green task runs
//   waker:  changes the word; reads green_futex_places
// A waker that reads kNative did so before the membarrier, so a green task reads the changed word.
#pragma once

#include <atomic>
#include <cstdint>

#include "sched/task.h"

namespace green {

// All return what futex(2) returns. Addresses are checked (EFAULT), alignment too (EINVAL).
// deadline: ns of CLOCK_MONOTONIC or kNever. Interrupted waits return -EINTR.
long FutexWait(uint32_t* word, uint32_t value, uint32_t bitset, int64_t deadline);
long FutexWake(uint32_t* word, int count, uint32_t bitset);
// compare: null, or the value that *word must still have (EAGAIN).
long FutexRequeue(uint32_t* from, uint32_t* to, int wake, int requeue, const uint32_t* compare);
long FutexWakeOp(uint32_t* word1, uint32_t* word2, int wake1, int wake2, uint32_t op);
// Priority inheritance: the word holds the owner's tid (FUTEX_LOCK_PI). Waiters are first-in
// first-out; a parked owner needs no boost, as no task outranks another.
long FutexLockPi(uint32_t* word, int64_t deadline, bool try_only);
long FutexUnlockPi(uint32_t* word);
long FutexWaitRequeuePi(uint32_t* cond, uint32_t value, int64_t deadline, uint32_t* mutex);
long FutexCmpRequeuePi(uint32_t* cond, uint32_t* mutex, int requeue, uint32_t value);

// An exiting owner of a robust or PI word: sets FUTEX_OWNER_DIED and lets one waiter go on.
void FutexOwnerDied(uint32_t* word, uint32_t tid, bool pi);
// A task has ended, and is not found by its number any more: who waits here for a
// priority-inheritance mutex of its has that one, robust or not, with FUTEX_OWNER_DIED. (glibc
// aborts where it is not.)
void FutexOwnerEnded(uint32_t tid);

// Where waiters may be but in the table; one look tells that they are nowhere else.
enum FutexPlaces : uint8_t {
  kNative = GREEN_FUTEXES_NATIVE,
  kSomeInKernel = 2,
  kVmShared = 4,  // another process runs in this memory (syscalls/shared_memory.h)
};
extern "C" __attribute__((visibility("hidden"))) std::atomic<uint8_t> green_futex_places;
inline uint8_t FutexesElsewhere() { return green_futex_places.load(std::memory_order_relaxed); }
// At start, while there is one task; native: it is bound.
void BeginFutexes(bool native);
// Before the first green task.
void EndNativeFutexes();

void ResetFutexTableAfterFork();

}  // namespace green
