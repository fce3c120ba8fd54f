// What each task waits for, in words: from its call's number and arguments, the memory they point
// to, and what glibc keeps in its locks (locks.h).
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "inspect/descriptors.h"
#include "inspect/locks.h"
#include "inspect/snapshot.h"

namespace green::inspect {

enum class WaitKind {
  kNone,  // it does not wait
  kFd,
  kSeveralFds,
  kSleep,
  kJoin,
  kMutex,
  kFileLock,
  kRwlock,
  kCondition,
  kSemaphore,
  kBarrier,
  kFutex,
  kSignal,
  kCall,
  kOther
};
const char* NameOf(WaitKind kind);

struct Wait {
  WaitKind kind = WaitKind::kNone;
  std::string call;  // the system call's name; empty if unknown
  int fd = -1;
  uint64_t address = 0;  // of the lock or futex word
  uint32_t owner = 0;    // tid of the task that holds the lock, or that is joined; 0 unknown
  bool timed = false;    // a deadline ends it
  int64_t left_ms = 0;   // until then
  std::string text;      // all of it, for people
};

// Two or more tasks that wait for each other, each for a lock that the next one holds.
using Cycle = std::vector<uint32_t>;

class Waits {
 public:
  Waits(const Memory& memory, const Snapshot& snapshot, Descriptors* descriptors);
  Waits(const Waits&) = delete;
  Wait Of(const TaskView& task);

  // Tasks that can never go on: cycles of lock owners; and whether every task waits, without a
  // deadline, for a futex of this process, so that only a signal could wake one.
  std::vector<Cycle> Cycles();
  bool AllStuck();

 private:
  void OfFutex(const TaskView& task, Wait* wait);
  void OfSeveralFds(const Call& call, Wait* wait);
  std::string Task(uint32_t tid) const;

  const Memory& memory_;
  const Snapshot& snapshot_;
  Descriptors* descriptors_;  // null: descriptors are numbers only
  std::unordered_map<uint32_t, const TaskView*> by_tid_;
  std::unordered_map<uint64_t, const TaskView*> by_fs_, by_tid_word_;
  Owners owners_;  // looks into the two above
};

// The name of an x86-64 system call; "call 999" when it has none.
std::string SyscallName(int64_t number);

}  // namespace green::inspect
