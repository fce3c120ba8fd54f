// Which of glibc's locks a futex word belongs to, by the word's neighbours: every kind waits with
// an operation and a value of its own, and keeps counts that must agree while somebody waits
// (glibc 2.36: nptl/pthread_mutex_lock.c, pthread_rwlock_common.c, pthread_cond_wait.c,
// sem_waitcommon.c, pthread_barrier_wait.c). What agrees with none stays a futex.
#pragma once

#include <functional>
#include <string>

#include "inspect/memory.h"

namespace green::inspect {

enum class LockKind { kNone, kMutex, kFileLock, kRwlock, kCondition, kSemaphore, kBarrier };

struct Lock {
  LockKind kind = LockKind::kNone;
  uint64_t address = 0;  // of the whole lock
  uint32_t owner = 0;    // tid; 0: nobody in particular
  std::string more;      // who else, or how many
};

// Who lives: a tid as it is, or that of a thread pointer; 0 if there is none.
struct Owners {
  std::function<uint32_t(uint32_t)> by_tid;
  std::function<uint32_t(uint64_t)> by_thread_pointer;
};

// The lock that a futex(2) call (its first three arguments) waits for.
Lock FindLock(const Memory& memory, const uint64_t* args, const Owners& owners);

}  // namespace green::inspect
