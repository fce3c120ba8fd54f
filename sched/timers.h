// Deadlines of parked tasks, one pairing heap per worker, nodes inside the tasks: no allocation,
// O(1) insertion, O(log n) amortised removal.
// Fire and Cancel race under the heap's lock: after Cancel returns, the node is in no heap and
// nobody will touch it again. Fire unparks under no lock (the task may run at once elsewhere;
// tasks are type-stable, see task.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/spin_lock.h"
#include "sched/task.h"

namespace green {

inline constexpr int64_t kNever = INT64_MAX;

class TimerHeap {
 public:
  void Add(TimerNode* n, int64_t deadline);
  // False when it had fired already.
  static bool Cancel(TimerNode* n);
  // Pops one node that is due at `now`, or returns null.
  TimerNode* PopDue(int64_t now);
  int64_t Earliest() const { return earliest_.load(std::memory_order_seq_cst); }
  void Reset();
  static constexpr size_t EarliestOffset() { return offsetof(TimerHeap, earliest_); }

 private:
  static TimerNode* Meld(TimerNode* a, TimerNode* b);
  static TimerNode* MergeSiblings(TimerNode* first);
  void Remove(TimerNode* n);
  void NoteEarliest() {
    earliest_.store(root_ ? root_->deadline : kNever, std::memory_order_seq_cst);
  }

  SpinLock lock_;
  TimerNode* root_ = nullptr;
  std::atomic<int64_t> earliest_{kNever};
};

}  // namespace green
