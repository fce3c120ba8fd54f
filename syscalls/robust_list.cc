#include "syscalls/robust_list.h"

#include <linux/futex.h>

#include "base/message.h"
#include "sched/death_watch.h"
#include "sched/futex_table.h"
#include "syscalls/handlers.h"
#include "syscalls/shared_memory.h"
#include "syscalls/shared_pi.h"

namespace green {
namespace {

// The kernel's struct robust_list_head.
struct RobustList {
  RobustList* next;
};
struct RobustListHead {
  RobustList list;
  long futex_offset;
  RobustList* pending;
};

constexpr int kRobustLimit = 2048;  // the kernel's ROBUST_LIST_LIMIT

struct Lock {
  uint32_t* word;
  uint32_t tid;  // of the task that has ended
  bool pi;       // it inherits priorities
  bool pending;  // the task was at work on it
};

// It has ended between the unlock and its wake, or woken and not yet the owner: another one's turn.
// That one looks again if somebody has the lock by now, who does not know of waiters.
bool PassesTurnOn(const Lock& lock, uint32_t v) {
  return lock.pending && (v & FUTEX_TID_MASK) != lock.tid;
}

bool IsPi(const RobustList* tagged) { return reinterpret_cast<uintptr_t>(tagged) & 1; }
char* Untagged(RobustList* p) {
  return reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(p) & ~1ul);
}

// Ends at a word that cannot be read, as the kernel's own walk does.
void Walk(const Task* t, void (*mark)(const Lock&)) {
  RobustListHead head;
  if (!t->robust_list || !CopyIn(&head, t->robust_list)) return;
  const auto mark_one = [&](RobustList* entry, bool pending) {
    const auto word = reinterpret_cast<uint32_t*>(Untagged(entry) + head.futex_offset);
    uint32_t v;
    if (reinterpret_cast<uintptr_t>(word) % sizeof v || !green_load32(word, &v)) return false;
    mark({word, t->tid, IsPi(entry), pending});
    return true;
  };
  RobustList* entry = head.list.next;
  for (int i = 0; i < kRobustLimit && Untagged(entry) != t->robust_list; ++i) {
    RobustList node;
    const bool readable = CopyIn(&node, Untagged(entry));
    if (entry != head.pending && !mark_one(entry, false)) return;
    if (!readable) return;
    entry = node.next;
  }
  if (head.pending) mark_one(head.pending, true);
}

// In the memory of a process that is gone: whoever waits is another process's.
void MarkInKernel(const Lock& lock) {
  uint32_t v;
  if (reinterpret_cast<uintptr_t>(lock.word) % sizeof v || !green_load32(lock.word, &v)) return;
  for (bool done = false; !done && !PassesTurnOn(lock, v);) {
    if ((v & FUTEX_TID_MASK) != lock.tid) return;
    if (!green_cas32(lock.word, &v, FUTEX_OWNER_DIED | (v & FUTEX_WAITERS), &done)) return;
  }
  RawSyscall(SYS_futex, lock.word, FUTEX_WAKE, 1);
}

void MarkHere(const Lock& lock) {
  uint32_t v;
  if (PassesTurnOn(lock, green_load32(lock.word, &v) ? v : lock.tid))
    FutexWake(lock.word, 1, FUTEX_BITSET_MATCH_ANY);
  else if (lock.pi && IsSharedMemory(lock.word))
    return SharedPiOwnerDied(lock.word, lock.tid);
  else
    FutexOwnerDied(lock.word, lock.tid, lock.pi);
  WakeInKernel(lock.word);
}

void MarkAll() {
  ForEachTask(
      [](Task* t, void*) {
        if (t->alive) Walk(t, MarkInKernel);
        return true;
      },
      nullptr);
}

// The kernel may do for it what it does for threads.
bool HasThreadsNumber(const Task* t) { return t->tid == CurrentCarrier()->tid; }

std::atomic<bool> g_wanted{false};
std::atomic<bool> g_watched{false};

}  // namespace

void EndRobustList(Task* t) {
  Walk(t, MarkHere);
  // The carrier's next task has other locks, and this one's memory is soon another's.
  if (t->robust_list && HasThreadsNumber(t))
    RawSyscall(SYS_set_robust_list, nullptr, sizeof(RobustListHead));
  t->robust_list = nullptr;
}

void NoteRobustUser() {
  g_wanted.store(true, std::memory_order_relaxed);
  WatchRobustLists();
}

void WatchRobustLists() {
  if (!g_wanted.load(std::memory_order_relaxed) || !SharesMemory()) return;
  if (g_watched.exchange(true, std::memory_order_relaxed)) return;
  if (const long r = StartDeathWatch(MarkAll))
    (Message() << "no process to watch over robust mutexes (errno " << -r
               << "): killed, this one leaves them locked")
        .Write();
}

void ResetRobustListsAfterFork() {
  ResetDeathWatchAfterFork();
  g_watched.store(false, std::memory_order_relaxed);
}

long SysSetRobustList(SyscallFrame& f) {
  if (f.rsi != sizeof(RobustListHead)) return -EINVAL;
  Task* t = CurrentTask();
  t->robust_list = ArgAs<void*>(f, 0);
  return HasThreadsNumber(t) ? Raw(f) : 0;
}

long SysGetRobustList(SyscallFrame& f) {
  Task* t = f.rdi ? FindTask(static_cast<uint32_t>(f.rdi)) : CurrentTask();
  if (!t) return Raw(f);  // another process's
  const uint64_t size = sizeof(RobustListHead);
  return CopyOut(ArgAs<void*>(f, 1), t->robust_list) && CopyOut(ArgAs<void*>(f, 2), size) ? 0
                                                                                          : -EFAULT;
}

}  // namespace green
